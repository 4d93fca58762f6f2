"""What a connector promises: fetch exactly these fields of this subject, or say in one word why not.

A connector of any kind
- asks only for what the question names, and returns records that hold no other field;
- returns only records about the asked subject: an answer about somebody else is `garbled` and its records are dropped
  before they leave this room;
- for an item of kind `verify` compares here and returns `match`, `mismatch` or `not_decidable`, never a record;
- may fail in any way: the directory holds the deadline and turns whatever happens into an `Answer`;
- may say `pending` only with a ticket, by which any process can carry on with the question later (`LateConnector`);
- never logs a value, a body or a person; `raw_code` is the department's own code, cut to 40 characters, for operators.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from policies.vocabulary import Item, Outcome, Person, Scalar, Subject


@dataclass(frozen=True, slots=True)
class Question:
    """What one department is asked, and what must travel with the call so that it can check who asks and why."""

    call: str
    """The broker's id of this call, unique per item and attempt; sent along, never derived from the person."""
    item: Item
    fields: tuple[str, ...]
    params: Mapping[str, str]
    expect: Mapping[str, Scalar] = field(repr=False)
    subject: Subject = field(repr=False)
    """Of the sort that the item is about."""
    requester: str
    operator: str
    matter: str
    case: str
    consent: str
    """The `jti` of the person's consent."""
    other: Person | None = field(default=None, repr=False)
    """Of a joint item, the second person whose consent it rests on."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a route needs to carry on with a question it left pending. It holds no value and names no person."""

    state: str
    """The route's own words, at most 200 characters; a later answer may replace them."""
    again_after: float | None
    """Seconds until it is worth asking again; None where the department comes to us."""
    give_up_after: float
    """Seconds from the first asking until nobody waits any more."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A department's answer in the closed words of the protocol."""

    outcome: Outcome
    route: str
    as_of: datetime
    """When the department says its data was true (timezone-aware UTC); else when it answered."""
    records: tuple[Mapping[str, Scalar], ...] = field(default=(), repr=False)
    dropped: int = 0
    """How many values the department sent that were not asked for, and were thrown away."""
    department_request: str = ""
    """The department's own id of the call, where it gives one; at most 100 characters."""
    raw_code: str = ""
    ticket: Ticket | None = None
    """With `pending`, and with nothing else."""
    ended: bool = False
    """Whether a department in trouble said so for good: nothing will come under this ticket, however often asked."""
    answered_by: str = ""
    """The staff number of the person at the department who answered by hand; at most 64 characters."""
    retry_at: datetime | None = None
    """When asking again may help, as far as anybody knows (timezone-aware UTC): its hours begin, its quota is new.
    Of what is pending, by when the department means to answer."""


class Connector(Protocol):
    """One configured route to one department's item."""

    route: str

    async def fetch(self, question: Question) -> Answer:
        """Ask once. Raising `OSError` or anything else is the directory's to judge, and so is taking too long."""

    async def aclose(self) -> None:
        """Let go of pools and files."""


class LateConnector(Connector, Protocol):
    """A route that may leave a question pending."""

    calls_again: bool
    """Whether carrying on calls the department, within its limits; else it comes to us, and nobody is asked."""

    async def carry_on(self, question: Question, ticket: Ticket) -> Answer:
        """Look once whether there is an answer by now; else `pending` again, with the ticket to hand in next time.

        May be called by another process than the one that asked, twice after a crash, and never at the same time.
        """
