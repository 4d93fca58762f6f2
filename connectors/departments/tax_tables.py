"""Test department: the tax office (税务局) with a request table and a result table, and a worker that fills the second.

The database is the one whose URL stands in the store (SQLite, PostgreSQL, MariaDB), else a file there.
"""

import asyncio
import contextlib
import time
from typing import Any, Final

import sqlalchemy as sa
from starlette.applications import Starlette

from connectors.departments.exchange_database import COLUMNS, filed
from connectors.departments.lateness import Desk
from connectors.departments.people import somebody_else
from connectors.departments.serving import arguments, serve

URL_FILE: Final = "database.url"
FILE: Final = "tables.sqlite"
_LOOK_EVERY: Final = 0.1
_NO_DATA: Final = "01"
_REFUSED: Final = "20"

metadata = sa.MetaData()
requests = sa.Table(
    "cx_request",
    metadata,
    sa.Column("sqbh", sa.String(60), primary_key=True),
    sa.Column("zt", sa.String(1), nullable=False),
    sa.Column("cwdm", sa.String(10)),
    *(sa.Column(name, sa.String(100)) for name in ("xm", "zjh", "rq_q", "rq_z", "dw", "czr", "sx", "ywbh", "sqs")),
)
results = sa.Table(
    "cx_result",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("sqbh", sa.String(60), nullable=False, index=True),
    *(sa.Column(name, sa.String(200)) for name in COLUMNS),
)


class Worker:
    """Takes a row (1), answers it `seconds` later (2), or says why not (9)."""

    def __init__(self, engine: sa.Engine) -> None:
        self.desk = Desk()
        self._engine = engine
        self._due: dict[str, float] = {}

    async def work(self) -> None:
        """For ever."""
        while True:
            with contextlib.suppress(sa.exc.OperationalError):  # somebody locks the tables, or swaps them
                await asyncio.to_thread(self._round)
            await asyncio.sleep(_LOOK_EVERY)

    def _round(self) -> None:
        now = time.monotonic()
        with self._engine.begin() as connection:
            for row in connection.execute(sa.select(requests).where(requests.c.zt == "0")).all():
                self._due[row.sqbh] = now + self.desk.fault.seconds
                _set(connection, row.sqbh, zt="1")
            taken = connection.execute(sa.select(requests).where(requests.c.zt == "1")).all()
            for row in taken:
                if self._due.get(row.sqbh, 0) <= now and not self.desk.holds:
                    self._answer(connection, row)

    def _answer(self, connection: sa.Connection, row: Any) -> None:
        fault = self.desk.fault.fault
        if fault == "refused":
            _set(connection, row.sqbh, zt="9", cwdm=_REFUSED)
            return
        asked = somebody_else(row.zjh).person.id_number if fault == "not_hers" else row.zjh
        number = f"{row.sqbh}0" if fault == "not_hers" else row.sqbh
        limits = ((row.rq_q or "").replace("-", ""), (row.rq_z or "").replace("-", "") or "99999999")
        found = [one for one in filed(asked, fault) if limits[0] <= one[8] <= limits[1]]
        if not found:
            _set(connection, row.sqbh, zt="9", cwdm=_NO_DATA)
            return
        spoiled: dict[str, str | None] = {}
        if fault in {"wrong_schema", "truncated"}:
            spoiled = {"jkrq": "31/12/26"} if fault == "wrong_schema" else {"sjje": "12", "nsrsbh": row.zjh[:9]}
        for one in found:
            written = {"sqbh": number, **dict(zip(COLUMNS, one, strict=True)), **spoiled}
            connection.execute(sa.insert(results).values(written))
        _set(connection, row.sqbh, zt="2")


def _set(connection: sa.Connection, number: str, **values: str) -> None:
    connection.execute(sa.update(requests).where(requests.c.sqbh == number).values(**values))


def main() -> None:
    """Run until told to end."""
    given = arguments("test department: tax office by request and result tables")
    given.store.mkdir(parents=True, exist_ok=True)
    named = given.store / URL_FILE
    url = named.read_text(encoding="utf-8") if named.is_file() else f"sqlite:///{given.store / FILE}"
    engine = sa.create_engine(url, pool_pre_ping=True)
    metadata.create_all(engine)
    worker = Worker(engine)
    serve(Starlette(routes=worker.desk.routes), given, beside=worker.work)


if __name__ == "__main__":
    main()
