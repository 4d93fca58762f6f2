"""Somebody who has read every number shown, knows which rows are empty, and works out what is not shown.

Two ways, written apart from what hides: solving the equations exactly, and tightening bounds until nothing moves.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from broker.figures.hiding import Cell, Name, State

Row = dict[int, Fraction]


def solved(cells: Mapping[Name, Cell], states: Mapping[Name, State]) -> dict[Name, Fraction]:
    """Hidden small numbers that follow from the shown ones by adding and subtracting, whatever tables they stand in."""
    basis: list[tuple[int, Row, Fraction]] = []
    for name, cell in cells.items():
        if states[name] is State.SHOWN:
            row, value = _reduced(_row(cell), Fraction(cell.n), basis)
            if row:
                basis.append((min(row), row, value))
    found = {}
    for name, cell in cells.items():
        if states[name] is State.SMALL:
            row, value = _reduced(_row(cell), Fraction(0), basis)
            if not row:
                found[name] = -value
    return found


def _row(cell: Cell) -> Row:
    return {atom: Fraction(1) for atom in range(cell.atoms.bit_length()) if cell.atoms >> atom & 1}


def _reduced(row: Row, value: Fraction, basis: Sequence[tuple[int, Row, Fraction]]) -> tuple[Row, Fraction]:
    for pivot, other, its_value in basis:
        if factor := row.get(pivot, Fraction(0)) / other[pivot]:
            for atom, coefficient in other.items():
                row[atom] = row.get(atom, Fraction(0)) - factor * coefficient
            row = {atom: one for atom, one in row.items() if one}
            value -= factor * its_value
    return row, value


def bounds(
    cells: Mapping[Name, Cell], states: Mapping[Name, State], groups: Sequence[Sequence[Name]], smallest: int
) -> dict[Name, tuple[int, int]]:
    """Between what each small number must lie: every row is at least 1, what is withheld rests on enough."""
    most = sum(cell.n for cell in cells.values())
    low = {name: _least(name, cells, states, smallest) for name in states}
    high = {name: cells[name].n if states[name] is State.SHOWN else most for name in states}
    for name, state in states.items():
        if state is State.SMALL and cells[name].n < smallest:
            high[name] = smallest - 1  # "<5" is as good as told of a number that counts its own cases
    while True:
        before = (dict(low), dict(high))
        for whole, *parts in groups:
            low[whole] = max(low[whole], sum(low[one] for one in parts))
            high[whole] = min(high[whole], sum(high[one] for one in parts))
            for part in parts:
                rest = [one for one in parts if one != part]
                low[part] = max(low[part], low[whole] - sum(high[one] for one in rest))
                high[part] = min(high[part], high[whole] - sum(low[one] for one in rest))
        if (low, high) == before:
            return {name: (low[name], high[name]) for name, state in states.items() if state is State.SMALL}


def _least(name: Name, cells: Mapping[Name, Cell], states: Mapping[Name, State], smallest: int) -> int:
    if states[name] is State.SHOWN:
        return cells[name].n
    return 1 if states[name] is State.SMALL else smallest
