"""Test department: the tax office's front-end exchange database and the ways in which it goes wrong.

`exchange.sqlite` is rebuilt aside and swapped in under its name, as nightly batches do; `calls.sqlite` is the log into
which every reader writes its call before it reads.
"""

import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from connectors.departments.people import RESIDENTS, Home, Resident, somebody_else
from connectors.identity import canonical

DATA_FILE: Final = "exchange.sqlite"
CALLS_FILE: Final = "calls.sqlite"

COLUMNS: Final = ("cxzjh", "nsrmc", "nsrsbh", "dzsphm", "syzlwz", "cqmj", "jsje", "sjje", "jkrq", "lxdh", "sjgxsj")
_VIEWS: Final = {
    "none": "SELECT * FROM deed_tax",
    "wrong_schema": "SELECT cxzjh, nsrmc, nsrsbh AS sbh FROM deed_tax",
    "duplicates": "SELECT * FROM deed_tax UNION ALL SELECT * FROM deed_tax",
    "huge": "SELECT cxzjh, nsrmc, nsrsbh, dzsphm, hex(zeroblob(50000000)) AS syzlwz, cqmj,"
    " jsje, sjje, jkrq, lxdh, sjgxsj FROM deed_tax",
}
_FORWARDED: Final = ("call_id", "requester", "operator", "matter", "case_no", "consent")
_NAMES: Final = ("call", "requester", "operator", "matter", "case", "consent")
_KEPT_CALLS: Final = 1000


class ExchangeDatabase:
    """Owned by the one thread of the department's event loop."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._fault = "none"
        self._lock: sqlite3.Connection | None = None
        # stays open: the last connection's close would fold the write-ahead log back at every reader's call
        self._calls = sqlite3.connect(folder / CALLS_FILE, isolation_level=None)
        self._calls.execute("PRAGMA journal_mode=WAL")
        self._calls.execute(f"CREATE TABLE IF NOT EXISTS call_log ({', '.join(_FORWARDED)})")
        self.bend("none")

    def bend(self, fault: str) -> None:
        """Swap in a database with this fault; `slow` and `hang` lock a healthy one."""
        self.unlock()
        self._fault = fault
        data = self._folder / DATA_FILE
        if fault == "down":
            data.unlink(missing_ok=True)
            return
        self._swap_in()
        if fault == "truncated":
            os.truncate(data, data.stat().st_size // 2)
        if fault in {"slow", "hang"}:
            self._lock = sqlite3.connect(data, isolation_level=None)
            self._lock.execute("BEGIN EXCLUSIVE")

    def unlock(self) -> None:
        """Let readers in again."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def refresh(self) -> None:
        """Write the next batch, unless something is meant to be wrong."""
        if self._fault == "none":
            self._swap_in()

    def calls(self) -> dict[str, object]:
        """Return what `GET /calls` answers, the last call last."""
        (count,) = self._calls.execute("SELECT count(*) FROM call_log").fetchone()
        rows = self._calls.execute(
            f"SELECT {', '.join(_FORWARDED)} FROM call_log ORDER BY rowid DESC LIMIT {_KEPT_CALLS}"  # noqa: S608 - constants of this file
        ).fetchall()
        return {"count": count, "last": [dict(zip(_NAMES, row, strict=True)) for row in reversed(rows)]}

    def close(self) -> None:
        """Let go of both files."""
        self.unlock()
        self._calls.close()

    def _swap_in(self) -> None:
        aside = self._folder / f"{DATA_FILE}.new"
        aside.unlink(missing_ok=True)
        connection = sqlite3.connect(aside)
        with connection:
            connection.execute(f"CREATE TABLE deed_tax ({', '.join(COLUMNS)})")
            connection.execute("CREATE INDEX by_asked_number ON deed_tax (cxzjh)")
            marks = ", ".join("?" * len(COLUMNS))
            connection.executemany(f"INSERT INTO deed_tax VALUES ({marks})", self._rows())  # noqa: S608 - only question marks are put in
            if self._fault != "500":
                connection.execute(f"CREATE VIEW v_deed_tax AS {_VIEWS.get(self._fault, _VIEWS['none'])}")
        connection.close()
        aside.replace(self._folder / DATA_FILE)

    def _rows(self) -> Iterator[tuple[str, ...]]:
        if self._fault == "no_record":
            return
        batch = _batch(self._fault)
        for resident in RESIDENTS:
            for home in resident.homes:
                if home.tax_date:
                    yield _row(resident, home, self._fault, batch)


def filed(id_number: str, fault: str) -> Iterator[tuple[str, ...]]:
    """Yield the deed tax rows of this number, in the order of COLUMNS, as this fault spoils them."""
    for resident in RESIDENTS:
        if resident.person.id_number == canonical(id_number) and fault != "no_record":
            rows = [_row(resident, home, fault, _batch(fault)) for home in resident.homes if home.tax_date]
            yield from rows * (2 if fault == "duplicates" else 1)


def _batch(fault: str) -> str:
    age = timedelta(days=40 if fault == "stale" else 0)
    return (datetime.now(UTC) - age).strftime("%Y-%m-%d %H:%M:%S+00:00")


def _row(resident: Resident, home: Home, fault: str, batch: str) -> tuple[str, ...]:
    asked = resident.person.id_number
    about = somebody_else(asked).person if fault == "wrong_person" else resident.person
    digits = "".join(sign for sign in home.certificate if sign.isdigit())
    paid_on = {"garbled": "????????", "html": "<html><body>502</body></html>"}.get(
        fault, home.tax_date.replace("-", "")
    )
    return (
        asked,
        about.name,
        about.id_number,
        f"3321{digits}",
        home.location.replace("扬州市", "扬州市 "),
        home.area,
        home.taxable,
        home.tax_paid,
        paid_on,
        "",
        batch,
    )
