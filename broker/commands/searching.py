"""`broker audit search` and `reindex`: find entries by who, what and when; renew what searching goes by."""

import sys
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from audit import projection
from audit.batch import Transaction, format_time
from audit.events import LogRead
from audit.search import PAGE_LIMIT, Cursor, Hit, Page, Wanted, month, search
from broker.commands.console import AsJson, ConfigFile, failing_clearly, progress, show, storage_of, talk
from broker.commands.subjects import id_number_in
from broker.keys import read_keys
from broker.wiring import log_size
from consent.erasure import find_subject
from policies.identifiers import read_label
from policies.refusals import Code, Refused

Word = Annotated[str, typer.Option()]


def search_log(
    config: ConfigFile,
    person: Annotated[
        bool, typer.Option("--person", help='Entries about the person in {"id_number": ...} on standard input.')
    ] = False,
    requester: Word = "",
    operator: Word = "",
    desk: Annotated[str, typer.Option(help="Of a requester, an operator or a month: desks have no index.")] = "",
    item: Word = "",
    matter: Word = "",
    case: Word = "",
    in_month: Annotated[str, typer.Option("--month", help="Of UTC, as 2026-11.")] = "",
    event: Word = "",
    limit: Annotated[int, typer.Option(min=1, max=PAGE_LIMIT)] = 50,
    cursor: Annotated[str, typer.Option(help="Where the page before this one ended.")] = "",
    as_json: AsJson = False,
) -> None:
    """Entries that are all of this, the newest first. That it was searched, and by what, is itself in the log."""
    given = {"requester": requester, "operator": operator, "desk": desk, "item": item}
    given |= {"matter": matter, "case": case, "event": event}
    with failing_clearly(), storage_of(config) as (settings, storage):
        filters = {name: _label(name, text) for name, text in given.items() if text}
        since, before = month(in_month) if in_month else (None, None)
        after = Cursor.read(cursor) if cursor else None
        id_number = id_number_in(sys.stdin.read()) if person else None
        read = LogRead(
            filters=filters | ({"month": in_month} if in_month else {}) | ({"subject_ref": ""} if person else {})
        )
        storage.ledger.record(lambda transaction: transaction.append(read)).result()
        with storage.reader.begin() as connection:
            if id_number is not None:
                keys = read_keys(settings.secrets, settings.log_origin).subjects
                filters["subject_ref"] = find_subject(connection, keys, id_number)
            events = (filters.pop("event"),) if event else ()
            wanted = Wanted(**filters, events=events, since=since, before=before)
            page = search(connection, wanted, limit=limit, cursor=after)
    following = str(page.following) if page.following is not None else None
    show({"entries": [_members(hit) for hit in page.hits], "next": following}, as_json=as_json, table=_table(page))
    if following is not None and not as_json:
        talk.print(f"more: --cursor {following}")


def reindex(config: ConfigFile, as_json: AsJson = False) -> None:
    """Make the rows that searching goes by anew from the entries, piece by piece, while the broker may be running."""
    with failing_clearly(), storage_of(config) as (_, storage), progress("reindexing") as advance:
        with storage.reader.begin() as connection:
            size = log_size(connection)
        first: int | None = 0
        while first is not None:
            advance(first, size)
            first = storage.ledger.record(partial(_renew, first)).result().value
    show({"entries": size}, as_json=as_json)


def _renew(first: int, transaction: Transaction) -> int | None:
    return projection.rebuild(transaction.connection, first)


def _label(name: str, text: str) -> str:
    # What is looked for is recorded for good, so it must not be somebody's number
    try:
        return read_label(text)
    except ValueError as error:
        raise Refused(Code.INVALID_REQUEST, member=name) from error


def _members(hit: Hit) -> dict[str, Any]:
    return asdict(hit) | {"time": format_time(hit.time)}


def _table(page: Page) -> Table:
    table = Table("entry", "time\nevent", "requester\noperator", "matter\ncase", "items")
    for hit in page.hits:
        items = "\n".join(f"{line.item} {line.outcome}".strip() for line in hit.lines)
        pairs = ((format_time(hit.time), hit.event), (hit.requester, hit.operator), (hit.matter, hit.case))
        # Text, not str: a case's name must not be read as markup
        table.add_row(str(hit.index), *(Text("\n".join(pair)) for pair in pairs), Text(items))
    return table
