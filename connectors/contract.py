"""What a connector promises: fetch exactly these fields of this person, or say in one word why not.

A connector of any kind
- asks only for what the question names, and returns records that hold no other field;
- returns only records about the asked person: an answer about somebody else is `garbled` and its records are dropped
  before they leave this room;
- for an item of kind `verify` compares here and returns `match`, `mismatch` or `not_decidable`, never a record;
- may fail in any way: the directory holds the deadline and turns whatever happens into an `Answer`;
- never logs a value, a body or a person; `raw_code` is the department's own code, cut to 40 characters, for operators.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from policies.vocabulary import Item, Outcome, Person, Scalar


@dataclass(frozen=True, slots=True)
class Question:
    """What one department is asked, and what must travel with the call so that it can check who asks and why."""

    call: str
    """The broker's id of this call, unique per item and attempt; sent along, never derived from the person."""
    item: Item
    fields: tuple[str, ...]
    params: Mapping[str, str]
    expect: Mapping[str, Scalar] = field(repr=False)
    person: Person = field(repr=False)
    requester: str
    operator: str
    matter: str
    case: str
    consent: str
    """The `jti` of the person's consent."""


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


class Connector(Protocol):
    """One configured route to one department's item."""

    route: str

    async def fetch(self, question: Question) -> Answer:
        """Ask once. Raising `OSError` or anything else is the directory's to judge, and so is taking too long."""

    async def aclose(self) -> None:
        """Let go of pools and files."""
