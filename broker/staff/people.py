"""Staff members: proposed, confirmed by somebody else where that is asked, active, removed; each step in the log."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from audit import tables as audit_tables
from audit.batch import Transaction
from audit.staff_events import StaffAdded, StaffKept, StaffProposed, StaffRemoved
from broker import tables
from broker.own_entries import entries
from broker.staff.roles import CHANGED_BY, FOUNDED, Role
from consent.subjects import SubjectKeys
from policies.refusals import Code, Refused
from policies.vocabulary import Person

PROPOSED: Final = "proposed"
ACTIVE: Final = "active"
LEAVING: Final = "leaving"
REMOVED: Final = "removed"
FOUNDING: Final = "founding"
_TABLE: Final = tables.staff


@dataclass(frozen=True, slots=True)
class Member:
    """A staff member's row at one moment."""

    number: str
    name: str
    role: Role
    department: str
    """Whose steward it is; empty for other roles."""
    lookup: bytes = field(repr=False)
    status: str
    proposed_by: str
    entry: int

    @property
    def works(self) -> bool:
        """Whether it may sign in: until a removal is confirmed, somebody who is to leave still may."""
        return self.status in (ACTIVE, LEAVING)


@dataclass(frozen=True, slots=True)
class NewMember:
    """Somebody who is to have a role. The id number is how she is known when the identity provider names her."""

    number: str
    person: Person = field(repr=False)
    role: Role
    department: str = ""


def lookup_of(keys: SubjectKeys, id_number: str) -> bytes:
    """Apart from citizens: that somebody of the staff is also a citizen here shows nowhere."""
    return hmac.digest(keys.lookup, b"staff\n" + id_number.encode(), hashlib.sha256)


def found(transaction: Transaction, keys: SubjectKeys, new: NewMember) -> Member:
    """From the command line, at the beginning only. Raises Refused(forbidden | already_decided)."""
    table = _TABLE
    ever = transaction.connection.execute(select(table.c.role).where(table.c.proposed_by == FOUNDING)).scalars()
    if list(ever).count(new.role) >= FOUNDED.get(new.role, 0):
        raise Refused(Code.FORBIDDEN)
    _insert(transaction, keys, new, by=FOUNDING, status=ACTIVE)
    return _activate(transaction, new.number, by=FOUNDING)


def propose(transaction: Transaction, keys: SubjectKeys, new: NewMember, by: Member) -> Member:
    """Active at once where one person is enough, else waiting for another. Raises Refused(forbidden | ...)."""
    changed_by = CHANGED_BY[new.role]
    if by.role is not changed_by.proposer:
        raise Refused(Code.FORBIDDEN)
    _insert(transaction, keys, new, by=by.number, status=PROPOSED)
    if changed_by.confirmer is None:
        return _activate(transaction, new.number, by=by.number)
    transaction.append(
        StaffProposed(number=new.number, role=new.role, change="add", department=new.department, by=by.number)
    )
    return member(transaction.connection, new.number)


def propose_removal(transaction: Transaction, number: str, by: Member) -> Member:
    """As `propose`. The last auditor cannot be removed: somebody has to be left who can read the log."""
    going = member(transaction.connection, number)
    changed_by = CHANGED_BY[going.role]
    if by.role is not changed_by.proposer:
        raise Refused(Code.FORBIDDEN)
    if going.status != ACTIVE or _is_last(transaction.connection, going):
        raise Refused(Code.ALREADY_DECIDED)
    if changed_by.confirmer is None:
        return _remove(transaction, going, by=by.number)
    _set(transaction, number, status=LEAVING, proposed_by=by.number)
    transaction.append(
        StaffProposed(number=number, role=going.role, change="remove", department=going.department, by=by.number)
    )
    return member(transaction.connection, number)


def confirm(transaction: Transaction, number: str, by: Member) -> Member:
    """The second person's yes. Raises Refused(forbidden) for whoever proposed it or is not the one to confirm."""
    waiting = _waiting(transaction, number, by)
    if waiting.status == PROPOSED:
        return _activate(transaction, number, by=waiting.proposed_by, confirmed_by=by.number)
    if _is_last(transaction.connection, waiting):
        raise Refused(Code.ALREADY_DECIDED)
    return _remove(transaction, waiting, by=waiting.proposed_by, confirmed_by=by.number)


def turn_down(transaction: Transaction, number: str, by: Member) -> Member:
    """The second person's no."""
    waiting = _waiting(transaction, number, by)
    adding = waiting.status == PROPOSED
    _set(transaction, number, status=REMOVED if adding else ACTIVE)
    change = "add" if adding else "remove"
    transaction.append(StaffKept(number=number, role=waiting.role, change=change, by=by.number))
    return member(transaction.connection, number)


def member(connection: Connection, number: str) -> Member:
    """Raises Refused(not_found)."""
    row = connection.execute(select(_TABLE).where(_TABLE.c.number == number)).one_or_none()
    if row is None:
        raise Refused(Code.NOT_FOUND)
    return _member(row)


def identified(connection: Connection, keys: SubjectKeys, id_number: str) -> Member:
    """Who of the staff a person is that was just identified. Raises Refused(forbidden) where she is none."""
    rows = connection.execute(select(_TABLE).where(_TABLE.c.lookup == lookup_of(keys, id_number))).all()
    working = [one for one in map(_member, rows) if one.works]
    if not working:
        raise Refused(Code.FORBIDDEN)
    return vouched(connection, working[0])


def vouched(connection: Connection, one: Member) -> Member:
    """The member as the log knows it. Raises Refused(forbidden) for a row that somebody wrote past the one door."""
    entry = entries(connection, [one.entry]).get(one.entry)
    said = (entry["event"], entry["body"]) if entry is not None else ("", {})
    expected = {
        "number": one.number,
        "role": str(one.role),
        "department": one.department,
        "who": hashlib.sha256(one.lookup).hexdigest(),
    }
    if said[0] != StaffAdded.NAME or any(said[1].get(name) != value for name, value in expected.items()):
        raise Refused(Code.FORBIDDEN)
    if not one.works or _removed_since(connection, one):
        raise Refused(Code.FORBIDDEN)
    return one


def read_all(connection: Connection) -> Sequence[Member]:
    return [_member(row) for row in connection.execute(select(_TABLE).order_by(_TABLE.c.role, _TABLE.c.number))]


def _removed_since(connection: Connection, one: Member) -> bool:
    """Whether the log removed this member after it was made active, whatever the row says."""
    index = audit_tables.index
    query = select(index.c.idx).where(
        index.c.operator == one.number, index.c.event == StaffRemoved.NAME, index.c.idx > one.entry
    )
    return connection.execute(query.limit(1)).one_or_none() is not None


def _waiting(transaction: Transaction, number: str, by: Member) -> Member:
    waiting = member(transaction.connection, number)
    if waiting.status not in (PROPOSED, LEAVING):
        raise Refused(Code.ALREADY_DECIDED)
    if by.role is not CHANGED_BY[waiting.role].confirmer or by.number in (waiting.proposed_by, number):
        raise Refused(Code.FORBIDDEN)
    return waiting


def _is_last(connection: Connection, one: Member) -> bool:
    kind = _TABLE.c.role == one.role, _TABLE.c.status.in_([ACTIVE, LEAVING])
    others = connection.execute(select(_TABLE.c.number).where(*kind, _TABLE.c.number != one.number)).first()
    return one.role in FOUNDED and others is None


def _insert(transaction: Transaction, keys: SubjectKeys, new: NewMember, *, by: str, status: str) -> None:
    if (new.role is Role.STEWARD) != bool(new.department):
        raise Refused(Code.INVALID_REQUEST, member="department")
    lookup = lookup_of(keys, new.person.id_number)
    clash = (_TABLE.c.number == new.number) | ((_TABLE.c.lookup == lookup) & (_TABLE.c.status != REMOVED))
    if transaction.connection.execute(select(_TABLE.c.number).where(clash)).first() is not None:
        raise Refused(Code.ALREADY_DECIDED)  # one person has one role, one number is one person's for good
    transaction.connection.execute(
        insert(_TABLE).values(
            number=new.number,
            name=new.person.name,
            role=new.role,
            department=new.department,
            lookup=lookup,
            status=status,
            proposed_by=by,
            entry=-1,
        )
    )


def _activate(transaction: Transaction, number: str, *, by: str, confirmed_by: str = "") -> Member:
    new = member(transaction.connection, number)
    entry = transaction.append(
        StaffAdded(
            number=number,
            role=new.role,
            department=new.department,
            who=hashlib.sha256(new.lookup).hexdigest(),
            by=by,
            confirmed_by=confirmed_by,
        )
    )
    _set(transaction, number, status=ACTIVE, entry=entry)
    return member(transaction.connection, number)


def _remove(transaction: Transaction, going: Member, *, by: str, confirmed_by: str = "") -> Member:
    _set(transaction, going.number, status=REMOVED)
    transaction.connection.execute(tables.staff_session.delete().where(tables.staff_session.c.number == going.number))
    transaction.append(StaffRemoved(number=going.number, role=going.role, by=by, confirmed_by=confirmed_by))
    return member(transaction.connection, going.number)


def _set(transaction: Transaction, number: str, **values: Any) -> None:
    transaction.connection.execute(update(_TABLE).where(_TABLE.c.number == number).values(**values))


def _member(row: Row[Any]) -> Member:
    members = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row's mapping
    return Member(**{**members, "role": Role(row.role)})
