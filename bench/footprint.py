"""python -m bench.footprint: the bytes that an exchange leaves in the database, on SQLite and on PostgreSQL.

A consent is asked for, signed and used three times, for four items of four departments; everything that this writes
counts, indexes too. Measured between two moments at rest, after a checkpoint and VACUUM.
"""

import argparse
import asyncio
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from sqlalchemy.engine import make_url

from connectors.departments.fleet import Fleet
from connectors.departments.people import XU
from tests.postgresql import Server, server
from tests.world import World, open_world

USES: Final = 3
WARM: Final = 30
"""Consents before the first moment: pages and tiles that are there from the beginning belong to nobody."""


def main() -> None:
    reading = argparse.ArgumentParser(description=__doc__)
    reading.add_argument("--consents", type=int, default=300)
    consents = reading.parse_args().consents
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="footprint-")))
        fleet = stack.enter_context(Fleet.start(folder / "departments"))
        postgresql = stack.enter_context(server())
        for name, database in (
            ("SQLite", "broker.db"),
            ("PostgreSQL", stack.enter_context(postgresql.database())),
        ):
            entries, grown = asyncio.run(_measure(folder / name, fleet, database, postgresql, consents))
            each = consents * USES
            sys.stdout.write(
                f"{name}: {grown / each:,.0f} bytes and {entries / each:.2f} entries an exchange ({each} exchanges)\n"
            )


async def _measure(folder: Path, fleet: Fleet, database: str, postgresql: Server, consents: int) -> tuple[int, int]:
    async with open_world(folder, fleet, database=database) as world:
        await _use(world, WARM)
        entries, before = len(world.events()), _size(world, postgresql)
        await _use(world, consents)
        return len(world.events()) - entries, _size(world, postgresql) - before


async def _use(world: World, consents: int) -> None:
    number = len(world.receipts)
    centre, phone = await world.centre(f"centre-{number}"), await world.phone(XU)
    for one in range(consents):
        case = f"YZ-{number}-{one}"
        consent = await world.grant(centre, phone, case=case)
        for _ in range(USES):
            reply = await world.pull(centre, consent, case=case)
            assert reply.status == 200, reply.members


def _size(world: World, postgresql: Server) -> int:
    database = world.broker.settings.database
    if isinstance(database, Path):
        with world.broker.database.reader.connect() as connection:
            pages, free, size = (
                connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("page_count", "freelist_count", "page_size")
            )
        return int((pages - free) * size)
    url = make_url(database.url).set(drivername="postgresql").render_as_string(hide_password=False)
    own = "relkind = 'r' AND relnamespace = 'public'::regnamespace"
    sizes = f"SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE {own}"
    return int(str(postgresql.execute("VACUUM FULL", sizes, url=url)[0][0]))


if __name__ == "__main__":
    main()
