"""A test department's own store: its records as JSON texts in an SQLite file, found by the id number it filed."""

import json
import os
import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

from connectors.identity import spellings


def own_secret(folder: Path, name: str) -> str:
    """Return the department's secret of this name; made when it is first asked for, readable by its owner only."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    if not file.exists():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(secrets.token_urlsafe(32))
    return file.read_text(encoding="utf-8").strip()


class RecordStore:
    """Filled once when the file is new, then only read."""

    def __init__(self, folder: Path, records: Iterable[tuple[str, Mapping[str, str]]]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(folder / "store.sqlite")
        with self._connection:
            self._connection.execute("CREATE TABLE IF NOT EXISTS record (filed_under TEXT, written TEXT)")
            self._connection.execute("CREATE INDEX IF NOT EXISTS by_number ON record (filed_under)")
            if self._connection.execute("SELECT 1 FROM record").fetchone() is None:
                rows = [(number, json.dumps(record, ensure_ascii=False)) for number, record in records]
                self._connection.executemany("INSERT INTO record VALUES (?, ?)", rows)

    def records(self, id_number: str) -> list[dict[str, str]]:
        """Return every record filed under any form of this number."""
        forms = spellings(id_number)
        marks = ", ".join("?" * len(forms))
        found = self._connection.execute(f"SELECT written FROM record WHERE filed_under IN ({marks})", forms)  # noqa: S608 - only question marks are put in
        return [json.loads(written) for (written,) in found]
