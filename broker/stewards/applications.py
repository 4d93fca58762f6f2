"""Applications of requesters for a department's items, with the clocks of the law.

filed      the clock runs from the day after; complete or not
returned   the applicant was told all that is missing, once; the clock stands
filed      completed: the clock begins anew, and nothing more can be called missing
granted    within the time for it, which may be prolonged once; a second clock runs until it is supplied
refused    with a reason; never for what is missing before the applicant was told
supplied   the end
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from audit import sharing_events
from audit.batch import Transaction
from broker import requesters, tables
from broker.deadlines import Deadlines, is_over
from broker.moments import rfc3339
from broker.names import Names
from broker.stewards.filing import Application, is_unconditional
from broker.stewards.numbers import new_number
from broker.stops import Side
from policies.catalogue import Catalogue
from policies.refusals import Code, Refused

FILED: Final = "filed"
RETURNED: Final = "returned"
GRANTED: Final = "granted"
REFUSED: Final = "refused"
SUPPLIED: Final = "supplied"
WAITING: Final = (FILED, GRANTED)
"""Where a clock runs."""
WORDS_LIMIT: Final = 1000
_TABLE: Final = tables.application


@dataclass(frozen=True, slots=True)
class Filed:
    """An application's row at one moment. Times are seconds since 1970, `due_on` is a day as 2026-12-11."""

    number: str
    department: str
    application: Application
    unconditional: bool
    status: str
    filed_at: int
    due_on: str
    told: str
    """All that is missing, as the applicant was told; empty where nobody was."""
    prolonged: str
    """Who consented to more time; empty where nobody did."""
    reason: str
    changed_at: int

    def overdue(self, now: float) -> bool:
        return self.status in WAITING and is_over(self.due_on, now)


@dataclass(frozen=True, slots=True)
class Office:
    """What a step of an application needs: who takes it, and the clocks."""

    side: Side
    deadlines: Deadlines


def file(transaction: Transaction, application: Application, catalogue: Catalogue, office: Office) -> str:
    """Take it down; its number. Raises Refused(invalid_request) where nobody is registered under that name."""
    if requesters.find(transaction.connection, application.requester) is None:
        raise Refused(Code.INVALID_REQUEST, member="requester")
    number, now = new_number("SQ"), transaction.time / 1_000_000
    unconditional = is_unconditional(catalogue, application)
    transaction.connection.execute(
        insert(_TABLE).values(
            number=number,
            department=office.side.department,
            requester=application.requester,
            item=application.item,
            members=_stored(application),
            unconditional=int(unconditional),
            status=FILED,
            filed_at=int(now),
            due_on=office.deadlines.reply(now, unconditional=unconditional),
            told="",
            prolonged="",
            reason="",
            changed_at=int(now),
        )
    )
    filed = find(transaction.connection, number)
    _append(transaction, filed, office, sharing_events.ApplicationFiled, fields=application.fields)
    return number


def give_back(transaction: Transaction, number: str, words: str, office: Office) -> None:
    """Tell the applicant all that is missing, once. Raises Refused(already_decided) the second time."""
    filed = _mine(transaction, number, office, FILED)
    if filed.told:
        raise Refused(Code.ALREADY_DECIDED)
    _set(transaction, number, status=RETURNED, told=words, due_on="")
    _append(transaction, filed, office, sharing_events.ApplicationReturned)


def complete(transaction: Transaction, number: str, application: Application, office: Office) -> None:
    """The applicant's answer; the clock begins anew. Raises Refused(already_decided) unless it was given back."""
    filed = _mine(transaction, number, office, RETURNED)
    if (application.requester, application.item) != (filed.application.requester, filed.application.item):
        raise Refused(Code.INVALID_REQUEST, member="item")
    due_on = office.deadlines.reply(transaction.time / 1_000_000, unconditional=filed.unconditional)
    _set(transaction, number, status=FILED, members=_stored(application), due_on=due_on)
    completed = find(transaction.connection, number)
    _append(transaction, completed, office, sharing_events.ApplicationCompleted, fields=application.fields)


def prolong(transaction: Transaction, number: str, consent: str, office: Office) -> None:
    """Once, before it is over, with the authority's consent. Not of one that is shared without condition."""
    filed = _mine(transaction, number, office, FILED)
    if filed.prolonged or filed.unconditional or filed.overdue(transaction.time / 1_000_000):
        raise Refused(Code.ALREADY_DECIDED)
    _set(transaction, number, prolonged=consent, due_on=office.deadlines.prolonged(filed.due_on))
    prolonged = find(transaction.connection, number)
    _append(transaction, prolonged, office, sharing_events.ApplicationProlonged, consent=consent)


def grant(transaction: Transaction, number: str, office: Office) -> None:
    """Yes; from now on the time within which it is to be supplied runs."""
    _mine(transaction, number, office, FILED)
    _set(transaction, number, status=GRANTED, due_on=office.deadlines.supply(transaction.time / 1_000_000))
    _append(transaction, find(transaction.connection, number), office, sharing_events.ApplicationGranted)


def refuse(transaction: Transaction, number: str, reason: str, office: Office) -> None:
    """No, and why. Raises Refused(forbidden) where something is missing that the applicant was never told."""
    filed = _mine(transaction, number, office, FILED)
    if filed.application.missing and not filed.told:
        raise Refused(Code.FORBIDDEN)
    _set(transaction, number, status=REFUSED, reason=reason, due_on="")
    _append(transaction, filed, office, sharing_events.ApplicationRefused, reason=reason)


def supply(transaction: Transaction, number: str, office: Office) -> None:
    """It can be asked here from now on."""
    filed = _mine(transaction, number, office, GRANTED)
    _set(transaction, number, status=SUPPLIED, due_on="")
    _append(transaction, filed, office, sharing_events.ApplicationSupplied)


def find(connection: Connection, number: str) -> Filed:
    """Raises Refused(not_found)."""
    row = connection.execute(select(_TABLE).where(_TABLE.c.number == number)).one_or_none()
    if row is None:
        raise Refused(Code.NOT_FOUND)
    return _filed(row)


def read_all(connection: Connection, department: str = "") -> Sequence[Filed]:
    """The department's, or everybody's: those that wait first, by the day they are due, then the newest."""
    query = select(_TABLE).where(_TABLE.c.department == department) if department else select(_TABLE)
    found = [_filed(row) for row in connection.execute(query.order_by(_TABLE.c.changed_at.desc(), _TABLE.c.number))]
    return sorted(found, key=lambda one: (one.status not in WAITING, one.due_on))


def members(names: Names, one: Filed, now: float) -> dict[str, Any]:
    """An application on the wire."""
    asked = one.application
    return asked.stored() | {
        "number": one.number,
        "department": one.department,
        "name": names.requester(asked.requester),
        "item_name": names.item(asked.item),
        "sharing": "unconditional" if one.unconditional else "conditional",
        "status": one.status,
        "missing": asked.missing,
        "filed_at": rfc3339(one.filed_at),
        "due_on": one.due_on,
        "overdue": one.overdue(now),
        "told": one.told,
        "prolonged": one.prolonged,
        "reason": one.reason,
    }


def _mine(transaction: Transaction, number: str, office: Office, status: str) -> Filed:
    """Raises Refused(not_found) for another department's, already_decided where it is not in this state."""
    filed = find(transaction.connection, number)
    if office.side.department and filed.department != office.side.department:
        raise Refused(Code.NOT_FOUND)
    if filed.status != status:
        raise Refused(Code.ALREADY_DECIDED)
    return filed


def _append(
    transaction: Transaction, filed: Filed, office: Office, kind: type[sharing_events.OfApplication], **more: Any
) -> None:
    if "fields" in more:
        more |= {"fields": list(more["fields"]), "missing": filed.application.missing}
    transaction.append(
        kind(
            number=filed.number,
            department=filed.department,
            by=office.side.by,
            requester=filed.application.requester,
            item=filed.application.item,
            due_on=find(transaction.connection, filed.number).due_on,
            **more,
        )
    )


def _set(transaction: Transaction, number: str, **values: Any) -> None:
    changed = values | {"changed_at": transaction.time // 1_000_000}
    transaction.connection.execute(update(_TABLE).where(_TABLE.c.number == number).values(**changed))


def _stored(application: Application) -> bytes:
    return json.dumps(application.stored(), ensure_ascii=False).encode()


def _filed(row: Row[Any]) -> Filed:
    stored = json.loads(row.members)
    return Filed(
        number=row.number,
        department=row.department,
        application=Application(**{**stored, "fields": tuple(stored["fields"])}),
        unconditional=bool(row.unconditional),
        status=row.status,
        filed_at=row.filed_at,
        due_on=row.due_on,
        told=row.told,
        prolonged=row.prolonged,
        reason=row.reason,
        changed_at=row.changed_at,
    )
