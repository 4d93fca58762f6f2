"""What may be shown of a month's numbers, so that no small one can be read or worked out. Pure.

 1 small     a number that rests on fewer than `smallest` persons or cases is hidden
 2 sums      where a whole is the sum of its rows, what hides among them hides together, and beside each small number
             a large one, so that the small one may be anything; if need be the whole is hidden too
 3 the rest  no small number may be a combination of shown ones, in whatever tables they stand, even for somebody who
             knows which combinations of rows are empty: otherwise one more shown number is hidden, and back to 2

Months never share a relation: totals over months are made of shown numbers only.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

Name: TypeAlias = tuple[str, str]
"""A view, and a row of it."""
_PRIME: Final = (1 << 61) - 1


class State(StrEnum):
    SHOWN = "shown"
    SMALL = "small"
    """Rests on too few; it is told as "<5"."""
    WITHHELD = "withheld"
    """Large enough, but a small one could be worked out from it."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A number before it is judged."""

    n: int
    total: int
    support: int
    """On how many persons or cases it rests, whichever are fewer."""
    atoms: int
    """Which of the month's finest combinations it is the sum of, as a set of bits."""


@dataclass(slots=True)
class _Judgement:
    cells: Mapping[Name, Cell]
    groups: Sequence[Sequence[Name]]
    smallest: int
    small: frozenset[Name]
    hidden: set[Name]
    shared: Counter[Name]

    def is_large(self, name: Name) -> bool:
        """Whether a small neighbour can be anything without this one becoming small itself."""
        return name not in self.small and self.cells[name].n >= 2 * self.smallest - 2

    def protect(self, group: Sequence[Name]) -> bool:
        """Hide as many of a whole and its rows as step 2 asks; whether any had to be."""
        grown = False
        while 0 < len(shown := [one for one in group if one not in self.hidden]) < len(group):
            if self._is_enough([one for one in group if one in self.hidden]):
                break
            self.hidden.add(self._best(shown, group[0]))
            grown = True
        return grown

    def _is_enough(self, hidden: Sequence[Name]) -> bool:
        large = {one for one in hidden if self.is_large(one)}
        pressed = [one for one in hidden if one in self.small or self.shared[one] > 1]
        return len(hidden) > 1 and all(large - {one} for one in pressed)

    def _best(self, shown: Sequence[Name], whole: Name) -> Name:
        """A large row, the smallest of them; then the whole; then any row."""
        return min(shown, key=lambda one: (not self.is_large(one), one == whole, self.cells[one].n, one))

    def computable(self) -> Name | None:
        """A small number that is a combination of shown ones; None where there is none.

        Gram's matrix of the numbers as vectors over their atoms, with the shown ones eliminated: what then is left on
        the diagonal of another is its distance from their span. Modulo a prime, so that it is exact and quick.
        """
        shown = [one for one in self.cells if one not in self.hidden]
        names = shown + sorted(self.small)
        sets = [self.cells[one].atoms for one in names]
        rows = [[(one & other).bit_count() for other in sets] for one in sets]
        for pivot in range(len(shown)):
            if rows[pivot][pivot]:
                _eliminate(rows, pivot)
        return next((names[at] for at in range(len(shown), len(names)) if not rows[at][at]), None)

    def hide_beside(self, found: Name) -> None:
        """Hide the smallest shown number that shares something with it."""
        atoms = self.cells[found].atoms
        beside = [one for one, cell in self.cells.items() if one not in self.hidden and cell.atoms & atoms]
        self.hidden.add(min(beside, key=lambda one: (self.shared[one], self.cells[one].n, one)))


def judge(cells: Mapping[Name, Cell], groups: Sequence[Sequence[Name]], smallest: int) -> Mapping[Name, State]:
    """What becomes of each number. A group is a whole, first, and the rows that add up to it."""
    small = frozenset(name for name, cell in cells.items() if cell.support < smallest)
    shared = Counter(name for group in groups for name in group)
    judgement = _Judgement(cells, groups, smallest, small, set(small), shared)
    while True:
        while any([judgement.protect(group) for group in groups]):  # noqa: C419 - every group, not up to the first
            pass
        found = judgement.computable()
        if found is None:
            break
        judgement.hide_beside(found)
    return {name: _state(name, small, judgement.hidden) for name in cells}


def _state(name: Name, small: Collection[Name], hidden: Collection[Name]) -> State:
    if name in small:
        return State.SMALL
    return State.WITHHELD if name in hidden else State.SHOWN


def _eliminate(rows: list[list[int]], pivot: int) -> None:
    of_pivot = rows[pivot]
    inverse = pow(of_pivot[pivot], -1, _PRIME)
    for row in rows[pivot + 1 :]:
        if row[pivot]:
            factor = row[pivot] * inverse % _PRIME
            row[pivot:] = [
                (one - factor * other) % _PRIME for one, other in zip(row[pivot:], of_pivot[pivot:], strict=True)
            ]
