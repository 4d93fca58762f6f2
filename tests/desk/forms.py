"""A clerk's browser without its screen: a session's cookie and forms, for what needs no eyes."""

import re
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from policies.vocabulary import Person
from tests.desk.counters import CLERK, DESK, PIN, Counter

JSON = {"Accept": "application/json"}


@dataclass(frozen=True)
class Answered:
    status: int
    text: str
    headers: Any
    members: dict[str, Any] = field(default_factory=dict)

    @property
    def case(self) -> str:
        """Where a form has led on to."""
        return str(self.headers["Location"].rsplit("/", 1)[1])


@dataclass
class Clerk:
    """`origin` is where its forms come from; the desk's own address but for an attacker's."""

    http: aiohttp.ClientSession
    counter: Counter
    cookie: str = ""
    origin: str = ""

    async def sign_in(self, clerk: tuple[str, str] = CLERK, pin: str = PIN) -> Answered:
        answered = await self.send("/sign-in", number=clerk[0], pin=pin, desk=DESK)
        matched = re.match(r"desk_session=([^;]+)", answered.headers.get("Set-Cookie", ""))
        self.cookie = matched[1] if matched else ""
        return answered

    async def send(self, path: str, *pairs: tuple[str, str], **named: str) -> Answered:
        headers = {"Origin": self.origin or self.counter.address} | self.cookies
        data = [*pairs, *named.items()]
        async with self.http.post(
            f"{self.counter.address}{path}", data=data or b"", headers=headers | _FORM, allow_redirects=False
        ) as response:
            return await _read(response)

    async def get(self, path: str, **headers: str) -> Answered:
        async with self.http.get(
            f"{self.counter.address}{path}", headers=self.cookies | headers, allow_redirects=False
        ) as response:
            return await _read(response)

    async def json(self, path: str) -> dict[str, Any]:
        answered = await self.get(path, **JSON)
        assert answered.status == 200, answered.text
        return answered.members

    async def start(self, person: Person, matter: str = "purchase_withdrawal", **fields: str) -> str:
        """A new case, whatever this person has already."""
        named = {"name": person.name, "id_number": person.id_number, "matter": matter, "again": "yes"} | fields
        answered = await self.send("/cases", **named)
        assert answered.status == 303, answered.text
        return answered.case

    @property
    def cookies(self) -> dict[str, str]:
        return {"Cookie": f"desk_session={self.cookie}"} if self.cookie else {}


_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def _read(response: aiohttp.ClientResponse) -> Answered:
    text = await response.text()
    members = await response.json(content_type=None) if "json" in response.content_type else {}
    return Answered(response.status, text, response.headers, members)
