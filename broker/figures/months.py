"""A month's facts added up into the rows that may be shown. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from broker.figures.hiding import Cell, Name, State, judge
from broker.figures.measures import MEASURES, SEPARATOR, WHOLE, Fact, Measure


@dataclass(frozen=True, slots=True)
class Row:
    """A number as everybody may see it: 0 unless its state is `shown`."""

    measure: str
    view: str
    word: str
    state: State
    n: int
    total: int


@dataclass(slots=True)
class _Sum:
    n: int = 0
    total: int = 0
    cases: set[str] = field(default_factory=set)
    persons: set[str] = field(default_factory=set)
    atoms: int = 0

    def add(self, fact: Fact, atom: int) -> None:
        self.n += fact.n
        self.total += fact.total
        self.cases.add(fact.of_case)
        self.persons.add(fact.subject_ref)
        self.atoms |= 1 << atom

    def cell(self) -> Cell:
        return Cell(self.n, self.total, min(len(self.cases), len(self.persons)), self.atoms)


def add_up(facts: Iterable[Fact], smallest: int) -> Iterator[Row]:
    """The rows of one month."""
    by_measure: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        by_measure[fact.measure].append(fact)
    for name in sorted(by_measure):
        measure = MEASURES[name]
        cells = sum_up(measure, by_measure[name])
        groups = list(groups_of(measure, cells))
        states = judge(cells, groups, smallest)
        for view, word in sorted(told(groups, states)):
            cell, state = cells[view, word], states[view, word]
            shown = state is State.SHOWN
            yield Row(name, view, word, state, cell.n if shown else 0, cell.total if shown else 0)


def told(groups: Iterable[Sequence[Name]], states: Mapping[Name, State]) -> set[Name]:
    """The rows that are told at all: of a hidden number that shows nothing of itself, not even how many rows it has."""
    shown = {name for name, state in states.items() if state is State.SHOWN}
    untold = {part for group in groups if shown.isdisjoint(group) for part in group[1:]}
    return set(states) - untold


def sum_up(measure: Measure, facts: Iterable[Fact]) -> Mapping[Name, Cell]:
    """A measure's numbers, each view's rows and the whole."""
    sums: dict[Name, _Sum] = defaultdict(_Sum)
    atoms: dict[tuple[str, ...], int] = {}
    for fact in facts:
        atom = atoms.setdefault(fact.key, len(atoms))
        if measure.has_whole:
            sums[WHOLE, ""].add(fact, atom)
        for view in measure.views:
            sums[view.name, measure.word(view, fact.key)].add(fact, atom)
    return {name: one.cell() for name, one in sums.items()}


def groups_of(measure: Measure, cells: Mapping[Name, Cell]) -> Iterator[list[Name]]:
    """Each whole with the rows that add up to it."""
    if not measure.has_whole:
        return
    for view in measure.views:
        rows: dict[Name, list[Name]] = defaultdict(list)
        for name in sorted(cells):
            if name[0] == view.name:
                rows[(view.parent, name[1].partition(SEPARATOR)[0]) if view.parent else (WHOLE, "")].append(name)
        yield from ([whole, *parts] for whole, parts in rows.items())
