"""What connectors remember, over each store: claims, secrets under a key, quotas; by several brokers at once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from broker import tables
from broker.connector_memory import StoredMemory, used_now
from broker.founding import found_broker
from broker.keys import read_keys
from broker.settings import Settings
from broker.wiring import open_storage
from connectors.memory import Held, Quota
from connectors.trouble import DepartmentError
from policies.vocabulary import Outcome

START = 1_795_680_000_000_000
"""2026-11-26 16:00 in China, microseconds."""


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += int(seconds * 1_000_000)


@pytest.fixture
def settings(tmp_path: Path, store: str) -> Settings:
    return found_broker(tmp_path / "broker", issuer="http://127.0.0.1:1", port=1, test_identity=True, database=store)


@asynccontextmanager
async def opened(settings: Settings, clock: Callable[[], int]) -> AsyncIterator[StoredMemory]:
    """The memory as one broker opens it."""
    keys = read_keys(settings.secrets, settings.log_origin)
    database, storage = open_storage(settings, keys, clock)
    try:
        yield StoredMemory(storage, keys.subjects.wrapping, clock)
    finally:
        await asyncio.to_thread(storage.ledger.close)
        database.close()


async def test_only_one_broker_holds_a_claim_and_only_its_holder_may_keep(settings: Settings) -> None:
    clock = Clock()
    async with opened(settings, clock) as one, opened(settings, clock) as other:
        claimed = await asyncio.gather(one.claim("gateway", "one", 30), other.claim("gateway", "other", 30))
        assert sorted(text is None for text in claimed) == [False, True]
        holder, stranger = ("one", "other") if claimed[0] is not None else ("other", "one")
        assert await other.read("gateway") == Held("", claimed=True)
        assert not await other.keep("gateway", stranger, "not mine")
        assert await one.keep("gateway", holder, "secret-1")
        assert await other.read("gateway") == Held("secret-1", claimed=False)
        assert await other.claim("gateway", stranger, 30) == "secret-1"
        await other.give_up("gateway", stranger)
        assert await one.read("gateway") == Held("secret-1", claimed=False)


async def test_a_claim_whose_time_has_passed_is_another_s_and_keeps_nothing(settings: Settings) -> None:
    clock = Clock()
    async with opened(settings, clock) as memory:
        await memory.claim("gateway", "dead", 30)
        assert await memory.claim("gateway", "next", 30) is None
        clock.advance(31)
        assert not await memory.keep("gateway", "dead", "too late")
        assert await memory.claim("gateway", "next", 30) == ""
        assert not await memory.keep("gateway", "dead", "too late")
        assert await memory.keep("gateway", "next", "new")


async def test_the_database_alone_tells_no_secret_and_takes_none_from_elsewhere(settings: Settings) -> None:
    clock = Clock()
    async with opened(settings, clock) as memory:
        for name in ("gateway-a", "gateway-b"):
            await memory.claim(name, "one", 30)
            await memory.keep(name, "one", f"the secret of {name}")
        table = tables.connector_memory

        def swap(transaction: object) -> bytes:
            connection = transaction.connection  # type: ignore[attr-defined]
            sealed = {row.name: row.sealed for row in connection.execute(select(table))}
            connection.execute(table.update().where(table.c.name == "gateway-a").values(sealed=sealed["gateway-b"]))
            return bytes(sealed["gateway-a"] + sealed["gateway-b"])

        stored = (await memory._storage.record(swap)).value
        assert b"secret" not in stored
        assert await memory.read("gateway-a") == Held("", claimed=False)
        assert (await memory.read("gateway-b")).text == "the secret of gateway-b"


async def test_a_quota_is_counted_by_all_brokers_together_and_exactly(settings: Settings) -> None:
    clock = Clock()
    quotas = (Quota(60, 10), Quota(86400, 15))
    async with opened(settings, clock) as one, opened(settings, clock) as other:

        async def many() -> list[float]:
            return await asyncio.gather(*(memory.take("route", quotas) for memory in (one, other) for _ in range(10)))

        waits = await many()
        assert sorted(waits) == [0.0] * 10 + [60.0] * 10
        assert await one.take("another route", quotas) == 0
        clock.advance(60)
        assert (await many()).count(0.0) == 5, "the day's quota holds though the minute's is new"
        assert await other.take("route", quotas) == 8 * 3600 - 60, "until midnight in China"
        clock.advance(8 * 3600)
        assert await other.take("route", quotas) == 0


async def test_what_is_used_is_that_of_the_windows_that_hold_this_moment(settings: Settings) -> None:
    clock = Clock()
    async with opened(settings, clock) as one, opened(settings, clock) as other:

        async def used() -> dict[tuple[str, int], int]:
            return dict(await one._storage.read(lambda connection: used_now(connection, clock.now / 1_000_000)))

        assert await used() == {}
        for memory in (one, other, other):
            await memory.take("route", (Quota(60, 10), Quota(86400, 15)))
        assert await used() == {("route", 60): 3, ("route", 86400): 3}
        clock.advance(60)
        assert await used() == {("route", 86400): 3}


async def test_without_its_memory_a_connector_asks_nobody(settings: Settings) -> None:
    async with opened(settings, Clock()) as memory:
        memory._storage.ledger.close()
        with pytest.raises(DepartmentError) as raised:
            await memory.take("route", (Quota(60, 1),))
    assert (raised.value.outcome, raised.value.code) == (Outcome.DEPARTMENT_DOWN, "memory")
