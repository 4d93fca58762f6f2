"""kill -9 while a department still owes its answer: another process carries on, and nothing leaves unrecorded."""

import asyncio
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import aiohttp
from sqlalchemy import func, select

from audit import verify
from broker import tables
from broker.client import RequesterClient
from broker.database import open_database
from broker.demo.phone import Phone, ticket_of
from connectors.departments.fleet import Fleet
from connectors.departments.late_fleet import LateFleet
from connectors.departments.people import XU
from tests.faults.serving import CASE, Folder, Process, found, pull_members, signed_in
from tests.late.world import until
from tests.world import MATTER, OPERATOR

ITEM = "real_estate_registration"


def late_folder(folder: Path, fleet: Fleet, late: LateFleet) -> Folder:
    """A broker whose configuration names the late departments' routes."""
    made = found(folder, fleet)
    routes = late.write_routes(folder / "late.yaml", "ticket-platform")
    text = made.config.read_text(encoding="utf-8")
    changed = text.replace(str(fleet.routes_file), str(routes)).replace(
        str(fleet.secrets_folder), str(late.secrets_folder)
    )
    assert changed != text
    made.config.write_text(changed, encoding="utf-8")
    settings = replace(made.settings, routes=routes, route_secrets=late.secrets_folder)
    return replace(made, settings=settings)


async def granted(centre: RequesterClient, phone: Phone) -> str:
    subject = {"name": XU.name, "id_number": XU.id_number}
    filed = await centre.file(matter=MATTER, case=CASE, operator=OPERATOR, subject=subject, items=[{"item": ITEM}])
    ticket = ticket_of(filed.members["consent_url"])
    assert (await phone.open(ticket)).status == 200
    assert (await phone.agree(ticket, [ITEM])).status == 201
    return str((await centre.read(filed.members["id"])).members["consent"])


def kept(folder: Folder) -> int:
    with closing(open_database(folder.settings)) as database, database.reader.begin() as connection:
        answered = tables.waiting.c.answered_at.is_not(None)
        return int(connection.execute(select(func.count()).select_from(tables.waiting).where(answered)).scalar_one())


async def test_another_process_collects_what_the_dead_one_asked(tmp_path: Path, fleet: Fleet, late: LateFleet) -> None:
    folder = late_folder(tmp_path, fleet, late)
    running: list[Process] = []
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        centre = folder.centre(http)
        running.append(folder.start())
        phone = await signed_in(folder.settings.issuer, XU)
        try:
            await killed_while_it_waits(folder, late, running, centre, await granted(centre, phone))
        finally:
            late.set_fault("ticket_platform", "none")
            await phone.http.close()
            for process in running:
                process.end()
    assert folder.check().unfinished == 0


async def killed_while_it_waits(
    folder: Folder, late: LateFleet, running: list[Process], centre: RequesterClient, consent: str
) -> None:
    late.set_fault("ticket_platform", "never")
    pulled = await centre.exchange(**pull_members("late-and-cut", consent))
    assert pulled.status == 202, pulled.members
    folder.receipts.append(pulled.members["receipt"])
    await asyncio.sleep(1.2)  # it looks for the answer, again and again
    running.pop().kill()
    late.set_fault("ticket_platform", "none")
    running.append(await asyncio.to_thread(folder.start))

    async def arrived() -> bool:
        return await asyncio.to_thread(kept, folder) == 1

    await until(arrived, 30)
    assert sum(entry["event"] == "exchange.released" for entry in folder.entries()) == 1
    reply = await centre.collect("late-and-cut")
    assert reply.status == 200, reply.members
    assert [one["outcome"] for one in reply.members["results"]] == ["found"]
    assert reply.members["uses"] == pulled.members["uses"]
    verify.verify_receipt(reply.members["receipt"], folder.vkey, reply.members["results"])
    folder.receipts.append(reply.members["receipt"])
    events = [entry["event"] for entry in folder.entries()]
    assert (events.count("exchange.released"), "exchange.interrupted" in events) == (2, False)
