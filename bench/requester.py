"""The fund centre that pulls and the people who consent: everything signed before the clock starts.

Consents come about as they always do, over HTTP: filed, opened, composed, signed by a phone's own key.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count, cycle
from pathlib import Path
from typing import Final, Self

import aiohttp

from bench.failure import RunFailed
from broker import requesters
from broker.client import Reply, RequesterClient
from broker.demo.phone import Phone, open_phone, ticket_of
from broker.founding import CONFIGURATION
from broker.keys import read_keys
from broker.requesters import Requester
from broker.settings import Settings, read_settings
from broker.signing import SigningKey
from broker.wiring import open_storage
from connectors.departments.people import RESIDENTS
from policies.catalogue import Catalogue

MATTER: Final = "purchase_withdrawal"
NAME: Final = "yz-hpf"
OPERATOR: Final = {"id": "clerk-07", "name": "陈科员", "desk": "3号窗口"}
PHONES: Final = 16


@dataclass(slots=True)
class PreparedRequester:
    """One registered centre and signed-in phones of people whom all four departments know."""

    client: RequesterClient
    phones: Sequence[Phone]
    uses: int
    """Of each consent: the catalogue's most."""
    numbers: "count[int]" = field(default_factory=count)

    @classmethod
    async def register(cls, folder: Path, stack: AsyncExitStack) -> Self:
        """Register with the broker in `folder`, which is running. `stack` closes what is opened."""
        settings = read_settings(folder / CONFIGURATION)
        key = SigningKey.generate()
        _register(settings, key)
        http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        known = [one.person for one in RESIDENTS if one.homes and one.fund is not None]
        phones = [open_phone(settings.issuer, person) for person, _ in zip(cycle(known), range(PHONES), strict=False)]
        for phone in phones:
            await stack.enter_async_context(phone.http)
            _expect(204, await phone.sign_in())
            _expect(201, await phone.enrol())
        uses = Catalogue.load(settings.catalogue).matters[MATTER].uses
        return cls(RequesterClient(http, settings.issuer, NAME, key), phones, uses)

    async def prepare(self, items: Sequence[str], wanted: int) -> list[bytes]:
        """At least `wanted` HTTP requests for exchanges of these items, all distinct; they live 60 seconds.

        Every consent is used up: first each one's first use, then each one's second, and so on. Raises RunFailed.
        """
        each = -(-wanted // (self.uses * len(self.phones)))
        try:
            granted = await asyncio.gather(*(self._grant(phone, items, each) for phone in self.phones))
        except aiohttp.ClientError as error:
            raise RunFailed(f"preparing failed: {error}") from error
        return [self._request(case, consent) for _ in range(self.uses) for some in granted for case, consent in some]

    async def _grant(self, phone: Phone, items: Sequence[str], wanted: int) -> list[tuple[str, str]]:
        """New consents of one person, each with its case."""
        return [await self._consent(phone, items, f"B-{next(self.numbers)}") for _ in range(wanted)]

    async def _consent(self, phone: Phone, items: Sequence[str], case: str) -> tuple[str, str]:
        subject = {"name": phone.person.name, "id_number": phone.person.id_number}
        filed = await self.client.file(
            matter=MATTER,
            case=case,
            subject=subject,
            operator=OPERATOR,
            uses=self.uses,
            items=[{"item": item} for item in items],
        )
        ticket = ticket_of(_expect(201, filed).members["consent_url"])
        _expect(200, await phone.open(ticket))
        composed = _expect(200, await phone.compose(ticket, list(items)))
        consent = phone.key.complete(composed.members["signing_input"])
        _expect(201, await phone.post(f"/v1/me/requests/{ticket}/consent", {"consent": consent}))
        return case, consent

    def _request(self, case: str, consent: str) -> bytes:
        members = {
            "exchange": f"exchange-{next(self.numbers)}",
            "consents": [consent],
            "matter": MATTER,
            "case": case,
            "operator": OPERATOR,
        }
        token = self.client.sign("exchange-request+jwt", members).encode()
        head = (
            "POST /v1/exchanges HTTP/1.1\r\n"
            f"Host: {self.client.issuer.removeprefix('http://')}\r\n"
            "Content-Type: application/jwt\r\n"
            f"Content-Length: {len(token)}\r\n\r\n"
        )
        return head.encode() + token


def _register(settings: Settings, key: SigningKey) -> None:
    centre = Requester(
        NAME, "扬州市住房公积金管理中心", "Yangzhou housing fund centre", frozenset({MATTER}), suspended=False
    )
    database, storage = open_storage(settings, read_keys(settings.secrets, settings.log_origin))
    storage.ledger.record(lambda transaction: requesters.register(transaction, centre)).result()
    storage.ledger.record(lambda transaction: requesters.add_key(transaction, NAME, key.public)).result()
    storage.ledger.close()
    database.close()


def _expect(status: int, reply: Reply) -> Reply:
    if reply.status != status:
        raise RunFailed(f"preparing was refused: {reply.status} {reply.code}")
    return reply
