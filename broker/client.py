"""A fund centre's client: signs its requests with the centre's own key and speaks nothing but the protocol."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from broker.signing import SigningKey


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. `members` is the JSON body, empty where there is none."""

    status: int
    members: Mapping[str, Any] = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def code(self) -> str:
        """The problem's code; empty where it is no problem."""
        return str(self.members.get("code", ""))


@dataclass(frozen=True, slots=True)
class RequesterClient:
    """One requester at one broker. Each call is signed anew, so a call can be repeated but never replayed."""

    http: aiohttp.ClientSession
    issuer: str
    requester: str
    key: SigningKey = field(repr=False)

    async def file(self, **members: Any) -> Reply:
        """File an authorization request: matter, case, subject, items, operator and so on."""
        return await self.send("/v1/authorization-requests", self.sign("authorization-request+jwt", members))

    async def read(self, request: str, *, wait: int = 0) -> Reply:
        """How a request stands; waits up to `wait` seconds for the person."""
        path = f"/v1/authorization-requests/{request}"
        async with self.http.get(
            f"{self.issuer}{path}", params={"wait": str(wait)}, headers=self._authorization("GET", path)
        ) as response:
            return await read_reply(response)

    async def change(self, request: str, verb: str) -> Reply:
        """`renew` or `cancel` a request."""
        path = f"/v1/authorization-requests/{request}/{verb}"
        async with self.http.post(f"{self.issuer}{path}", headers=self._authorization("POST", path)) as response:
            return await read_reply(response)

    async def exchange(self, **members: Any) -> Reply:
        """Pull what was granted: exchange, consents, matter, case, operator, and items if not all."""
        return await self.send("/v1/exchanges", self.sign("exchange-request+jwt", members))

    async def collect(self, exchange: str, *, wait: int = 0) -> Reply:
        """What was pending in an exchange and is there by now; waits up to `wait` seconds for it."""
        path = f"/v1/exchanges/{exchange}"
        async with self.http.get(
            f"{self.issuer}{path}", params={"wait": str(wait)}, headers=self._authorization("GET", path)
        ) as response:
            return await read_reply(response)

    async def tell(self, exchange: str, **members: Any) -> Reply:
        """Say what became of a released exchange: event, operator, and decision where it is one."""
        path = f"/v1/exchanges/{exchange}/events"
        async with self.http.post(
            f"{self.issuer}{path}", json=members, headers=self._authorization("POST", path)
        ) as response:
            return await read_reply(response)

    async def events(self, **asked: int) -> Reply:
        """What became of its own requests and consents: after, limit, wait."""
        path = "/v1/events"
        query = {name: str(value) for name, value in asked.items()}
        async with self.http.get(
            f"{self.issuer}{path}", params=query, headers=self._authorization("GET", path)
        ) as response:
            return await read_reply(response)

    async def catalogue(self) -> Reply:
        """What can be asked for which matter. Public, so nothing is signed."""
        async with self.http.get(f"{self.issuer}/v1/catalogue") as response:
            return await read_reply(response)

    def sign(self, typ: str, members: dict[str, Any]) -> str:
        return self.key.short_lived(typ, iss=self.requester, aud=self.issuer, members=members)

    async def send(self, path: str, token: str) -> Reply:
        """Send a signed token as it is."""
        headers = {"Content-Type": "application/jwt"}
        async with self.http.post(f"{self.issuer}{path}", data=token.encode(), headers=headers) as response:
            return await read_reply(response)

    def _authorization(self, method: str, path: str) -> dict[str, str]:
        token = self.sign("client-authentication+jwt", {"htm": method, "htu": f"{self.issuer}{path}"})
        return {"Authorization": f"Bearer {token}"}


async def read_reply(response: aiohttp.ClientResponse) -> Reply:
    json_body = "json" in response.content_type
    members = await response.json(content_type=None) if json_body else {}
    return Reply(response.status, members, dict(response.headers))
