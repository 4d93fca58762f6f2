"""A whole broker while its PostgreSQL goes away and comes back: it says so, loses nothing, and heals by itself."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from broker.client import Reply
from connectors.departments.people import XU
from tests.postgresql import Cluster, Server
from tests.world import MATTER, OPERATOR, World, letters

READY_SOON = 4.0


@pytest.fixture
def own(postgresql: Server) -> Iterator[Cluster]:
    if not isinstance(postgresql, Cluster):
        pytest.skip("PostgreSQL: a server that was given is not stopped or frozen by tests")
    yield postgresql
    postgresql.wait_ready()


async def readiness(world: World) -> tuple[int, dict[str, str]]:
    began = time.monotonic()
    async with world.http.get(f"{world.issuer}/readyz") as reply:
        members = await reply.json()
    assert time.monotonic() - began < READY_SOON
    return reply.status, members.get("checks", {})


async def until_ready(world: World) -> None:
    end = time.monotonic() + 20
    while (found := await readiness(world))[0] != 200:
        assert time.monotonic() < end, found
        await asyncio.sleep(0.05)


def asked(consent: str) -> dict[str, object]:
    return {
        "exchange": f"pg-{letters()}",
        "consents": [consent],
        "matter": MATTER,
        "case": "YZ-2026-000123",
        "operator": OPERATOR,
    }


async def test_a_server_restarted_under_load_loses_nothing_answered(world_on_postgresql: World, own: Cluster) -> None:
    world = world_on_postgresql
    centre, phone = await world.centre(), await world.phone(XU)
    consents = [await world.grant(centre, phone) for _ in range(6)]
    replies: list[Reply] = []
    done = asyncio.Event()

    async def load(consent: str) -> None:
        while not done.is_set():
            replies.append(await centre.exchange(**asked(consent)))
            await asyncio.sleep(0.02)

    loads = [asyncio.create_task(load(consent)) for consent in consents]
    await asyncio.sleep(0.1)
    await asyncio.to_thread(own.restart)
    await until_ready(world)
    done.set()
    await asyncio.gather(*loads)
    assert {reply.status for reply in replies} <= {200, 403, 409, 503}
    world.receipts += [reply.members["receipt"] for reply in replies if reply.status == 200]
    consent = await world.grant(centre, phone)
    assert (await world.pull(centre, consent)).status == 200
    world.check_log()


async def test_while_the_server_is_away_everything_says_so(world_on_postgresql: World, own: Cluster) -> None:
    world = world_on_postgresql
    centre, phone = await world.centre(), await world.phone(XU)
    consent = await world.grant(centre, phone)
    own.stop()
    try:
        status, checks = await readiness(world)
        assert status == 503
        assert "connection" in checks["ledger"]
        assert checks["database"] != "ok"
        refused = await centre.exchange(**asked(consent))
        assert (refused.status, refused.code) == (503, "ledger_unavailable")
        read = await phone.get("/v1/me/consents")
        assert (read.status, read.code) == (503, "ledger_unavailable")
    finally:
        own.start()
    await until_ready(world)
    assert (await world.pull(centre, consent)).status == 200
    world.check_log()


async def test_while_the_server_stands_still_readiness_answers(world_on_postgresql: World, own: Cluster) -> None:
    world = world_on_postgresql
    centre, phone = await world.centre(), await world.phone(XU)
    consent = await world.grant(centre, phone)
    own.freeze()
    try:
        refused = asyncio.create_task(centre.exchange(**asked(consent)))
        status, checks = await readiness(world)
        assert (status, "no answer" in checks["ledger"]) == (503, True), checks
        assert (await refused).code == "ledger_unavailable"
    finally:
        own.thaw()
    await until_ready(world)
    assert (await world.pull(centre, consent)).status == 200
    world.check_log()
