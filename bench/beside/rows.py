"""What is measured beside each other: a base row, and rows that differ from it in one thing each."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any, Final

from bench.plain.departments import ITEMS

SQLITE: Final = "SQLite"
POSTGRESQL: Final = "PostgreSQL"
AS_IT_IS: Final = "as it is"
TRACED: Final = "traced"
SLOW: Final = "slow"
RULES: Final = {"on": "rules decide", "off": "rules left out"}
MOST_ITEMS: Final = len(ITEMS)


@dataclass(frozen=True, slots=True)
class Setup:
    """Which processes stand: ours and the plain program's, each with a store of its own."""

    store: str = SQLITE
    processes: int = 1
    disk: str = AS_IT_IS
    rules: str = RULES["on"]
    """Of ours: whether step 5 is taken."""
    older: int = 0
    """Consents, exchanges and entries that ours held before."""

    @property
    def folder(self) -> str:
        return "-".join(map(str, astuple(self))).lower().replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Row:
    setup: Setup = Setup()
    items: int = 3
    delay_ms: int = 0
    """How late each department answers."""
    uses: int = 5
    """How often each consent is used."""

    @property
    def asked(self) -> tuple[str, ...]:
        return tuple(ITEMS)[: self.items]

    def words(self) -> tuple[str, ...]:
        """What it is, thing by thing."""
        setup = self.setup
        counted = (_counted(setup.processes, "process", "es"), _counted(self.items, "item", "s"))
        late, uses = f"departments at {self.delay_ms} ms", f"consents of {_counted(self.uses, 'use', 's')}"
        older = f"{setup.older:,} older consents and entries"
        return (setup.store, *counted, late, uses, setup.rules, older, f"disk {setup.disk}")

    def beside(self, base: "Row") -> str:
        """In what it differs from the base; the base itself in full."""
        differs = [mine for mine, its in zip(self.words(), base.words(), strict=True) if mine != its]
        return ", ".join(differs or self.words()[:_TOLD_OF_THE_BASE])

    def members(self) -> dict[str, Any]:
        setup = self.setup
        return {
            "store": setup.store,
            "processes": setup.processes,
            "disk": setup.disk,
            "rules": setup.rules,
            "older": setup.older,
            "items": self.items,
            "delay_ms": self.delay_ms,
            "uses": self.uses,
        }


_TOLD_OF_THE_BASE: Final = 5
"""Of the words: the rest is as one would think."""


def _counted(number: int, noun: str, plural: str) -> str:
    return f"{number} {noun}{'' if number == 1 else plural}"


def star(setups: Mapping[str, Sequence[Any]], others: Mapping[str, Sequence[Any]]) -> tuple[Row, ...]:
    """The first of each is the base; every further one makes a row that differs from it in that alone."""
    first = Setup(**{name: values[0] for name, values in setups.items()})
    base = Row(first, **{name: values[0] for name, values in others.items()})
    varied = [replace(base, **{name: value}) for name, values in others.items() for value in values[1:]]
    moved = [replace(first, **{name: value}) for name, values in setups.items() for value in values[1:]]
    return (base, *varied, *(replace(base, setup=setup) for setup in moved))
