"""The figures as they are shown: month by month, and over months as sums of what is shown and of nothing else."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, select

from broker import tables
from broker.figures.hiding import State
from broker.figures.measures import MEASURES, SEPARATOR, WHOLE
from broker.figures.places import Places
from broker.figures.words import NOT_LISTED, ROWS, RULES, TITLES
from broker.plain_words import Words
from policies.catalogue import Catalogue

AVERAGED: Final = frozenset({"answer_time", "case_time"})
"""Of these only the average is told."""
SUMMED: Final[Mapping[str, str]] = {"trip/distance": "km", "case/amount": "fen"}
"""The tables whose sums are told, and in what."""
_BY_CATALOGUE: Final = ("department", "item", "matter")


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of one table, in one month or over all of them."""

    month: str
    table: str
    """A measure, and the view after a slash where it is not the whole."""
    row: str
    state: State
    count: int | None
    total: int | None
    """A sum in the table's own measure, an average in milliseconds; None where there is none."""
    at_least: bool = False
    """Whether some month's part of it is hidden."""

    @property
    def size(self) -> int:
        """By which rows are ordered and drawn."""
        return self.count or 0


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that may be shown. `months` are over and counted; the running one is not told."""

    months: Sequence[str]
    figures: Sequence[Figure]

    def of(self, table: str) -> Sequence[Figure]:
        """A table's rows, the largest first."""
        return sorted((one for one in self.figures if one.table == table), key=lambda one: (-one.size, one.row))

    def whole(self, table: str) -> Figure | None:
        return next((one for one in self.figures if one.table == table), None)


def read(connection: Connection, month: str = "") -> Report:
    """The figures of one month, or of all of them added up."""
    figures = list(every(connection))
    months = sorted({one.month for one in figures})
    if month:
        return Report(months, [one for one in figures if one.month == month])
    return Report(months, list(_over_months(figures)))


def every(connection: Connection) -> Iterator[Figure]:
    """Each number of each month, as it may be shown."""
    table = tables.figure
    query = select(table).order_by(table.c.month, table.c.measure, table.c.view, table.c.word)
    for row in connection.execute(query):
        name = row.measure if row.view == WHOLE else f"{row.measure}/{row.view}"
        yield _figure(row.month, name, row.word, State(row.state), (row.n, row.total))


def by_month(connection: Connection, name: str) -> Sequence[Figure]:
    """One table's whole in each month."""
    return [one for one in every(connection) if one.table == name]


def is_listed(figures: Iterable[Figure]) -> bool:
    """Whether a table by cities says anything: a city is known."""
    return any(one.row for one in figures)


def name_of(figure: Figure, catalogue: Catalogue, places: Places) -> Words:
    """What a row is called."""
    measure, _, view = figure.table.partition("/")
    if not view:
        return TITLES[figure.table]
    dimensions = next(one.dimensions for one in MEASURES[measure].views if one.name == view)
    words = figure.row.split(SEPARATOR)
    pairs = [_word(one, word, catalogue, places) for one, word in zip(dimensions, words, strict=True)]
    return "：".join(chinese for chinese, _ in pairs), ": ".join(english for _, english in pairs)


def title_of(table: str) -> Words:
    return TITLES[table]


def rule_of(table: str) -> Words:
    """How a table is counted."""
    return RULES.get(table) or RULES[table.partition("/")[0]]


def _figure(month: str, name: str, word: str, state: State, numbers: tuple[int, int]) -> Figure:
    if state is not State.SHOWN:
        return Figure(month, name, word, state, None, None)
    n, total = numbers
    if name in AVERAGED:
        return Figure(month, name, word, state, None, round(total / n))
    return Figure(month, name, word, state, n, total if name in SUMMED else None)


def _over_months(figures: Iterable[Figure]) -> Iterator[Figure]:
    rows: dict[tuple[str, str], list[Figure]] = defaultdict(list)
    for one in figures:
        rows[one.table, one.row].append(one)
    for (name, _), months in rows.items():
        shown = [one for one in months if one.state is State.SHOWN]
        if not shown:
            yield replace(months[0], month="", state=State.WITHHELD)
        elif name in AVERAGED:
            yield shown[-1]  # an average is told of the newest month, and says which
        else:
            total = sum(one.total or 0 for one in shown) if name in SUMMED else None
            count = sum(one.count or 0 for one in shown)
            yield replace(shown[0], month="", count=count, total=total, at_least=len(shown) < len(months))


def _word(dimension: str, word: str, catalogue: Catalogue, places: Places) -> Words:
    if dimension in _BY_CATALOGUE:
        named = getattr(catalogue, f"{dimension}s").get(word)
        return (named.name_zh, named.name_en) if named is not None else (word, word)
    if dimension == "pair":
        cities = [places.names.get(city, (city, city)) for city in word.split(">")]
        return (" → ".join(one[0] for one in cities), " → ".join(one[1] for one in cities)) if word else NOT_LISTED
    return ROWS[dimension].get(word, (word, word))
