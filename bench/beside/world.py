"""What stands while it is measured: of every setup our broker and the plain program, over the same departments."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from bench.beside.departments import Departments
from bench.beside.older import fill
from bench.beside.rows import AS_IT_IS, POSTGRESQL, RULES, SLOW, TRACED, Setup
from bench.databases import on_postgresql
from bench.plain.app import Configuration
from bench.plain.departments import Address
from bench.plain.tables import found
from bench.processes import Founding, Processes, children, pids, ports, ready, running
from bench.requester import MATTER
from bench.tracing import TRACED as UNDER_STRACE
from bench.tracing import slowed, whats_missing
from broker.founding import CONFIGURATION
from broker.settings import read_settings
from policies.catalogue import SHIPPED_CATALOGUE, Catalogue

MOST_USES: Final = 5
"""Of one consent: the shipped catalogue grants fewer, so a copy of it stands here."""


@dataclass(frozen=True, slots=True)
class Sides:
    """The two that are compared."""

    ours: Processes
    plain: Processes
    plain_database: str


@dataclass(frozen=True, slots=True)
class World:
    sides: Mapping[Setup, Sides]
    departments: Departments


@contextmanager
def databases(
    setups: Sequence[Setup], folder: Path, tell: Callable[[str], None]
) -> Iterator[Mapping[Setup, tuple[str, str]]]:
    """Of every setup ours and the plain program's; what cannot be had here is left out and said."""
    missing = whats_missing() if any(setup.disk != AS_IT_IS for setup in setups) else ""
    if missing:
        tell(f"[yellow]NOT MEASURED slow disk[/yellow]: {missing}")
    possible = [setup for setup in setups if setup.disk == AS_IT_IS or not missing]
    urls = {setup: _files(folder / setup.folder) for setup in possible if setup.store != POSTGRESQL}
    served = [setup for setup in possible if setup.store == POSTGRESQL]
    with ExitStack() as stack:
        try:
            made = stack.enter_context(on_postgresql(2 * len(served))) if served else []
            urls |= {setup: (made[2 * number], made[2 * number + 1]) for number, setup in enumerate(served)}
        except pytest.skip.Exception as absent:
            tell(f"[yellow]NOT MEASURED on PostgreSQL[/yellow]: {absent}")
        yield {setup: urls[setup] for setup in possible if setup in urls}


def _files(folder: Path) -> tuple[str, str]:
    folder.mkdir(parents=True)
    return "broker.db", f"sqlite+aiosqlite:///{folder / 'plain.db'}"


@contextmanager
def opened(
    urls: Mapping[Setup, tuple[str, str]],
    folder: Path,
    asked: Departments,
    fsync_ms: float,
    tell: Callable[[str], None],
) -> Iterator[World]:
    """The processes of every setup, ready. Raises RunFailed."""
    with ExitStack() as stack:
        catalogue, beside_us = _catalogue(folder), children()
        sides = {}
        for setup, (our_database, plain_database) in urls.items():
            decided = setup.rules == RULES["on"]
            founding = Founding(asked.routes, asked.secrets, our_database, catalogue, decided)
            place = _Place(folder / setup.folder, setup.processes, beside_us, _under(setup, fsync_ms))
            ours = stack.enter_context(running(place.folder / "ours", founding, beside_us, place.count, place.under))
            if setup.older:
                fill(ours.folder, setup.older, tell)
            plain = stack.enter_context(_plain(place, ours, plain_database, asked.addresses))
            sides[setup] = Sides(ours, plain, plain_database)
        yield World(sides, asked)


def _under(setup: Setup, fsync_ms: float) -> tuple[str, ...]:
    return {AS_IT_IS: (), TRACED: UNDER_STRACE, SLOW: slowed(fsync_ms)}[setup.disk]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where and how the processes of a setup run."""

    folder: Path
    count: int
    departments: tuple[int, ...]
    under: tuple[str, ...]


@contextmanager
def _plain(place: _Place, ours: Processes, database: str, addresses: Mapping[str, Address]) -> Iterator[Processes]:
    """The plain program: it takes tokens that are meant for ours, and asks the same departments."""
    issuer = read_settings(ours.folder / CONFIGURATION).issuer
    configuration = Configuration(database=database, issuer=issuer, departments=dict(addresses))
    file = place.folder / "plain.json"
    file.touch(mode=0o600)
    file.write_text(configuration.model_dump_json(), encoding="utf-8")
    found(database)
    words = [[str(file)]] * place.count
    with ready("bench.plain.server", words, place.folder / "plain", place.under) as started:
        yield Processes(place.folder, pids(started), place.departments, ports(started))


def _catalogue(folder: Path) -> Path:
    copy = folder / "catalogue"
    shutil.copytree(SHIPPED_CATALOGUE, copy)
    file = copy / "matters" / f"{MATTER}.yaml"
    text = file.read_text(encoding="utf-8")
    uses = Catalogue.load().matters[MATTER].uses
    file.write_text(text.replace(f"\nuses: {uses}\n", f"\nuses: {MOST_USES}\n"), encoding="utf-8")
    return copy
