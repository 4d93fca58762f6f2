"""Cases: one person's matter at this centre, whose it is, how far it has come and by when it has to be decided."""

from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, and_, func, insert, or_, select, update

from broker.desk import tables
from broker.desk.clerks import Clerk
from broker.desk.refusals import Refused, Why
from broker.desk.sessions import Session
from broker.desk.settings import DeskSettings
from broker.desk.vault import Vault
from broker.desk.words import STAGES
from broker.moments import day_of
from policies.identifiers import read_identifier
from policies.vocabulary import Person

DAY: Final = 24 * 3600
PAGE: Final = 50
OPEN: Final = tuple(stage for stage in STAGES if stage != "decided")
_WIDTH: Final = 6


@dataclass(frozen=True, slots=True)
class Case:
    """A case's row at one moment, with the person unsealed."""

    number: str
    clerk: str
    desk: str
    matter: str
    """The catalogue's matter or, where `bundle`, its bundle."""
    bundle: bool
    person: Person = field(repr=False)
    stage: str
    started: int
    due: int
    stopped: int | None
    """Since when the clock stands still, because something is missing."""
    request: str | None
    request_status: str | None
    request_expires: int | None
    link: dict[str, str] | None = field(repr=False)
    """`consent_url` and `user_code`, while the person is asked."""
    origin: str
    """The centre that handed it over to us; empty for our own."""
    partner: str
    joint: str
    decision: str | None
    decided: int | None
    rating: int | None

    def due_at(self, now: int) -> int:
        return self.due if self.stopped is None else self.due + now - self.stopped

    def must_be(self, *stages: str) -> None:
        """Raises Refused(wrong_stage)."""
        if self.stage not in stages:
            raise Refused(Why.WRONG_STAGE, self.stage)


@dataclass(frozen=True, slots=True)
class NewCase:
    """What a case begins with. `number` only where another centre has given it one."""

    person: Person = field(repr=False)
    matter: str
    bundle: bool
    days: int
    number: str = ""
    origin: str = ""
    joint: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of her cases a clerk wants to see."""

    stage: str = ""
    number: str = ""
    after: tuple[int, str] | None = None


def start(connection: Connection, settings: DeskSettings, new: NewCase, session: Session, now: int) -> str:
    """The new case's number. Raises Refused(case_known) where another centre's number is here already."""
    number = new.number or _next_number(connection, settings.case_prefix, day_of(now).year)
    vault = settings.vault
    if connection.execute(select(tables.case.c.number).where(tables.case.c.number == number)).first() is not None:
        raise Refused(Why.CASE_KNOWN)
    read_identifier(number, range(1, 65))
    connection.execute(
        insert(tables.case).values(
            number=number,
            clerk=session.clerk.number,
            desk=session.desk,
            matter=new.matter,
            bundle=int(new.bundle),
            sealed_person=vault.seal(f"person/{number}", [new.person.name, new.person.id_number]),
            person_tag=tag_of(vault, new.person),
            stage="started",
            started=now,
            due=now + max(new.days, 1) * DAY,
            origin=new.origin,
            partner=new.origin,
            joint=new.joint,
        )
    )
    return number


def find(connection: Connection, vault: Vault, number: str, clerk: Clerk) -> Case:
    """Her own case. Raises Refused(not_found): a colleague's looks like none at all."""
    mine = tables.case.c.number == number, tables.case.c.clerk == clerk.number
    row = connection.execute(select(tables.case).where(*mine)).one_or_none()
    if row is None:
        raise Refused(Why.NOT_FOUND)
    return _read(row, vault)


def read(connection: Connection, vault: Vault, number: str) -> Case:
    """Whoever's case it is, for what another centre says of it."""
    return _read(connection.execute(select(tables.case).where(tables.case.c.number == number)).one(), vault)


def of_person(connection: Connection, vault: Vault, person: Person) -> list[Case]:
    """What is open for this person at this centre, whoever's case it is."""
    where = tables.case.c.person_tag == tag_of(vault, person), tables.case.c.stage.in_(OPEN)
    rows = connection.execute(select(tables.case).where(*where).order_by(tables.case.c.due))
    return [_read(row, vault) for row in rows]


def work_list(connection: Connection, vault: Vault, clerk: Clerk, wanted: Wanted, most: int = PAGE) -> list[Case]:
    """Her cases by clock, the most urgent first; what is finished is listed only where it is asked for."""
    rows = connection.execute(_listing(clerk, wanted).limit(most))
    return [_read(row, vault) for row in rows]


def most_used(connection: Connection) -> dict[str, int]:
    """How often each matter was started here: what is proposed first."""
    rows = connection.execute(select(tables.case.c.matter, func.count()).group_by(tables.case.c.matter))
    return {row[0]: row[1] for row in rows}


def change(connection: Connection, number: str, **values: Any) -> None:
    connection.execute(update(tables.case).where(tables.case.c.number == number).values(**values))


def assign(connection: Connection, number: str, clerk: Clerk) -> None:
    """Give a case to a colleague, as when its clerk is ill. Raises Refused(not_found)."""
    changed = connection.execute(update(tables.case).where(tables.case.c.number == number).values(clerk=clerk.number))
    if not changed.rowcount:
        raise Refused(Why.NOT_FOUND)


def tag_of(vault: Vault, person: Person) -> str:
    return vault.tag("id_number", person.id_number)


def _listing(clerk: Clerk, wanted: Wanted) -> Select[Any]:
    table = tables.case
    chosen = table.c.stage == wanted.stage if wanted.stage else table.c.stage.in_(OPEN)
    statement = select(table).where(table.c.clerk == clerk.number, chosen).order_by(table.c.due, table.c.number)
    if wanted.number:
        statement = statement.where(table.c.number.contains(wanted.number, autoescape=True))
    if wanted.after is not None:
        due, number = wanted.after
        statement = statement.where(or_(table.c.due > due, and_(table.c.due == due, table.c.number > number)))
    return statement


def _next_number(connection: Connection, prefix: str, year: int) -> str:
    table = tables.numbering
    last = connection.execute(select(table.c.last).where(table.c.year == year)).scalar_one_or_none()
    if last is None:
        connection.execute(insert(table).values(year=year, last=1))
    else:
        connection.execute(update(table).where(table.c.year == year).values(last=last + 1))
    return f"{prefix}-{year}-{(last or 0) + 1:0{_WIDTH}d}"


def _read(row: Row[Any], vault: Vault) -> Case:
    name, id_number = vault.open(f"person/{row.number}", row.sealed_person)
    return Case(
        number=row.number,
        clerk=row.clerk,
        desk=row.desk,
        matter=row.matter,
        bundle=bool(row.bundle),
        person=Person(name, id_number),
        stage=row.stage,
        started=row.started,
        due=row.due,
        stopped=row.stopped,
        request=row.request,
        request_status=row.request_status,
        request_expires=row.request_expires,
        link=vault.open(f"link/{row.number}", row.sealed_link) if row.sealed_link else None,
        origin=row.origin,
        partner=row.partner,
        joint=row.joint,
        decision=row.decision,
        decided=row.decided,
        rating=row.rating,
    )
