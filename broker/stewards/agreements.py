"""Agreements between a department and who receives its data: which items, from when until when, under which paper."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, bindparam, insert, select, update

from audit.batch import Transaction
from audit.prepared import Prepared
from audit.sharing_events import AgreementEnded, AgreementMade
from broker import requesters, tables
from broker.moments import day_of
from broker.names import Names
from broker.requesters import Requester
from broker.stewards.numbers import new_number
from broker.stops import Side
from policies.identifiers import read_label
from policies.refusals import Code, Refused

REFERENCE_LIMIT: Final = 100
_TABLE: Final = tables.agreement
_OF_REQUESTER: Final = Prepared(select(_TABLE).where(_TABLE.c.requester == bindparam("requester")))


@dataclass(frozen=True, slots=True)
class NewAgreement:
    """What is agreed; days as 2026-12-11, both included."""

    requester: str
    items: tuple[str, ...]
    begins: str
    ends: str
    reference: str
    """The number of the paper that was signed."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """An agreement's row at one moment."""

    number: str
    department: str
    requester: str
    items: tuple[str, ...]
    begins: str
    ends: str
    reference: str
    by: str

    def state(self, today: str) -> str:
        """`coming`, `in_force` or `ended`."""
        if today > self.ends:
            return "ended"
        return "in_force" if today >= self.begins else "coming"


def read_agreement(fields: Mapping[str, str], items: Sequence[str]) -> NewAgreement:
    """From a form; `items` are those of the department that were ticked. Raises Refused(invalid_request)."""
    days = {}
    for name in ("from", "until"):
        try:
            days[name] = date.fromisoformat(fields.get(name, "").strip()).isoformat()
        except ValueError as error:
            raise Refused(Code.INVALID_REQUEST, member=name) from error
    try:
        reference = read_label(fields.get("reference", "").strip(), REFERENCE_LIMIT)
    except ValueError as error:
        raise Refused(Code.INVALID_REQUEST, member="reference") from error
    for name, present in (("items", items), ("reference", reference), ("until", days["from"] <= days["until"])):
        if not present:
            raise Refused(Code.INVALID_REQUEST, member=name)
    return NewAgreement(fields.get("requester", ""), tuple(items), days["from"], days["until"], reference)


def make(transaction: Transaction, new: NewAgreement, side: Side) -> str:
    """Its number. Raises Refused(invalid_request) where nobody is registered under that name."""
    if requesters.find(transaction.connection, new.requester) is None:
        raise Refused(Code.INVALID_REQUEST, member="requester")
    number = new_number("XY")
    transaction.connection.execute(
        insert(_TABLE).values(
            number=number,
            department=side.department,
            requester=new.requester,
            items=json.dumps(new.items).encode(),
            begins=new.begins,
            ends=new.ends,
            reference=new.reference,
            by=side.by,
        )
    )
    transaction.append(
        AgreementMade(
            number=number,
            department=side.department,
            by=side.by,
            requester=new.requester,
            items=list(new.items),
            begins=new.begins,
            ends=new.ends,
            reference=new.reference,
        )
    )
    return number


def end(transaction: Transaction, number: str, side: Side) -> None:
    """End it early: yesterday was its last day. Raises Refused(not_found), for another department's too."""
    mine = (_TABLE.c.number == number, _TABLE.c.department == side.department)
    row = transaction.connection.execute(select(_TABLE).where(*mine)).one_or_none()
    if row is None:
        raise Refused(Code.NOT_FOUND)
    found, today = _agreement(row), day_of(transaction.time / 1_000_000)
    if found.state(today.isoformat()) == "ended":
        raise Refused(Code.ALREADY_DECIDED)
    last = date.fromordinal(today.toordinal() - 1).isoformat()
    transaction.connection.execute(update(_TABLE).where(_TABLE.c.number == number).values(ends=last))
    ended = AgreementEnded(number=number, department=side.department, by=side.by, requester=found.requester)
    transaction.append(ended)


def of_department(connection: Connection, department: str) -> Sequence[Agreement]:
    """The department's, those that end first at the head."""
    query = select(_TABLE).where(_TABLE.c.department == department).order_by(_TABLE.c.ends, _TABLE.c.number)
    return [_agreement(row) for row in connection.execute(query)]


def agreed_items(connection: Connection, requester: str, now: float) -> frozenset[str]:
    """The items for which an agreement with this requester is in force today."""
    today = day_of(now).isoformat()
    rows = _OF_REQUESTER.all(connection, requester=requester)
    found = (one for one in map(_agreement, rows) if one.state(today) == "in_force")
    return frozenset(item for one in found for item in one.items)


def as_agreed(connection: Connection, requester: Requester, now: float) -> Requester:
    """The requester with the items of its agreements: to be judged by where the settings require one."""
    return replace(requester, agreed=agreed_items(connection, requester.id, now))


def members(names: Names, one: Agreement, today: str) -> dict[str, Any]:
    """An agreement on the wire."""
    return {
        "number": one.number,
        "requester": one.requester,
        "name": names.requester(one.requester),
        "items": list(one.items),
        "from": one.begins,
        "until": one.ends,
        "reference": one.reference,
        "state": one.state(today),
        "by": one.by,
    }


def _agreement(row: Any) -> Agreement:
    return Agreement(**{**row._asdict(), "items": tuple(json.loads(row.items))})
