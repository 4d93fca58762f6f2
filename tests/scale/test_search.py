"""Searching finds exactly what reading every entry finds, page by page, and by an index wherever one may search."""

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from audit.errors import SearchRefused
from audit.events import EVENTS, LogExported
from audit.search import PAGE_LIMIT, Cursor, Hit, Wanted, month, search
from broker.auditing.unusual_rows import read_month
from policies.workdays import MONDAY_TO_FRIDAY
from tests.faults.ledger_file import LedgerFile
from tests.postgresql import Server
from tests.scale.searched_log import (
    CASES,
    ITEMS,
    MATTERS,
    OPERATORS,
    PEOPLE,
    REQUESTERS,
    SIZE,
    START,
    STEP,
    Entry,
    scan,
    searched_log,
)

MOMENTS = st.none() | st.integers(START - STEP, START + SIZE * STEP)


def one_of(words: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.sampled_from(("", "", *words, "unheard-of"))


WANTED = st.builds(
    Wanted,
    subject_ref=one_of(PEOPLE),
    requester=one_of(REQUESTERS),
    operator=one_of(OPERATORS),
    matter=one_of(MATTERS),
    case=one_of(CASES),
    item=one_of(ITEMS),
    events=st.lists(st.sampled_from(sorted(EVENTS)), max_size=4, unique=True).map(tuple),
    since=MOMENTS,
    before=MOMENTS,
)


@pytest.fixture(scope="module")
def file_log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerFile]:
    with searched_log(tmp_path_factory.mktemp("searched")) as opened:
        yield opened


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def log(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerFile]:
    if request.param == "sqlite":
        yield request.getfixturevalue("file_log")
        return
    server: Server = request.getfixturevalue("postgresql")
    with server.database() as url, searched_log(tmp_path_factory.mktemp("searched"), url=url) as opened:
        yield opened


@pytest.fixture(scope="module")
def entries(log: LedgerFile) -> Sequence[Entry]:
    return log.entries()


def pages(log: LedgerFile, wanted: Wanted, limit: int) -> Iterator[tuple[Hit, ...]]:
    """All pages, each asked for by the text of the cursor before it."""
    cursor = None
    with log.database.reader.begin() as connection:
        for _ in range(SIZE + 1):
            page = search(connection, wanted, limit=limit, cursor=cursor)
            yield page.hits
            if page.following is None:
                return
            cursor = Cursor.read(str(page.following))
    raise AssertionError("the pages have no end")


@given(wanted=WANTED, limit=st.integers(1, 60))
@settings(max_examples=100, deadline=None)
def test_it_finds_what_a_scan_finds(log: LedgerFile, entries: Sequence[Entry], wanted: Wanted, limit: int) -> None:
    found = list(pages(log, wanted, limit))
    assert [hit.index for page in found for hit in page] == scan(entries, wanted)
    assert all(len(page) == limit for page in found[:-1])


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(subject_ref=PEOPLE[0]),
        Wanted(requester=REQUESTERS[0]),
        Wanted(operator=OPERATORS[0]),
        Wanted(matter=MATTERS[0]),
        Wanted(case=CASES[0]),
        Wanted(item=ITEMS[0]),
        Wanted(events=("log.exported",)),
    ],
)
def test_every_word_alone_finds_something_and_not_everything(
    log: LedgerFile, entries: Sequence[Entry], wanted: Wanted
) -> None:
    found = [hit.index for page in pages(log, wanted, PAGE_LIMIT) for hit in page]
    assert found == scan(entries, wanted)
    assert 0 < len(found) < SIZE


def test_a_month_of_unusual_rows_is_what_the_entries_say(log: LedgerFile, entries: Sequence[Entry]) -> None:
    since, before = month("2026-02")
    with log.database.reader.begin() as connection:
        found = read_month(connection, since, before, before, MONDAY_TO_FRIDAY)
    released = [row.entry for row in found.by_event["exchange.released"]]
    assert released == scan(entries, Wanted(events=("exchange.released",), since=since, before=before))[::-1]
    assert released


def test_a_hit_shows_all_lines_of_its_entry(log: LedgerFile, entries: Sequence[Entry]) -> None:
    hits = [hit for page in pages(log, Wanted(subject_ref=PEOPLE[0], item=ITEMS[0]), 50) for hit in page]
    assert any(len(hit.lines) > 2 for hit in hits)
    for hit in hits:
        results = entries[hit.index]["body"]["results"]
        assert [(line.subject_ref, line.item, line.outcome) for line in hit.lines] == [
            (result["subject_ref"], result["item"], result["outcome"]) for result in results
        ]


def test_a_month_is_of_utc_and_the_next_one_begins_where_it_ends(log: LedgerFile, entries: Sequence[Entry]) -> None:
    months = [month(f"2026-{number:02}") for number in range(1, 13)]
    assert months[0][0] == START
    assert all(before[1] == after[0] for before, after in pairwise(months))
    counts = [len(scan(entries, Wanted(since=since, before=before))) for since, before in months]
    found = [sum(map(len, pages(log, Wanted(since=since, before=before), PAGE_LIMIT))) for since, before in months]
    assert found == counts
    assert sum(1 for count in counts if count) >= 5


def test_entries_appended_between_pages_shift_nothing(tmp_path: Path) -> None:
    wanted = Wanted(events=("log.exported",))
    with searched_log(tmp_path, 60) as log:
        expected = scan(log.entries(), wanted)
        with log.database.reader.begin() as connection:
            first = search(connection, wanted, limit=3)
        log.ledger.record(lambda transaction: transaction.append(LogExported(size=2))).result(20)
        with log.database.reader.begin() as connection:
            second = search(connection, wanted, limit=3, cursor=first.following)
    assert len(expected) > 6
    assert [hit.index for hit in (*first.hits, *second.hits)] == expected[:6]


@given(below=st.integers(0, 2**63 - 1))
def test_a_cursor_survives_being_text(below: int) -> None:
    assert Cursor.read(str(Cursor(below))) == Cursor(below)


@given(text=st.text(max_size=14) | st.text("AQgw_-=\n +/", min_size=9, max_size=13))
def test_no_other_text_is_a_cursor(text: str) -> None:
    with contextlib.suppress(SearchRefused):
        assert str(Cursor.read(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AAAAAAAAAAA=",
        "AAAAAAAAAAB",
        "A" * 10,
        "A" * 12,
        "_________-8",
        "AAAA AAAAAAA",
        "0 OR 1=1",
        "Ａ" * 11,
    ],
)
def test_a_malformed_cursor_is_refused(text: str) -> None:
    with pytest.raises(SearchRefused) as refused:
        Cursor.read(text)
    assert refused.value.part == "cursor"


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-00", "2026-13", "2026-1", "26-01", " 2026-01", "2026-01\n", "２０２６-01"]
)
def test_a_malformed_month_is_refused(text: str) -> None:
    with pytest.raises(SearchRefused) as refused:
        month(text)
    assert refused.value.part == "month"


@pytest.mark.parametrize("limit", [0, -1, PAGE_LIMIT + 1])
def test_a_page_is_bounded(log: LedgerFile, limit: int) -> None:
    with log.database.reader.begin() as connection, pytest.raises(SearchRefused) as refused:
        search(connection, Wanted(), limit=limit)
    assert refused.value.part == "limit"


BY_INDEX: list[tuple[Wanted, str]] = [
    (Wanted(subject_ref=PEOPLE[0]), "audit_index_subject (subject_ref=?"),
    (Wanted(requester=REQUESTERS[0]), "audit_index_requester (requester=?"),
    (Wanted(operator=OPERATORS[0]), "audit_index_operator (operator=?"),
    (Wanted(item=ITEMS[0]), "audit_index_item (item=?"),
    (Wanted(case=CASES[0], matter=MATTERS[0]), "audit_index_case (case=?"),
    (Wanted(events=("log.exported",)), "audit_index_event (event=?"),
    (Wanted(requester=REQUESTERS[0], case=CASES[0], events=("log.exported",)), "audit_index_case (case=?"),
    (Wanted(requester=REQUESTERS[0], operator=OPERATORS[0], item=ITEMS[0]), "audit_index_operator (operator=?"),
    (Wanted(requester=REQUESTERS[0], item=ITEMS[0], events=("log.forked",)), "audit_index_event (event=?"),
    (Wanted(requester="unheard-of", events=("log.exported",)), "audit_index_requester (requester=?"),
    (Wanted(requester=REQUESTERS[0], subject_ref=PEOPLE[0]), "audit_index_subject (subject_ref=?"),
]


@pytest.mark.parametrize(("wanted", "index"), BY_INDEX)
@pytest.mark.parametrize("in_month", [False, True])
def test_the_rarest_word_is_looked_up_and_nothing_is_sorted(
    file_log: LedgerFile, wanted: Wanted, index: str, in_month: bool
) -> None:
    if in_month:
        since, before = month("2026-02")
        wanted = replace(wanted, since=since, before=before)
    *_, found, shown = plans(file_log, wanted)
    assert f"INDEX {index}" in found
    assert not {"TEMP B-TREE", "SCAN"} & set(re.findall("TEMP B-TREE|SCAN", found)), found
    assert shown.startswith("SEARCH audit_index USING INDEX")


def test_a_month_alone_reads_its_own_range(file_log: LedgerFile) -> None:
    since, before = month("2026-02")
    *_, found, _ = plans(file_log, Wanted(since=since, before=before))
    assert re.search(r"\(idx>\? AND idx<\?\)$", found), found


def plans(log: LedgerFile, wanted: Wanted) -> list[str]:
    """How SQLite does each statement of a search, in order."""
    told: list[str] = []
    statements: list[tuple[str, Any]] = []

    def keep(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements.append((statement, parameters))

    with log.database.reader.begin() as connection:
        event.listen(connection, "before_cursor_execute", keep)
        search(connection, wanted)
        event.remove(connection, "before_cursor_execute", keep)
        for statement, parameters in statements:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            told.append(" / ".join(row[3] for row in rows))
    return told
