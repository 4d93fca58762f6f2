"""A person whose data is asked for: what her phone reads, and what the log's door is given about her."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from typer.testing import CliRunner, Result

from audit.event import Event
from broker.cli import app
from broker.client import Reply, RequesterClient
from broker.demo.phone import Phone
from broker.founding import CONFIGURATION
from connectors.departments.people import made_up
from tests.world import World, letters

TEXT = "为什么要查我的房子？\n<script>alert('诸葛不该出现')</script>"
ANSWER = "这是您 2026 年提取公积金时同意查的。尉迟不该出现"


@dataclass
class Life:
    """One person, and one centre that asks about her."""

    world: World
    centre: RequesterClient
    phone: Phone
    case: str
    consent: str = ""

    @classmethod
    async def begin(cls, world: World, centre: RequesterClient, order: int) -> "Life":
        phone = await world.phone(made_up("某某", "19770707", order))
        return cls(world, centre, phone, f"YZ-{letters()[:12]}")

    async def agree(self, **members: Any) -> None:
        self.consent = await self.world.grant(self.centre, self.phone, case=self.case, **members)

    async def pulled(self, **members: Any) -> Reply:
        if not self.consent:
            await self.agree()
        return await self.world.pull(self.centre, self.consent, case=self.case, **members)

    async def release(self) -> int:
        """Have everything looked up; the release's index."""
        assert (await self.pulled()).status == 200
        return int(self.mine("exchange.released")[-1]["index"])

    async def admitted(self, number: int) -> None:
        """Wait until so many calls about her were admitted."""
        while len(self.mine("exchange.admitted")) < number:  # noqa: ASYNC110 - another thread's doing
            await asyncio.sleep(0.02)

    async def append(self, event: Event) -> int:
        """Something that other parts of the program would record."""
        return (await self.world.broker.storage.record(lambda transaction: transaction.append(event))).value

    @property
    def ref(self) -> str:
        keys = self.world.broker.keys.subjects
        lookup = keys.find(self.phone.person.id_number)
        with self.world.broker.database.reader.begin() as connection:
            found = connection.exec_driver_sql("SELECT subject_ref FROM consent_subject WHERE lookup = ?", (lookup,))
            return str(found.scalar_one())

    def mine(self, event: str) -> list[dict[str, Any]]:
        """What the log holds of her under one event."""
        ref = self.ref
        return [entry for entry in self.world.entries() if entry["event"] == event and ref in json.dumps(entry)]

    async def accesses(self, query: str = "") -> list[dict[str, Any]]:
        reply = await self.phone.get(f"/v1/me/accesses{query}")
        assert reply.status == 200, reply.members
        return list(reply.members["accesses"])

    async def page(self, path: str) -> tuple[int, str]:
        async with self.phone.http.get(f"{self.world.issuer}{path}") as response:
            return response.status, await response.text()

    async def send(self, path: str, fields: dict[str, str], **headers: str) -> tuple[int, str, str]:
        """Post a form; the status, the text and where it leads."""
        given = {"Origin": self.world.issuer} | headers
        address = f"{self.world.issuer}{path}"
        async with self.phone.http.post(address, data=fields, headers=given, allow_redirects=False) as response:
            return response.status, await response.text(), response.headers.get("Location", "")

    async def command(self, *words: str, stdin: str = "") -> Result:
        """Run `broker WORDS` beside the server."""
        config = str(self.world.folder / "broker" / CONFIGURATION)
        return await asyncio.to_thread(CliRunner().invoke, app, [*words, "--config", config], input=stdin)


async def ask(life: Life, about: int, text: str = TEXT, **members: Any) -> dict[str, Any]:
    """A question, or with an item a correction; as it is answered."""
    kind = "corrections" if members else "questions"
    reply = await life.phone.post(f"/v1/me/{kind}", {"about": about, "text": text} | members)
    assert reply.status == 201, reply.members
    return dict(reply.members)
