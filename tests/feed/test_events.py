"""GET /v1/events: a requester's own events, whole, in order, proven, and nobody else's."""

import asyncio
import json
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.batch import Transaction
from broker import requesters
from broker.api import long_poll
from broker.client import Reply, RequesterClient, read_reply
from broker.feed import Position
from connectors.departments.people import LIN, XU
from consent.erasure import erase, find_subject
from policies.refusals import Refused
from tests.feed.conftest import Town
from tests.feed.feeding import events_of, jti_of, names, request_of
from tests.world import World

LISTED = (
    ("?after=-1", "invalid_request"),
    ("?after=", "invalid_request"),
    ("?after=01", "invalid_request"),
    ("?after=1.0", "invalid_request"),
    ("?after=%201", "invalid_request"),
    ("?after=1%0A", "invalid_request"),
    ("?after=%D9%A1", "invalid_request"),
    ("?after=1_0", "invalid_request"),
    ("?after=0x1", "invalid_request"),
    ("?after=1&after=2", "invalid_request"),
    ("?after=9999999999999999999999", "invalid_request"),
    ("?after=999999999999999999", "not_found"),
    ("?limit=0", "invalid_request"),
    ("?limit=101", "invalid_request"),
    ("?limit=-5", "invalid_request"),
    ("?wait=soon", "invalid_request"),
    ("?requester=bj-hpf", "invalid_request"),
    ("?after=1'--", "invalid_request"),
)


async def raw_events(centre: RequesterClient, query: str, path: str = "/v1/events") -> Reply:
    """A signed read of the feed with exactly this query."""
    token = centre.sign("client-authentication+jwt", {"htm": "GET", "htu": f"{centre.issuer}{path}"})
    headers = {"Authorization": f"Bearer {token}"}
    async with centre.http.get(f"{centre.issuer}/v1/events{query}", headers=headers) as response:
        return await read_reply(response)


async def erased(world: World, id_number: str) -> None:
    def work(transaction: Transaction) -> None:
        erase(transaction, find_subject(transaction.connection, world.broker.keys.subjects, id_number))

    await world.broker.storage.record(work)


async def test_a_life_is_told_in_order_to_its_own_requester_only(each_town: Town) -> None:
    town = each_town
    world, centre = town.world, town.yangzhou
    consent = await world.grant(centre, town.xu)
    jti = jti_of(consent)
    declined, ticket = await world.ask(centre, LIN)
    await town.lin.open(ticket)
    assert (await town.lin.post(f"/v1/me/requests/{ticket}/decline")).status == 200
    cancelled, _ = await world.ask(centre, LIN, case="YZ-2026-000124")
    assert (await centre.change(cancelled, "cancel")).status == 200
    others = await world.grant(town.beijing, town.xu, case="BJ-1")
    assert (await world.pull(centre, consent)).status == 200
    for verb in ("pause", "resume"):
        assert (await town.xu.post(f"/v1/me/consents/{jti}/{verb}")).status == 200
    assert (await town.xu.withdraw(jti)).status == 200
    told, cursor = await events_of(world, centre)
    asked = request_of(consent)
    assert [(event["event"], event["request"], event["consent"]) for event in told] == [
        ("consent.granted", asked, jti),
        ("consent.declined", declined, None),
        ("consent.cancelled", cancelled, None),
        ("consent.paused", asked, jti),
        ("consent.resumed", asked, jti),
        ("consent.withdrawn", asked, jti),
    ]
    assert cursor == len(world.entries()) - 1
    told, _ = await events_of(world, town.beijing)
    assert [(event["event"], event["consent"], event["case"]) for event in told] == [
        ("consent.granted", jti_of(others), "BJ-1")
    ]
    world.check_log()


async def test_an_erasure_tells_each_requester_of_its_own_consents(town: Town) -> None:
    world = town.world
    consents = [(centre, await world.grant(centre, town.xu)) for centre in (town.yangzhou, town.beijing)]
    kept = await world.grant(town.yangzhou, town.lin)
    await erased(world, XU.id_number)
    for centre, consent in consents:
        told, _ = await events_of(world, centre)
        withdrawn = [event["consent"] for event in told if event["event"] == "consent.withdrawn"]
        assert withdrawn == [jti_of(consent)]
        assert jti_of(kept) not in withdrawn
    world.check_log()


async def test_pages_of_any_size_tell_the_same_story(town: Town) -> None:
    world = town.world
    for _ in range(2):
        for centre in (town.yangzhou, town.beijing):
            jti = jti_of(await world.grant(centre, town.xu))
            await town.xu.withdraw(jti)
    whole, end = await events_of(world, town.yangzhou)
    assert len(whole) == 4
    for limit in (1, 2, 3, 4, 100):
        pieced, cursor = [], -1
        while True:
            asked = {"after": cursor} if cursor >= 0 else {}
            told, cursor = await events_of(world, town.yangzhou, limit=limit, **asked)
            pieced += told
            if len(told) < limit:
                break
        assert [event["index"] for event in pieced] == [event["index"] for event in whole]
        assert cursor == end
    assert await events_of(world, town.yangzhou, after=end) == ([], end)
    world.check_log()


async def test_nothing_personal_is_told(town: Town) -> None:
    await town.world.grant(town.yangzhou, town.xu)
    await erased(town.world, XU.id_number)
    told, _ = await events_of(town.world, town.yangzhou)
    entries = [entry for entry in town.world.entries() if entry["index"] in {event["index"] for event in told}]
    written = json.dumps([told, entries], ensure_ascii=False)
    assert XU.name not in written
    assert XU.id_number not in written


async def test_what_is_no_cursor_is_refused_and_tells_nothing(town: Town) -> None:
    for query, code in LISTED:
        reply = await raw_events(town.yangzhou, query)
        assert reply.code == code, (query, reply.members)
        assert "events" not in reply.members
    town.world.check_log()


@given(st.text(max_size=24) | st.integers().map(str) | st.from_regex(r"\s?[+-]?0?[0-9_]{1,22}\s?", fullmatch=True))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_cursor_is_a_number_in_its_one_spelling_or_nothing(text: str) -> None:
    is_number = text.isascii() and text.isdigit() and str(int(text)) == text
    if is_number and len(text) < len("9999999999999999999"):
        assert Position.read(text).index == int(text)
    else:
        with pytest.raises(Refused, match="invalid_request"):
            Position.read(text)


async def test_another_ones_token_or_none_opens_no_feed(town: Town) -> None:
    await town.world.grant(town.yangzhou, town.xu)
    async with town.world.http.get(f"{town.world.issuer}/v1/events") as response:
        assert (await read_reply(response)).code == "malformed_token"
    assert (await raw_events(town.yangzhou, "", path="/v1/events?after=0")).code == "wrong_audience"
    stolen = RequesterClient(town.world.http, town.world.issuer, "yz-hpf", town.beijing.key)
    assert (await stolen.events()).code == "unknown_requester"


async def test_a_long_poll_wakes_on_a_withdrawal_and_not_on_anothers(town: Town) -> None:
    world = town.world
    own, foreign = await world.grant(town.yangzhou, town.xu), await world.grant(town.beijing, town.xu)
    _, cursor = await events_of(world, town.yangzhou)
    waiting = asyncio.create_task(events_of(world, town.yangzhou, after=cursor, wait=20))
    await town.xu.withdraw(jti_of(foreign))
    await asyncio.sleep(2 * long_poll.LOOK_EVERY)
    assert not waiting.done()
    await town.xu.withdraw(jti_of(own))
    began = time.monotonic()
    told, _ = await waiting
    assert time.monotonic() - began < 5, "it slept on"
    assert [(event["event"], event["consent"]) for event in told] == [("consent.withdrawn", jti_of(own))]
    world.check_log()


async def test_a_requester_suspended_while_it_waits_is_told_nothing_more(town: Town) -> None:
    world = town.world
    consent = await world.grant(town.yangzhou, town.xu)
    _, cursor = await events_of(world, town.yangzhou)
    waiting = asyncio.create_task(town.yangzhou.events(after=cursor, wait=20))
    await asyncio.sleep(long_poll.LOOK_EVERY / 2)
    await world.broker.storage.record(lambda transaction: requesters.suspend(transaction, "yz-hpf"))
    await town.xu.withdraw(jti_of(consent))
    assert (await waiting).code == "requester_suspended"


async def test_a_long_poll_that_nothing_happens_to_ends_in_time(town: Town) -> None:
    began = time.monotonic()
    told, _ = await events_of(town.world, town.yangzhou, wait=1)
    assert names(told) == []
    assert 0.9 < time.monotonic() - began < 15
