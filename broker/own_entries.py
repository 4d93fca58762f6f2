"""Entries of the log that concern one person: nothing else can be named by her pages, judged in the query."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, select

from audit import tables
from audit.search import Cursor, Wanted, newest
from policies.refusals import Code, Refused

_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,17}")
BEYOND: Final = 10**18
"""More than any log holds, and less than a database's integer."""


def read_index(text: str) -> int:
    """An index as an address writes it. Raises Refused(not_found)."""
    if not _INDEX.fullmatch(text):
        raise Refused(Code.NOT_FOUND)
    return int(text)


def own(connection: Connection, subject_ref: str, index: int) -> int:
    """The index, if its entry concerns this person. Raises Refused(not_found)."""
    hers = Wanted(subject_ref=subject_ref)
    if not 0 <= index < BEYOND or list(newest(connection, hers, 1, Cursor(index + 1))) != [index]:
        raise Refused(Code.NOT_FOUND)
    return index


def read_before(connection: Connection, subject_ref: str, text: str) -> Cursor | None:
    """Where a page of hers goes on, `?before=INDEX`: an entry of her own, or nothing. Raises Refused(not_found)."""
    return Cursor(own(connection, subject_ref, read_index(text))) if text else None


def entries(connection: Connection, indexes: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    """By index, what the entries say."""
    entry = tables.entry
    rows = connection.execute(select(entry.c.idx, entry.c.body).where(entry.c.idx.in_(indexes)))
    return {row.idx: json.loads(row.body) for row in rows}


def own_entry(connection: Connection, subject_ref: str, index: int) -> Mapping[str, Any]:
    """What an entry of hers says. Raises Refused(not_found)."""
    return entries(connection, [own(connection, subject_ref, index)])[index]
