"""The figures follow from the log alone: counted on or counted anew they are the same, and they are right."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from audit.batch import Transaction
from broker import tables
from broker.figures import counting, publishing
from broker.figures.cases import Ground
from broker.figures.counting import Counting, begin_anew, count_on
from broker.figures.hiding import State
from broker.figures.places import Places
from broker.storage import Storage
from policies.catalogue import Catalogue
from tests.faults.ledger_file import LedgerFile, found, opened
from tests.figures.living import Life, plainly

CATALOGUE = Catalogue.load()
PLACES = Places(
    names={"yangzhou": ("扬州", "Yangzhou"), "beijing": ("北京", "Beijing")},
    requesters={"yz-hpf": "yangzhou"},
    departments={"taxation": "yangzhou"},
    routes={"beijing-fund": "beijing"},
    distances={frozenset({"yangzhou", "beijing"}): 1000},
)
COUNTING = Counting(Ground(CATALOGUE.matters, PLACES), 5)
START = 1_767_225_600_000_000
STEP = 24 * 3600 * 1_000_000
THINGS = 1000
TOGETHER = 10
"""Some entries each, commits a day or more apart: some months."""


@contextmanager
def life(folder: Path, url: str = "") -> Iterator[tuple[LedgerFile, Storage]]:
    if url:
        found(url)
    clock = count(START, STEP)
    with opened(folder, now=lambda: next(clock), url=url) as log:
        yield log, Storage(log.ledger, log.database.reader)


def go_on(log: LedgerFile, lived: Life, things: int) -> None:
    """So many things happen, up to ten in one commit."""

    def work(some: int, transaction: Transaction) -> None:
        for _ in range(some):
            lived.go_on(transaction)

    for first in range(0, things, TOGETHER):
        log.ledger.record(partial(work, min(TOGETHER, things - first))).result(20)


def count_all(storage: Storage, how: Counting = COUNTING) -> None:
    while count_on(storage, how):
        pass


def stored(log: LedgerFile) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table that the figures are kept in."""
    kept = (tables.figures_state, tables.figures_case, tables.figures_fact, tables.figure)
    with log.database.reader.begin() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
            for table in kept
        }


@pytest.mark.parametrize("seed", [1, 2])
def test_counted_on_and_counted_anew_are_the_same_and_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    with life(tmp_path) as (log, storage):
        lived, left = Life(chance), THINGS
        while left > 0:
            things = min(left, chance.choice((1, 5, 30, 120)))
            go_on(log, lived, things)
            left -= things
            monkeypatch.setattr(counting, "PIECE", chance.choice((1, 3, 17, 500)) if things < 40 else 500)
            for _ in range(chance.randint(0, 6)):
                count_on(storage, COUNTING)
        monkeypatch.setattr(counting, "PIECE", 500)
        count_all(storage)
        counted_on = stored(log)
        assert counted_on["broker_figures_state"][0][1] == len(log.entries()) - 1
        for piece in (500, 23):
            monkeypatch.setattr(counting, "PIECE", piece)
            begin_anew(storage, COUNTING)
            assert stored(log)["broker_figure"] == []
            count_all(storage)
            assert stored(log) == counted_on
        assert_right(log)


def assert_right(log: LedgerFile) -> None:
    """Each number is the plain way's, each small one is hidden, and nothing of the running month is told."""
    entries = log.entries()
    expected = plainly(entries)
    with log.database.reader.begin() as connection:
        told = {(one.month, one.table, one.row): one for one in publishing.every(connection)}
    months = sorted({name[0] for name in expected})
    assert len(months) >= 3
    assert {name[0] for name in told} == set(months[:-1])
    shown = 0
    for name, plain in expected.items():
        one = told.get(name)
        if one is None:
            assert (
                name[0] == months[-1] or plain.support < 5 or told[name[0], name[1].partition("/")[0], ""].count is None
            )
            continue
        assert (one.state is State.SMALL) == (plain.support < 5), name
        if one.state is State.SHOWN:
            assert one.count == plain.n, name
            assert one.total in (None, plain.total), name
            shown += 1
    assert shown >= 20


def test_a_changed_ground_counts_anew(tmp_path: Path) -> None:
    with life(tmp_path) as (log, storage):
        go_on(log, Life(random.Random(3)), 500)
        count_all(storage)
        before = stored(log)
        other = Counting(COUNTING.ground, 20)
        assert count_on(storage, other), "the first piece is to forget"
        assert stored(log)["broker_figure"] == []
        count_all(storage, other)
        assert stored(log)["broker_figure"] != before["broker_figure"]
        count_all(storage)
        assert stored(log) == before


def test_of_two_who_count_at_once_one_wins(tmp_path: Path) -> None:
    with life(tmp_path) as (log, storage):
        go_on(log, Life(random.Random(4)), 60)
        count_on(storage, COUNTING)
        with storage.reader.begin() as connection:
            before = counting._read(connection)
        counted = counting._count(before, COUNTING)
        for _ in range(2):
            log.ledger.record(lambda transaction: counting._write(transaction, counted)).result(20)
        twice = stored(log)
        begin_anew(storage, COUNTING)
        count_all(storage)
        assert stored(log)["broker_figures_fact"] == twice["broker_figures_fact"]


def test_it_appends_nothing_to_the_log(tmp_path: Path) -> None:
    with life(tmp_path) as (log, storage):
        go_on(log, Life(random.Random(5)), 40)
        size = len(log.entries())
        count_all(storage)
        assert len(log.entries()) == size


def test_it_is_the_same_on_postgresql(tmp_path: Path, postgresql_url: str) -> None:
    rows = []
    for folder, url in (("file", ""), ("server", postgresql_url)):
        (tmp_path / folder).mkdir()
        with life(tmp_path / folder, url) as (log, storage):
            go_on(log, Life(random.Random(6)), 500)
            count_all(storage)
            counted_on = stored(log)
            begin_anew(storage, COUNTING)
            count_all(storage)
            assert stored(log) == counted_on
            rows.append(counted_on["broker_figure"])
    assert rows[0] == rows[1] != []
