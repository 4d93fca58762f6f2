"""A browser without pictures: follows links by hand, keeps its cookies, fills in the provider's form."""

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp

from broker.client import Reply, read_reply
from connectors.departments.people import XU
from policies.vocabulary import Person

_PENDING = re.compile(r'name="pending" value="([^"]+)"')
_CODE = re.compile(r"<code>([a-z_]+)</code></p>")


@dataclass(frozen=True, slots=True)
class Seen:
    """A page, or where it leads."""

    status: int
    text: str
    location: str

    @property
    def code(self) -> str:
        """The reason that a stopped page gives."""
        found = _CODE.search(self.text)
        return found[1] if found is not None else ""


@dataclass
class Visitor:
    """One browser profile."""

    http: aiohttp.ClientSession
    issuer: str

    async def get(self, address: str) -> Seen:
        url = address if address.startswith("http") else f"{self.issuer}{address}"
        async with self.http.get(url, allow_redirects=False) as response:
            return Seen(response.status, await response.text(), response.headers.get("Location", ""))

    async def send(self, address: str, fields: dict[str, str], origin: str | None = None) -> Seen:
        url = address if address.startswith("http") else f"{self.issuer}{address}"
        headers = {"Origin": origin if origin is not None else self.issuer}
        async with self.http.post(url, data=fields, headers=headers, allow_redirects=False) as response:
            return Seen(response.status, await response.text(), response.headers.get("Location", ""))

    async def call(self, method: str, path: str, members: dict[str, Any] | None = None) -> Reply:
        headers = {"Origin": self.issuer}
        async with self.http.request(method, f"{self.issuer}{path}", json=members, headers=headers) as response:
            return await read_reply(response)

    async def to_provider(self, query: str = "back=/me") -> str:
        """The address at the provider to which our link leads."""
        seen = await self.get(f"/sign-in/openid?{query}")
        assert seen.status == 303, seen.text
        return seen.location

    async def at_provider(self, address: str, person: Person = XU, level: str = "high", **fields: str) -> str:
        """Fill in the provider's form; the address back to us."""
        page = await self.get(address)
        found = _PENDING.search(page.text)
        assert found is not None, page.text
        members = {"name": person.name, "id_number": person.id_number, "level": level}
        seen = await self.send(
            f"{address.partition('/authorize')[0]}/authorize", {"pending": html.unescape(found[1]), **members, **fields}
        )
        assert seen.status == 303, seen.text
        return seen.location

    async def sign_in(self, query: str = "back=/me", person: Person = XU, level: str = "high", **fields: str) -> Seen:
        """All the way: what the page says on which she lands, or where that leads."""
        return await self.get(await self.at_provider(await self.to_provider(query), person, level, **fields))

    async def signed_in(self) -> bool:
        return (await self.call("GET", "/v1/me/consents")).status == 200


@asynccontextmanager
async def open_visitor(issuer: str) -> AsyncIterator[Visitor]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        yield Visitor(http, issuer)


def query_of(address: str) -> dict[str, str]:
    """An address's parameters, each once."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items() if len(values) == 1}
