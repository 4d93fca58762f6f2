"""A department without an interface: one of its own people reads the question on a page and types the answer.

The same question, the same contract: what is typed is read by the same rules as what a machine sends, and it must name
the person it is about, so that an answer about somebody else is noticed here too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from connectors.contract import Answer, Question, Ticket
from connectors.patience import Patience, left_pending
from connectors.records import RecordForm, Reply, answer
from connectors.route import Place, Route, check_records
from connectors.trouble import DepartmentError
from policies.vocabulary import Item, Outcome

"""Under which name the form asks for the id number that the clerk's own register shows."""
Said = Literal["found", "no_record", "denied_by_department", "not_decidable"]


class ManualRoute(Route, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="manual"):
    """One way to a department's item through one of its people. `records` says how the typed words are read."""

    late: Patience = Patience()


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person at the department typed, and who it was: the staff number stands in the log."""

    said: Said
    record: Mapping[str, str] = field(repr=False)
    staff: str


def check_manual(route: ManualRoute, item: Item, place: Place) -> None:
    """Raises ConfigurationError: the form's names are the catalogue's, so that the page can be made from it."""
    check_records(route.records, item, place.at("records"))
    if route.records.number_at != item.about:
        raise place.at("records").error(f"the page asks for the subject's number under the name '{item.about}'")
    if route.records.name_at:
        raise place.at("records").error("the page asks for no name: the number says whose it is")
    for name, column in route.records.fields.items():
        if column.source != name:
            raise place.at("records", "fields", name, "from").error("the page asks for each field under its own name")


class ManualConnector:
    """Leaves every question pending; `answer_in` reads what was typed."""

    calls_again = False

    def __init__(self, route: ManualRoute, now: Callable[[], datetime]) -> None:
        self.route = route.name
        self._form = route
        self._now = now

    @property
    def records(self) -> RecordForm:
        return self._form.records

    async def fetch(self, question: Question) -> Answer:
        """The question waits for a person."""
        return left_pending(self.route, self._form.late, question.call, self._now(), comes_to_us=True)

    async def carry_on(self, question: Question, ticket: Ticket) -> Answer:
        """Nothing to look at: a person answers, or is given up."""
        del ticket
        return await self.fetch(question)

    async def aclose(self) -> None:
        pass

    def answer_in(self, typed: Typed, question: Question) -> Answer:
        """The answer that was typed. Raises DepartmentError where it is not to be trusted."""
        if typed.said in {"denied_by_department", "not_decidable"}:
            raise DepartmentError(Outcome(typed.said), typed.said)
        rows: Sequence[Mapping[str, str]] = [typed.record] if typed.said == "found" else []
        return answer(self._form.records, question, self.route, Reply(rows, self._now(), raw_code=typed.said))
