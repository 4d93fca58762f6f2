"""Joint cases of two centres: hand over, ask for more, supply, return. Each centre asks the person itself.

The sender's case goes away -> (more -> away)* -> back, the receiver's here -> (more -> here)* -> finished. While
something is missing, both clocks stand still. Both cases have the same number.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select

from broker.desk import cases, pulling, tables
from broker.desk.cases import Case, NewCase, change
from broker.desk.parcels import ParcelBody, close, open_parcel
from broker.desk.partners import Partner
from broker.desk.refusals import Refused, Why
from broker.desk.sessions import Session
from broker.desk.wiring import Desk
from broker.desk.words import DECISIONS
from policies.identifiers import read_id_number, read_identifier
from policies.vocabulary import Person

LONGEST_NOTE: Final = 500
AWAY, HERE, MORE, BACK = "away", "here", "more", "back"


@dataclass(frozen=True, slots=True)
class Parcel:
    """One that was sent or taken in."""

    id: str
    partner: str
    kind: str
    outgoing: bool
    at: int
    note: str = field(repr=False)
    decision: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to be said to whom."""

    partner: Partner
    kind: str
    note: str = field(repr=False)
    members: Mapping[str, Any] = field(default_factory=dict, repr=False)


async def hand_over(desk: Desk, session: Session, case: Case, partner: str, note: str) -> None:
    """Give our own case to a partner, who asks the person anew."""
    if case.origin or case.joint not in {"", BACK} or case.stage == "decided":
        raise Refused(Why.WRONG_STAGE, case.stage)
    if partner not in desk.settings.partners:
        raise Refused(Why.INVALID, "partner")
    members = {
        "person": {"name": case.person.name, "id_number": case.person.id_number},
        "matter": case.matter,
        "due": case.due_at(desk.now()),
    }
    letter = Letter(desk.settings.partners[partner], "handover", note, members)
    await _send(desk, session, case, letter, joint=AWAY)


async def ask_for_more(desk: Desk, session: Session, case: Case, note: str) -> None:
    """Something is missing: the sender is to supply it."""
    _must_be(case, HERE, received=True)
    await _send(desk, session, case, Letter(_partner(desk, case), "more", note), joint=MORE, stopped=desk.now())


async def supply(desk: Desk, session: Session, case: Case, note: str) -> None:
    """What was missing is there."""
    _must_be(case, MORE, received=False)
    await _send(desk, session, case, Letter(_partner(desk, case), "supplied", note), joint=AWAY, **_running(case, desk))


async def give_back(desk: Desk, session: Session, case: Case, decision: str, note: str) -> None:
    """The receiver's end of it: decided here as any case, and told to the sender."""
    _must_be(case, HERE, MORE, received=True)
    keep = _closed(desk, session, case, Letter(_partner(desk, case), "return", note, {"decision": decision}))
    await pulling.decide(desk, session, case, decision, also=keep)


async def take_in(desk: Desk, session: Session, text: str) -> str:
    """The number of the case that a partner's parcel is about. Raises Refused."""
    settings = desk.settings
    body = open_parcel(text, settings.requester, settings.handover, settings.partners, desk.now())
    days = (await desk.offered()).days(body.matter)

    def work(connection: Connection) -> str:
        if connection.execute(select(tables.parcel.c.id).where(tables.parcel.c.id == body.jti)).first() is not None:
            raise Refused(Why.PARCEL_KNOWN)
        if body.kind == "handover":
            _begin(connection, desk, session, body, days)
        else:
            _go_on(connection, desk, body)
        parcel = Parcel(body.jti, body.iss, body.kind, False, desk.now(), body.note, body.decision)
        _keep(connection, desk, body.case, parcel, None)
        return body.case

    return await desk.store.run(work)


async def parcels_of(desk: Desk, case: Case) -> list[Parcel]:
    """The oldest first."""
    table = tables.parcel

    def work(connection: Connection) -> list[Parcel]:
        rows = connection.execute(select(table).where(table.c.case == case.number).order_by(table.c.at))
        return [_parcel(desk, row) for row in rows]

    return await desk.store.run(work)


async def text_of(desk: Desk, case: Case, parcel: str) -> str:
    """A parcel that was made here, as it is given to the other centre. Raises Refused(not_found)."""
    table = tables.parcel
    wanted = select(table.c.text).where(table.c.case == case.number, table.c.id == parcel)
    text = await desk.store.run(lambda connection: connection.execute(wanted).scalar_one_or_none())
    if text is None:
        raise Refused(Why.NOT_FOUND)
    return str(text)


async def _send(desk: Desk, session: Session, case: Case, letter: Letter, **values: Any) -> None:
    keep = _closed(desk, session, case, letter)

    def work(connection: Connection) -> None:
        keep(connection)
        change(connection, case.number, partner=letter.partner.requester, **values)

    await desk.store.run(work)


def _closed(desk: Desk, session: Session, case: Case, letter: Letter) -> Callable[[Connection], None]:
    """A parcel ready to be kept. Raises Refused(invalid_request) for a note that is none."""
    if not 0 < len(letter.note) <= LONGEST_NOTE:
        raise Refused(Why.INVALID, "note")
    own, now = desk.settings, desk.now()
    said = {"kind": letter.kind, "case": case.number, "note": letter.note, "operator": session.clerk.number}
    id_, text = close(said | dict(letter.members), own.key, own.requester, letter.partner, now)
    decision = str(letter.members.get("decision", ""))
    parcel = Parcel(id_, letter.partner.requester, letter.kind, True, now, letter.note, decision)
    return lambda connection: _keep(connection, desk, case.number, parcel, text)


def _keep(connection: Connection, desk: Desk, case: str, parcel: Parcel, text: str | None) -> None:
    said = {"note": parcel.note, "decision": parcel.decision}
    connection.execute(
        insert(tables.parcel).values(
            id=parcel.id,
            case=case,
            partner=parcel.partner,
            kind=parcel.kind,
            outgoing=int(parcel.outgoing),
            at=parcel.at,
            sealed_note=desk.settings.vault.seal(f"parcel/{parcel.id}", said),
            text=text,
        )
    )


def _begin(connection: Connection, desk: Desk, session: Session, body: ParcelBody, days: int) -> None:
    try:
        read_identifier(body.case, range(1, 65))
        person = Person(body.person.name, read_id_number(body.person.id_number)) if body.person else None
    except ValueError:
        person = None
    if person is None or not body.matter:
        raise Refused(Why.BAD_PARCEL)
    bundle = desk.catalogue.last is not None and body.matter in desk.catalogue.last.bundles
    new = NewCase(person, body.matter, bundle, days, body.case, body.iss, HERE)
    cases.start(connection, desk.settings, new, session, desk.now())
    if body.due:
        change(connection, body.case, due=body.due)


def _go_on(connection: Connection, desk: Desk, body: ParcelBody) -> None:
    """Only in the one case that this partner and we share under that number, and only from the step before."""
    table = tables.case
    shared = table.c.number == body.case, table.c.partner == body.iss, table.c.stage != "decided"
    number = connection.execute(select(table.c.number, table.c.clerk).where(*shared)).one_or_none()
    if number is None:
        raise Refused(Why.NOT_FOUND)
    case = cases.read(connection, desk.settings.vault, body.case)
    if body.kind == "more":
        _must_be(case, AWAY, received=False)
        change(connection, case.number, joint=MORE, stopped=desk.now())
    elif body.kind == "supplied":
        _must_be(case, MORE, received=True)
        change(connection, case.number, joint=HERE, **_running(case, desk))
    elif body.decision in DECISIONS:
        _must_be(case, AWAY, MORE, received=False)
        change(connection, case.number, joint=BACK, **_running(case, desk))
    else:
        raise Refused(Why.BAD_PARCEL)


def _running(case: Case, desk: Desk) -> dict[str, Any]:
    """The clock goes on where it stood."""
    return {"due": case.due_at(desk.now()), "stopped": None}


def _must_be(case: Case, *joint: str, received: bool) -> None:
    if case.joint not in joint or bool(case.origin) is not received or case.stage == "decided":
        raise Refused(Why.WRONG_STAGE, case.joint or case.stage)


def _partner(desk: Desk, case: Case) -> Partner:
    if case.partner not in desk.settings.partners:
        raise Refused(Why.INVALID, "partner")
    return desk.settings.partners[case.partner]


def _parcel(desk: Desk, row: Row[Any]) -> Parcel:
    said = desk.settings.vault.open(f"parcel/{row.id}", row.sealed_note)
    return Parcel(row.id, row.partner, row.kind, bool(row.outgoing), row.at, said["note"], said["decision"])
