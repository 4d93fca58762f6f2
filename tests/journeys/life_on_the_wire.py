"""The hands of the state machine of a consent's life: how it acts over the wire, and what it reads back."""

import asyncio
from collections.abc import Coroutine
from typing import Any, ClassVar, TypeVar

from hypothesis.stateful import RuleBasedStateMachine
from sqlalchemy import select

from broker.client import Reply, RequesterClient
from broker.demo.phone import Phone
from broker.tables import exchange as exchanges
from consent import tables
from tests.journeys.consent_model import Answer, Model
from tests.world import MATTER, OPERATOR, World

T = TypeVar("T")

CASE = "YZ-2026-000123"
ITEM = {"party": "applicant", "item": "deed_tax"}


class LifeOnTheWire(RuleBasedStateMachine):
    """One requester, one phone, one request, and what is known of them."""

    world: ClassVar[World]
    runner: ClassVar[asyncio.Runner]
    model: Model
    centre: RequesterClient
    phone: Phone
    request: str
    ticket: str
    jti: str
    token: str
    signed_in_at: float
    first_entry: int

    @property
    def now(self) -> float:
        return self.world.broker.now()

    def run(self, act: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(act)

    def operate(self, work: Any) -> None:
        self.run(self.world.broker.storage.record(work))

    def citizen(self) -> Phone:
        """The phone, signed in."""
        if self.now - self.signed_in_at > 20 * 60:
            self.signed_in_at = self.now
            assert self.run(self.phone.sign_in()).status == 204
        return self.phone

    def told(self, reply: Reply, expected: Answer) -> None:
        assert reply.code == (expected or ""), reply.members
        assert (reply.status < 300) == (expected is None)

    async def sent(self, exchange: str) -> Reply:
        body = {"exchange": exchange, "consents": [self.token], "matter": MATTER, "case": CASE, "operator": OPERATOR}
        return await self.centre.exchange(**body, items=[ITEM])

    async def withdrawn_after_admission(self, exchange: str) -> tuple[Reply, Reply]:
        pulling = asyncio.create_task(self.sent(exchange))
        while not (pulling.done() or self.is_admitted(exchange)):  # noqa: ASYNC110 - the log is another thread's
            await asyncio.sleep(0.005)
        withdrawn = await self.phone.withdraw(self.jti)
        return await pulling, withdrawn

    def is_admitted(self, exchange: str) -> bool:
        known = select(exchanges.c.exchange).where(exchanges.c.exchange == exchange)
        with self.world.broker.database.reader.begin() as connection:
            return connection.execute(known).one_or_none() is not None

    def stored_uses(self) -> int:
        with self.world.broker.database.reader.begin() as connection:
            return int(
                connection.execute(select(tables.grant.c.used).where(tables.grant.c.jti == self.jti)).scalar_one()
            )

    def mine(self) -> list[dict[str, Any]]:
        entries = self.world.entries()[self.first_entry :]
        return [entry for entry in entries if entry["body"].get("requester") == self.centre.requester]

    def refused(self) -> list[dict[str, Any]]:
        return [entry for entry in self.mine() if entry["event"] == "exchange.refused"]
