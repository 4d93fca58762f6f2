"""Signed hooks: told in order and only what is theirs, again after trouble, never into a network nobody opened."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import jwt
import pytest
import pytest_asyncio

from broker import hooks, requesters, telling
from broker.hooks import TRIES, Hook
from broker.outward import CheckedResolver, NotPermitted, check_address, check_url, read_url
from connectors.departments.fleet import Fleet
from policies.refusals import Refused
from tests.feed.conftest import Town, inhabited
from tests.feed.feeding import jti_of
from tests.feed.listener import ELSEWHERE, Listener, listening
from tests.world import World, open_world

LOOPBACK = (ip_network("127.0.0.0/8"),)


@pytest_asyncio.fixture
async def hooked(tmp_path: Path, fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    """A town whose broker may call on loopback, and looks often."""
    monkeypatch.setattr(telling, "LOOK_EVERY", 0.05)
    async with open_world(tmp_path, fleet, change=lambda given: replace(given, hook_networks=LOOPBACK)) as world:
        yield await inhabited(world)


@pytest_asyncio.fixture
async def listener() -> AsyncIterator[Listener]:
    async with listening() as opened:
        yield opened


async def added(world: World, requester: str, url: str) -> Hook:
    return (await world.broker.storage.record(lambda transaction: hooks.add(transaction, requester, url))).value


async def stored(world: World) -> list[Hook]:
    return list(await world.broker.storage.read(hooks.read_all))


async def until(happened: Callable[[], bool], within: float = 5.0) -> None:
    for _ in range(int(within / 0.02)):
        if happened():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen in time")


def verified(world: World, text: str, audience: str) -> dict[str, Any]:
    """The claims, under the broker's published key."""
    key = world.broker.keys.issuer.public
    assert jwt.get_unverified_header(text) == {"alg": "ES256", "kid": key.kid, "typ": "event+jwt"}
    claims: dict[str, Any] = jwt.decode(
        text, key.verifier, ["ES256"], audience=audience, options={"verify_exp": False, "verify_iat": False}
    )
    assert claims["iss"] == world.issuer
    return claims


async def test_each_is_told_of_its_own_events_in_order(hooked: Town, listener: Listener) -> None:
    world = hooked.world
    await world.grant(hooked.yangzhou, hooked.xu)  # before the hook: the feed has it, the hook does not
    await added(world, "yz-hpf", listener.url)
    jti = jti_of(await world.grant(hooked.yangzhou, hooked.xu))
    await world.grant(hooked.beijing, hooked.xu)
    assert (await hooked.xu.withdraw(jti)).status == 200
    await until(lambda: "consent.withdrawn" in str(told(world, listener)))
    events = told(world, listener)
    assert [(one["event"], one["consent"]) for one in events] == [("consent.granted", jti), ("consent.withdrawn", jti)]
    feed = (await hooked.yangzhou.events()).members["events"]
    for one in events:
        world.receipts.append(one["receipt"])
        fed = next(other for other in feed if other["index"] == one["index"])
        assert {**fed, "receipt": fed["receipt"]["entry"]} == {**one, "receipt": one["receipt"]["entry"]}
    world.check_log()


def told(world: World, listener: Listener) -> list[dict[str, Any]]:
    return [one for text in listener.received for one in verified(world, text, "yz-hpf")["events"]]


async def test_after_trouble_it_is_told_again_and_nothing_is_lost(hooked: Town, listener: Listener) -> None:
    world = hooked.world
    listener.statuses = [500, 302]
    await added(world, "yz-hpf", listener.url)
    jti = jti_of(await world.grant(hooked.yangzhou, hooked.xu))
    for tries in (1, 2):
        await until(lambda: len(listener.received) == tries)  # noqa: B023 - awaited before the next one
        await asyncio.sleep(0.3)
        assert len(listener.received) == tries, "it waits before it tries again"
        world.clock.advance(hooks.FIRST_PAUSE * 4)
    await until(lambda: len(listener.received) == 3)
    assert (await hooked.xu.withdraw(jti)).status == 200
    await until(lambda: len(listener.received) == 4)
    assert ELSEWHERE not in listener.visited
    names = [one["event"] for one in told(world, listener)]
    assert names == ["consent.granted"] * 3 + ["consent.withdrawn"]
    world.check_log()


async def test_whoever_is_never_reached_is_given_up_until_registered_anew(hooked: Town, listener: Listener) -> None:
    world = hooked.world
    hook = await added(world, "yz-hpf", listener.url)
    listener.statuses = [503] * TRIES
    await world.grant(hooked.yangzhou, hooked.xu)
    for tries in range(1, TRIES + 1):
        await until(lambda: len(listener.received) == tries)  # noqa: B023 - awaited before the next one
        await asyncio.sleep(0.1)
        world.clock.advance(hooks.LONGEST_PAUSE + 1)
    await asyncio.sleep(0.3)
    assert len(listener.received) == TRIES
    [stopped] = await stored(world)
    assert stopped.stopped
    assert (await added(world, "yz-hpf", listener.url)).id == hook.id
    await until(lambda: len(listener.received) == TRIES + 1)
    world.check_log()


async def test_a_hook_is_delivered_to_by_one_process_at_a_time(town: Town) -> None:
    world = town.world
    hook = await added(world, "yz-hpf", "https://secret.centre.example:8443/path-with-a-secret")
    claims = [await world.broker.storage.record(lambda transaction: hooks.claim(transaction, hook)) for _ in range(2)]
    assert [claim.value for claim in claims] == [True, False]
    assert [len(claim.entries) for claim in claims] == [0, 0]
    assert world.entries()[-1]["body"]["origin"] == "https://secret.centre.example:8443"
    assert "path-with-a-secret" not in str(world.entries())
    assert world.log.getvalue().count("path-with-a-secret") == 0


async def test_a_removed_hook_and_a_suspended_requester_are_told_nothing(hooked: Town, listener: Listener) -> None:
    world = hooked.world
    hook = await added(world, "yz-hpf", listener.url)
    await world.broker.storage.record(lambda transaction: requesters.suspend(transaction, "yz-hpf"))
    await added(world, "bj-hpf", listener.url.replace("/events", "/bj"))
    [other] = [one for one in await stored(world) if one.requester == "bj-hpf"]
    await world.broker.storage.record(lambda transaction: hooks.remove(transaction, other.id))
    await world.grant(hooked.beijing, hooked.xu)
    await asyncio.sleep(0.4)
    assert listener.received == []
    assert [one.id for one in await stored(world)] == [hook.id]
    assert world.events().count("hook.removed") == 1
    with pytest.raises(Refused, match="not_found"):
        await world.broker.storage.record(lambda transaction: hooks.remove(transaction, other.id))
    world.check_log()


async def test_by_default_no_hook_leads_into_our_own_network(
    town: Town, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = town.world
    monkeypatch.setattr(telling, "LOOK_EVERY", 0.05)
    for url in (listener.url, listener.url.replace("127.0.0.1", "localhost")):
        await added(world, "yz-hpf", url)
    await world.grant(town.yangzhou, town.xu)
    await asyncio.sleep(1.6)
    assert listener.received == []
    assert {hook.failures for hook in await stored(world)} == {1}


@pytest.mark.parametrize(
    "url",
    [
        "http://centre.example/events",
        "ftp://centre.example/",
        "https://",
        "https://clerk:secret@centre.example/",
        "https://centre.example/?token=1",
        "https://centre.example/#x",
        "https://centre.example:99999/",
        "https://centre.example/ x",
        "https://centre.example/\n",
        "https://中心.example/",
        "https://[::1/",
        "file:///etc/passwd",
        "https://centre.example/" + "x" * 400,
        "",
    ],
)
def test_what_is_no_address_for_a_hook(url: str) -> None:
    with pytest.raises(Refused, match="invalid_request"):
        read_url(url)


PRIVATE = (
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "ff02::1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "2002:a00:1::1",
)


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_nobody_opened(address: str) -> None:
    with pytest.raises(NotPermitted):
        check_address(address, ())
    with pytest.raises(NotPermitted):
        check_url(f"https://{f'[{address}]' if ':' in address else address}:8443/events", ())
    check_address("223.5.5.5", ())


@pytest.mark.parametrize("host", ["localhost", "2130706433", "0x7f000001", "127.1"])
async def test_a_name_is_judged_by_where_it_leads(host: str) -> None:
    with pytest.raises(NotPermitted):
        await CheckedResolver(()).resolve(host, 443)
    assert await CheckedResolver(LOOPBACK).resolve(host, 443, socket.AF_INET)


def test_an_opened_network_opens_nothing_else() -> None:
    check_address("10.20.1.1", (ip_network("10.20.0.0/16"),))
    with pytest.raises(NotPermitted):
        check_address("10.21.1.1", (ip_network("10.20.0.0/16"),))
