"""A browser of somebody of the staff, and the people who work here: two auditors and a security administrator."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import aiohttp

from broker.staff import people
from broker.staff.people import NewMember
from broker.staff.roles import Role
from connectors.departments.people import made_up
from tests.world import World

ANNA, BEN = made_up("审计甲", "19700101", 201), made_up("审计乙", "19710101", 202)
SAM, SEC = made_up("系统丙", "19720101", 203), made_up("安全丁", "19730101", 204)
STU = made_up("数据戊", "19740101", 205)
NUMBERS = {"a-001": (ANNA, Role.AUDITOR), "a-002": (BEN, Role.AUDITOR), "s-001": (SEC, Role.SECURITY)}


@dataclass
class Seen:
    status: int
    text: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Desk:
    """One person's browser."""

    http: aiohttp.ClientSession
    issuer: str
    number: str

    async def get(self, path: str, **headers: str) -> Seen:
        async with self.http.get(f"{self.issuer}{path}", headers=headers) as response:
            return Seen(response.status, await response.text(errors="replace"), dict(response.headers))

    async def json(self, path: str) -> dict[str, Any]:
        async with self.http.get(f"{self.issuer}{path}", headers={"Accept": "application/json"}) as response:
            members: dict[str, Any] = await response.json(content_type=None)
            return members | {"_status": response.status}

    async def post(self, path: str, fields: dict[str, str] | None = None, origin: str | None = None) -> Seen:
        headers = {"Origin": origin if origin is not None else self.issuer, "Accept": "text/html"}
        async with self.http.post(
            f"{self.issuer}{path}", data=fields or {}, headers=headers, allow_redirects=False
        ) as response:
            return Seen(response.status, await response.text(), dict(response.headers))


async def found(world: World) -> None:
    """The founding, as `broker staff found` does it."""
    keys = world.broker.keys.subjects
    for number, (person, role) in NUMBERS.items():
        new = NewMember(number, person, role)
        await world.broker.storage.record(partial(people.found, keys=keys, new=new))


async def hire(world: World, number: str, person: Any, role: Role, department: str = "") -> None:
    """Somebody whom the security administrator makes alone."""

    def work(transaction: Any) -> None:
        by = people.member(transaction.connection, "s-001")
        people.propose(transaction, world.broker.keys.subjects, NewMember(number, person, role, department), by)

    await world.broker.storage.record(work)


async def operator(world: World) -> Desk:
    """A system administrator at her desk, in a world in which nobody works yet."""
    await found(world)
    await hire(world, "o-001", SAM, Role.SYSTEM)
    return await sit_down(world, "o-001")


async def sit_down(world: World, number: str) -> Desk:
    """Signed in by the test sign-in; the world closes the browser."""
    desk = Desk(aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)), world.issuer, number)
    world.closing.append(desk.http.close)
    signed = await desk.post("/staff/session/test", {"number": number})
    assert signed.status == 303, signed.text
    return desk
