"""A world whose departments answer late: by ticket, by posting to us, by a clerk's hand; and SOAP at once."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from audit import verify
from broker import tables
from broker.client import Reply, RequesterClient
from broker.demo.phone import Phone
from broker.department_links import Clerk, new_link
from broker.settings import Settings
from connectors.departments.fleet import Fleet
from connectors.departments.late_fleet import LateFleet
from connectors.departments.people import XU
from consent import tables as consent_tables
from policies.vocabulary import Person
from tests.world import World, letters, open_world

ROUTES = ("civil-affairs-soap", "ticket-platform", "pushing-office", "tax-manual")
LATE = ("deed_tax", "hpf_remote_account", "real_estate_registration")
TICKET = ["real_estate_registration"]
PUSHED = ["hpf_remote_account"]
BY_HAND = ["deed_tax"]
DAY = 24 * 3600
STAFF = "t-0042"
TYPED = {
    "said": "found",
    "taxpayer_name": "徐建国",
    "tax_certificate_number": "332126100000007",
    "location": "扬州市示例区文昌示例路88号2幢902室",
    "transfer_area": "118.50",
    "taxable_amount": "1234500.00",
    "paid_amount": "12345.00",
    "paid_date": "2026-10-18",
}


@asynccontextmanager
async def open_late_world(
    folder: Path,
    fleet: Fleet,
    late: LateFleet,
    *routes: str,
    database: str = "broker.db",
    edit: Callable[[str], str] = lambda text: text,
) -> AsyncIterator[World]:
    """`edit` is given the routes file's text."""
    file = late.write_routes(folder / "late.yaml", *(routes or ROUTES))
    file.write_text(edit(file.read_text(encoding="utf-8")), encoding="utf-8")

    def change(settings: Settings) -> Settings:
        return replace(settings, routes=file, route_secrets=late.secrets_folder)

    async with open_world(folder, fleet, change=change, database=database) as world:
        late.push_to(f"{world.issuer}/v1/departments/hpf_center_remote/push")
        yield world


async def granted(world: World, centre: RequesterClient, phone: Phone, items: list[Any]) -> str:
    """The consent to exactly these items."""
    request, ticket = await world.ask(centre, items=items)
    assert (await phone.open(ticket)).status == 200
    agreed = await phone.agree(ticket, [item["item"] for item in items])
    assert agreed.status == 201, agreed.members
    return str((await centre.read(request)).members["consent"])


def outcomes(reply: Reply) -> dict[str, str]:
    return {result["item"]: result["outcome"] for result in reply.members["results"]}


async def collected(world: World, centre: RequesterClient, exchange: str, *, wait: int = 0) -> Reply:
    """Collect; a receipt is held against its results, and kept for check_log."""
    reply = await centre.collect(exchange, wait=wait)
    if reply.status in (200, 202):
        world.receipts.append(reply.members["receipt"])
        verify.verify_receipt(reply.members["receipt"], world.vkey, reply.members["results"])
    return reply


async def until(look: Callable[[], Awaitable[Any]], seconds: float = 20) -> Any:
    """What `look` first says that is true."""
    end = time.monotonic() + seconds
    while not (seen := await look()):
        assert time.monotonic() < end, "it never came"
        await asyncio.sleep(0.1)
    return seen


@dataclass
class Hand:
    """A clerk at the tax office, with her link and a browser's cookie."""

    world: World
    department: str = "taxation"
    staff: str = STAFF
    cookie: str = ""

    async def enter(self) -> None:
        broker = self.world.broker
        clerk = Clerk(self.department, self.staff)
        self.cookie = new_link(broker.keys.issuer, broker.settings.issuer, clerk, int(broker.now()), 3600)

    async def page(self) -> str:
        async with self.world.http.get(f"{self._address()}", headers=self._headers()) as response:
            assert response.status == 200, await response.text()
            return await response.text()

    async def answer(self, question: str, person: Person = XU, **typed: str) -> int:
        fields = TYPED | {"person": person.id_number, "taxpayer_id": person.id_number} | typed
        async with self.world.http.post(
            f"{self._address()}/{question}", data=fields, headers=self._headers(), allow_redirects=False
        ) as response:
            return response.status

    def _address(self) -> str:
        return f"{self.world.issuer}/departments/{self.department}/waiting"

    def _headers(self) -> dict[str, str]:
        return {"Cookie": f"department_link={self.cookie}", "Origin": self.world.issuer}


async def left_pending(world: World, items: list[str]) -> tuple[RequesterClient, Phone, str, str]:
    """Granted and pulled: the centre, the phone, the consent, and the exchange that is pending."""
    centre, phone = await world.centre(), await world.phone()
    consent = await granted(world, centre, phone, [{"item": item} for item in items])
    exchange = f"late-{letters()}"
    reply = await world.pull(centre, consent, exchange=exchange)
    assert reply.status == 202, reply.members
    assert "Retry-After" in reply.headers
    assert set(outcomes(reply).values()) == {"pending"}
    return centre, phone, consent, exchange


async def arrived(world: World, exchange: str, count: int = 1) -> None:
    """So many late answers of the exchange are kept."""

    async def look() -> bool:
        with world.broker.database.reader.begin() as connection:
            table = tables.waiting
            mine = (table.c.exchange == exchange, table.c.answered_at.is_not(None))
            return connection.execute(select(func.count()).where(*mine)).scalar_one() == count

    await until(look)


def kept_rows(world: World) -> int:
    with world.broker.database.reader.begin() as connection:
        return int(connection.execute(select(func.count()).select_from(consent_tables.kept)).scalar_one())


def waiting_rows(world: World) -> list[Any]:
    with world.broker.database.reader.begin() as connection:
        return list(connection.execute(select(tables.waiting)).all())


def jti_of(consent: str) -> str:
    payload = consent.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["jti"])
