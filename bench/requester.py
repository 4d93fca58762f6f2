"""The fund centre that pulls and the people who consent: everything signed before the clock starts.

Consents come about as they always do, over HTTP: filed, opened, composed, signed by a phone's own key.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count, cycle, islice
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
KNOWN: Final = tuple(one.person for one in RESIDENTS if one.homes and one.fund is not None)
"""By every department."""
OPERATOR: Final = {"id": "clerk-07", "name": "陈科员", "desk": "3号窗口"}


@dataclass(frozen=True, slots=True)
class Grant:
    """One consent and whose it is."""

    phone: Phone
    case: str
    consent: str


@dataclass(slots=True)
class PreparedRequester:
    """One registered centre and signed-in phones of people whom all four departments know."""

    client: RequesterClient
    phones: Sequence[Phone]
    uses: int
    """Of each consent: the catalogue's most."""
    numbers: "count[int]" = field(default_factory=count)

    @property
    def fewest(self) -> int:
        """Exchanges that are prepared at least: one consent of each phone, used up."""
        return self.uses * len(self.phones)

    @classmethod
    async def register(cls, folder: Path, phones: int, stack: AsyncExitStack, name: str = NAME) -> Self:
        """Register with the broker in `folder`, which is running. `stack` closes what is opened."""
        settings = read_settings(folder / CONFIGURATION)
        key = SigningKey.generate()
        _register(settings, name, key)
        http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        opened = [open_phone(settings.issuer, person) for person in islice(cycle(KNOWN), phones)]
        for phone in opened:
            await stack.enter_async_context(phone.http)
            _expect(204, await phone.sign_in())
            _expect(201, await phone.enrol())
        uses = Catalogue.load(settings.catalogue).matters[MATTER].uses
        return cls(RequesterClient(http, settings.issuer, name, key), opened, uses)

    async def prepare(self, items: Sequence[str], wanted: int) -> list[bytes]:
        """At least `wanted` HTTP requests for exchanges of these items, all distinct; they live 60 seconds.

        Raises RunFailed.
        """
        return self.sign(await self.grant(items, wanted, self.uses), self.uses)

    async def grant(self, items: Sequence[str], wanted: int, uses: int) -> list[Grant]:
        """New consents, enough for so many exchanges where each is good for `uses`. Raises RunFailed."""
        each = -(-wanted // (uses * len(self.phones)))
        try:
            granted = await asyncio.gather(*(self._grant(phone, items, each, uses) for phone in self.phones))
        except aiohttp.ClientError as error:
            raise RunFailed(f"preparing failed: {error}") from error
        return [grant for some in granted for grant in some]

    def sign(self, grants: Sequence[Grant], uses: int) -> list[bytes]:
        """Every consent is used up: first each one's first use, then each one's second, and so on."""
        return [self._request(grant) for _ in range(uses) for grant in grants]

    async def _grant(self, phone: Phone, items: Sequence[str], wanted: int, uses: int) -> list[Grant]:
        """New consents of one person, each with its case."""
        return [await self._consent(phone, items, uses) for _ in range(wanted)]

    async def _consent(self, phone: Phone, items: Sequence[str], uses: int) -> Grant:
        case = f"B-{next(self.numbers)}"
        subject = {"name": phone.person.name, "id_number": phone.person.id_number}
        filed = await self.client.file(
            matter=MATTER,
            case=case,
            subject=subject,
            operator=OPERATOR,
            uses=uses,
            items=[{"item": item} for item in items],
        )
        ticket = ticket_of(_expect(201, filed).members["consent_url"])
        _expect(200, await phone.open(ticket))
        composed = _expect(200, await phone.compose(ticket, list(items)))
        consent = phone.key.complete(composed.members["signing_input"])
        _expect(201, await phone.post(f"/v1/me/requests/{ticket}/consent", {"consent": consent}))
        return Grant(phone, case, consent)

    def _request(self, grant: Grant) -> bytes:
        members = {
            "exchange": f"exchange-{next(self.numbers)}",
            "consents": [grant.consent],
            "matter": MATTER,
            "case": grant.case,
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


def _register(settings: Settings, name: str, key: SigningKey) -> None:
    centre = Requester(
        name, "扬州市住房公积金管理中心", "Yangzhou housing fund centre", frozenset({MATTER}), suspended=False
    )
    database, storage = open_storage(settings, read_keys(settings.secrets, settings.log_origin))
    storage.ledger.record(lambda transaction: requesters.register(transaction, centre)).result()
    storage.ledger.record(lambda transaction: requesters.add_key(transaction, name, key.public)).result()
    storage.ledger.close()
    database.close()


def _expect(status: int, reply: Reply) -> Reply:
    if reply.status != status:
        raise RunFailed(f"preparing was refused: {reply.status} {reply.code}")
    return reply
