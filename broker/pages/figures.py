"""/figures: what the work comes to, in all and month by month; only numbers that may be shown, each with its rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from broker.api.figures import KEPT_SECONDS
from broker.api.wire import broker_of
from broker.figures import publishing
from broker.figures.drawing import Chart, chart
from broker.figures.hiding import State
from broker.figures.publishing import Figure, Report
from broker.pages.rendering import Language, language_of, public_page
from broker.plain_words import Words
from broker.wiring import Broker
from policies.refusals import Code, Refused

router = APIRouter(tags=["public"])

WHOLES: Final = ("call", "case", "paper", "trip", "answer_time", "case_time")
"""What stands first, as single numbers."""
TABLES: Final = (
    "call/department",
    "call/outcome",
    "call/item",
    "call/matter",
    "call/channel",
    "call/pair",
    "consent/act",
    "case/matter",
    "case/decision",
    "case/material",
    "case/errand",
    "case/meeting",
    "case/risk",
    "case/amount",
    "trip/distance",
)
ZEROS: Final = ("case/material", "case/errand", "case/meeting", "case/risk")
BY_CITY: Final = ("call/pair", "trip/distance")
HOUR: Final = 3_600_000
MINUTE: Final = 60_000
TEN_THOUSAND_YUAN: Final = 1_000_000
"""In fen."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row in the reader's language; `number` is what is read, `size` what is drawn."""

    name: str
    number: str
    size: int
    more: str
    """Its sum, where the table has one; of an average, the month."""


@dataclass(frozen=True, slots=True)
class Table:
    id: str
    title: str
    rule: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Reader:
    """How the numbers are told to one reader."""

    broker: Broker
    english: bool

    def say(self, words: Words) -> str:
        return words[self.english]

    def table(self, name: str, figures: Sequence[Figure]) -> Table:
        lines = [self.line(one) for one in figures]
        return Table(name.replace("/", "-"), self.say(publishing.title_of(name)), self._rule(name), lines)

    def line(self, one: Figure) -> Line:
        name = self.say(publishing.name_of(one, self.broker.catalogue, self.broker.settings.figures.places))
        return Line(name, self.number(one), one.size, self._sum(one))

    def number(self, one: Figure) -> str:
        """As it is read: "<5", "≥24", or why there is none."""
        if one.state is State.SMALL:
            return f"<{self.broker.settings.figures.smallest}"
        if one.state is State.WITHHELD:
            return self.say(("不显示", "not shown"))
        if one.count is None:
            return self._duration(one.total or 0)
        return f"{'≥' if one.at_least else ''}{one.count:,}"

    def _rule(self, name: str) -> str:
        return self.say(publishing.rule_of(name))

    def _sum(self, one: Figure) -> str:
        if one.total is not None and one.count is None:
            return one.month  # an average is the newest month's
        if not one.total:
            return ""
        if one.table == "trip/distance":
            return self.say((f"{one.total:,} 公里", f"{one.total:,} km"))
        return self.say((f"{one.total // TEN_THOUSAND_YUAN:,} 万元", f"{one.total / 100:,.0f} yuan"))

    def _duration(self, milliseconds: int) -> str:
        for unit, chinese, english in ((24 * HOUR, "天", "days"), (HOUR, "小时", "hours"), (MINUTE, "分钟", "minutes")):
            if milliseconds >= 2 * unit:
                return self.say((f"{milliseconds / unit:.1f} {chinese}", f"{milliseconds / unit:.1f} {english}"))
        return self.say((f"{milliseconds / 1000:.1f} 秒", f"{milliseconds / 1000:.1f} s"))


@router.get("/figures")
async def in_all(request: Request) -> Response:
    """All months added up."""
    return await _page(request, "")


@router.get("/figures/{month}")
async def of_month(request: Request, month: str) -> Response:
    """One month, which is over."""
    return await _page(request, month)


async def _page(request: Request, month: str) -> Response:
    broker = broker_of(request)

    def query(connection: Connection) -> tuple[Report, Sequence[Figure]]:
        return publishing.read(connection, month), publishing.by_month(connection, "call")

    report, months = await broker.storage.read(query)
    if month and month not in report.months:
        raise Refused(Code.NOT_FOUND)
    reader = Reader(broker, language_of(request) is Language.ENGLISH)
    departments = report.of("call/department")
    return public_page(
        "figures.html",
        request,
        seconds=KEPT_SECONDS,
        month=month,
        months=report.months,
        smallest=broker.settings.figures.smallest,
        wholes=[reader.table(name, [one]) for name in WHOLES if (one := report.whole(name)) is not None],
        tables=[reader.table(name, rows) for name in TABLES if (rows := report.of(name)) and _is_told(name, rows)],
        without_cities=not any(_is_told(name, report.of(name)) for name in BY_CITY),
        by_month=_drawn([(one.month, one) for one in months], reader),
        by_department=_drawn([(reader.line(one).name, one) for one in departments], reader),
        month_lines=[(one.month, reader.number(one)) for one in months],
    )


def _is_told(name: str, rows: Sequence[Figure]) -> bool:
    """Tables by city only where cities are known."""
    if name == "call/pair":
        return publishing.is_listed(rows)
    return name != "trip/distance" or any(one.row == "known" for one in rows)


def _drawn(rows: Sequence[tuple[str, Figure]], reader: Reader) -> Chart:
    return chart([(f"{name}  {reader.number(one)}", one.size) for name, one in rows])
