"""The projection is worth nothing by itself: made anew from the entries it is, row by row, what the ledger wrote."""

from pathlib import Path
from typing import ClassVar

import pytest

from audit import projection
from audit.batch import Transaction
from audit.event import Event
from audit.events import LogExported, RequesterSuspended
from tests.faults.ledger_file import LedgerFile
from tests.scale.searched_log import searched_log, stored

DAMAGE = [
    "DELETE FROM audit_index",
    "DELETE FROM audit_index WHERE idx % 3 = 0",
    "UPDATE audit_index SET subject_ref = 'nobody', requester = ''",
    "UPDATE audit_index SET line = line + 7",
    (
        "INSERT INTO audit_index SELECT idx + 100000, line, time, event, requester, subject_ref, operator, matter,"
        ' "case", item, outcome, desk FROM audit_index'
    ),
]


class Unheard(Event, frozen=True, kw_only=True):
    """Defined after the list was closed, as in a log written by a later program."""

    NAME: ClassVar[str] = "thing.unheard"
    detail: str


class Earlier(Event, frozen=True, kw_only=True):
    """A known name with the members that it had once."""

    NAME: ClassVar[str] = "log.exported"
    entries: str


def rebuild(log: LedgerFile, between: Event | None = None) -> int:
    """All pieces, each through the one door as the command does it; how many there were."""
    pieces, first = 1, _rebuild(log, 0)
    while first is not None:
        if between is not None:
            append(log, between)
        pieces, first = pieces + 1, _rebuild(log, first)
    return pieces


def _rebuild(log: LedgerFile, first: int) -> int | None:
    return log.ledger.record(lambda transaction: projection.rebuild(transaction.connection, first)).result(20).value


def append(log: LedgerFile, event: Event) -> None:
    log.ledger.record(lambda transaction: transaction.append(event)).result(20)


def damage(log: LedgerFile, statement: str) -> None:
    def work(transaction: Transaction) -> None:
        transaction.connection.exec_driver_sql(statement)

    log.ledger.record(work).result(20)


@pytest.mark.parametrize("piece", [7, 40, 80, 2000])
@pytest.mark.parametrize("statement", DAMAGE)
def test_whatever_was_done_to_it_is_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str, piece: int
) -> None:
    monkeypatch.setattr(projection, "PIECE", piece)
    with searched_log(tmp_path, 80) as log:
        before = stored(log)
        damage(log, statement)
        assert stored(log) != before
        assert rebuild(log) == -(-80 // piece)
        assert stored(log) == before


def test_entries_appended_meanwhile_keep_their_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projection, "PIECE", 10)
    with searched_log(tmp_path, 80) as log:
        damage(log, "UPDATE audit_index SET requester = 'nobody'")
        assert rebuild(log, between=RequesterSuspended(requester="late")) > 8
        rows = stored(log)
        assert not [row for row in rows if "nobody" in row]
        assert sum("late" in row for row in rows) == len(log.entries()) - 80 > 0
        assert rebuild(log) > 0
        assert stored(log) == rows


def test_events_that_are_unknown_or_of_another_shape_have_one_plain_row(tmp_path: Path) -> None:
    with searched_log(tmp_path, 20) as log:
        for event in (Unheard(detail="new"), Earlier(entries="many"), LogExported(size=1)):
            append(log, event)
        before = stored(log)
        assert [row[:2] + row[3:] for row in before[-3:]] == [
            (index, 0, name, *[""] * 8)
            for index, name in ((20, "thing.unheard"), (21, "log.exported"), (22, "log.exported"))
        ]
        damage(log, "DELETE FROM audit_index")
        rebuild(log)
        assert stored(log) == before


def test_an_empty_log_has_no_rows(tmp_path: Path) -> None:
    with searched_log(tmp_path, 0) as log:
        assert rebuild(log) == 1
        assert stored(log) == []
