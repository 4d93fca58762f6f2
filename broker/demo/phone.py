"""A citizen's phone, as the demo and the tests hold it: signs in, keeps a key, signs exactly what was composed."""

from dataclasses import dataclass, field
from typing import Any

import aiohttp

from broker.client import Reply, read_reply
from broker.signing import SigningKey
from policies.vocabulary import Person


@dataclass(slots=True)
class Phone:
    """One person's browser session and device key. `http` must keep cookies of plain addresses apart per phone."""

    http: aiohttp.ClientSession
    issuer: str
    person: Person = field(repr=False)
    key: SigningKey = field(default_factory=SigningKey.generate, repr=False)

    async def sign_in(self, level: str = "high") -> Reply:
        members = {"name": self.person.name, "id_number": self.person.id_number, "level": level}
        return await self.post("/v1/session/test", members)

    async def enrol(self, label: str = "手机") -> Reply:
        """Enrol this phone's key, with its proof over the session's nonce."""
        nonce = (await self.get("/v1/me/devices/nonce")).members["nonce"]
        proof = self.key.short_lived(
            "device-proof+jwt", iss=self.key.public.kid, aud=self.issuer, members={"nonce": nonce}
        )
        return await self.post("/v1/me/devices", {"jwk": dict(self.key.public.jwk), "proof": proof, "label": label})

    async def open(self, ticket: str) -> Reply:
        """Read the offer."""
        return await self.get(f"/v1/me/requests/{ticket}")

    async def compose(self, ticket: str, items: list[Any]) -> Reply:
        return await self.post(f"/v1/me/requests/{ticket}/compose", {"items": items, "kid": self.key.public.kid})

    async def agree(self, ticket: str, items: list[Any]) -> Reply:
        """Compose for these items and sign exactly that."""
        composed = await self.compose(ticket, items)
        if composed.status != 200:  # noqa: PLR2004 - HTTP OK
            return composed
        signed = self.key.complete(composed.members["signing_input"])
        return await self.post(f"/v1/me/requests/{ticket}/consent", {"consent": signed})

    async def withdraw(self, jti: str, *, with_device: bool = True) -> Reply:
        members = {}
        if with_device:
            members["withdrawal"] = self.key.short_lived(
                "withdrawal+jwt", iss=self.key.public.kid, aud=self.issuer, members={"consent": jti}
            )
        return await self.post(f"/v1/me/consents/{jti}/withdraw", members)

    async def get(self, path: str) -> Reply:
        async with self.http.get(f"{self.issuer}{path}") as response:
            return await read_reply(response)

    async def post(self, path: str, members: dict[str, Any] | None = None) -> Reply:
        headers = {"Origin": self.issuer}
        async with self.http.post(f"{self.issuer}{path}", json=members or {}, headers=headers) as response:
            return await read_reply(response)

    async def delete(self, path: str) -> Reply:
        async with self.http.delete(f"{self.issuer}{path}", headers={"Origin": self.issuer}) as response:
            return await read_reply(response)


def open_phone(issuer: str, person: Person, key: SigningKey | None = None) -> Phone:
    """A phone of its own: its cookies are shared with nobody."""
    # IP addresses carry cookies only where the jar is told that this is meant; here it is
    http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
    return Phone(http, issuer, person, key if key is not None else SigningKey.generate())


def ticket_of(consent_url: str) -> str:
    """The opaque ticket at the end of a consent link."""
    return consent_url.rsplit("/", 1)[-1]
