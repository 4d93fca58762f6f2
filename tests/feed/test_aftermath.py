"""POST /v1/exchanges/{exchange}/events: what became of a release, said by its requester alone, seen by the person."""

from typing import Any

from audit import verify
from broker.client import RequesterClient
from tests.feed.conftest import Town
from tests.world import MATTER, OPERATOR, World, letters

NO_EVENTS: tuple[dict[str, Any], ...] = (
    {"event": "viewed"},
    {"operator": OPERATOR},
    {"event": "seen", "operator": OPERATOR},
    {"event": "viewed", "operator": OPERATOR, "decision": "approved"},
    {"event": "decided", "operator": OPERATOR},
    {"event": "decided", "operator": OPERATOR, "decision": None},
    {"event": "decided", "operator": OPERATOR, "decision": "徐建国 approved"},
    {"event": "decided", "operator": OPERATOR, "decision": "approved", "amount_fen": 123_456},
    {"event": "decided", "operator": OPERATOR, "decision": "approved", "amount_fen": 0},
    {"event": "decided", "operator": OPERATOR, "decision": "approved", "amount_fen": "100000"},
    {"event": "decided", "operator": OPERATOR, "decision": "refused", "amount_fen": 100_000},
    {"event": "viewed", "operator": OPERATOR, "amount_fen": 100_000},
    {"event": "viewed", "operator": {"id": ""}},
    {"event": "viewed", "operator": {"id": "321099198603120178"}},
    {"event": "viewed", "operator": {"id": "clerk-07", "desk": "321099198603120178"}},
    {"event": "viewed", "operator": OPERATOR, "case": MATTER},
)


async def released(world: World, centre: RequesterClient, consent: str) -> str:
    exchange = f"x-{letters()}"
    reply = await world.pull(centre, consent, exchange=exchange)
    assert reply.status == 200, reply.members
    return exchange


async def told(world: World, centre: RequesterClient, exchange: str, **members: Any) -> dict[str, Any]:
    """The entry's body, by way of its verified receipt."""
    reply = await centre.tell(exchange, operator=OPERATOR, **members)
    assert reply.status == 201, reply.members
    world.receipts.append(reply.members["receipt"])
    return verify.verify_receipt(reply.members["receipt"], world.vkey, None).entry.body


async def test_what_became_of_it_is_in_the_log_and_before_the_person(each_town: Town) -> None:
    town = each_town
    world = town.world
    exchange = await released(world, town.yangzhou, await world.grant(town.yangzhou, town.xu))
    release = next(entry for entry in world.entries() if entry["event"] == "exchange.released")
    body = await told(world, town.yangzhou, exchange, event="viewed")
    assert body["operator"] == {"id": OPERATOR["id"], "desk": OPERATOR["desk"]}
    assert (body["released"], body["call"]) == (release["index"], release["body"]["call"])
    assert (await told(world, town.yangzhou, exchange, event="decided", decision="returned"))["decision"] == "returned"
    assert (await told(world, town.yangzhou, exchange, event="decided", decision="approved"))["decision"] == "approved"
    [access] = (await town.xu.get("/v1/me/accesses")).members["accesses"]
    assert [(one["event"], one["decision"], one["operator"]["id"]) for one in access["afterwards"]] == [
        ("exchange.viewed", None, OPERATOR["id"]),
        ("exchange.decided", "returned", OPERATOR["id"]),
        ("exchange.decided", "approved", OPERATOR["id"]),
    ]
    for one in access["afterwards"]:
        assert verify.verify_receipt(one, world.vkey, None).entry.index == one["index"]
    assert (await town.lin.get("/v1/me/accesses")).members == {"accesses": []}
    assert OPERATOR["name"] not in str(world.entries())
    world.check_log()


async def test_it_names_the_newest_release_also_after_a_repeat_that_released_nothing(town: Town) -> None:
    world = town.world
    consent = await world.grant(town.yangzhou, town.xu)
    other = await released(world, town.yangzhou, consent)
    exchange = await released(world, town.yangzhou, consent)
    repeated = await world.pull(town.yangzhou, consent, exchange=exchange)
    assert repeated.status == 200
    newest = world.entries()[-1]["index"]
    await released(world, town.yangzhou, consent)
    assert (await told(world, town.yangzhou, exchange, event="viewed"))["released"] == newest
    assert (await told(world, town.yangzhou, other, event="viewed"))["released"] < newest
    accesses = (await town.xu.get("/v1/me/accesses")).members["accesses"]
    assert sorted(len(access["afterwards"]) for access in accesses) == [0, 0, 1, 1]
    world.check_log()


async def test_it_can_still_be_said_after_a_withdrawal(town: Town) -> None:
    world = town.world
    consent = await world.grant(town.yangzhou, town.xu)
    exchange = await released(world, town.yangzhou, consent)
    jti = (await town.xu.get("/v1/me/consents")).members["consents"][0]["jti"]
    assert (await town.xu.withdraw(jti)).status == 200
    await told(world, town.yangzhou, exchange, event="decided", decision="refused")
    world.check_log()


async def test_where_nothing_was_released_there_is_nothing_to_say(town: Town) -> None:
    world = town.world
    consent = await world.grant(town.yangzhou, town.xu)
    refused = f"x-{letters()}"
    assert (await world.pull(town.yangzhou, consent, exchange=refused, case="YZ-2")).code == "case_mismatch"
    exchange = await released(world, town.yangzhou, consent)
    before = world.events()
    for centre, name in ((town.yangzhou, refused), (town.yangzhou, f"x-{letters()}"), (town.beijing, exchange)):
        assert (await centre.tell(name, event="viewed", operator=OPERATOR)).code == "not_found"
    assert world.events() == before
    world.check_log()


async def test_what_is_no_such_event_is_refused_unlogged(world: World) -> None:
    centre = await world.centre()
    before = world.events()
    for members in NO_EVENTS:
        assert (await centre.tell("x-whatever", **members)).code == "invalid_request", members
    assert (await centre.tell("321099198603120178", event="viewed", operator=OPERATOR)).code == "invalid_request"
    assert world.events() == before


async def test_a_token_for_another_exchange_says_nothing_of_this_one(town: Town) -> None:
    world = town.world
    consent = await world.grant(town.yangzhou, town.xu)
    one, other = [await released(world, town.yangzhou, consent) for _ in range(2)]
    token = town.yangzhou.sign(
        "client-authentication+jwt", {"htm": "POST", "htu": f"{world.issuer}/v1/exchanges/{one}/events"}
    )
    headers, members = {"Authorization": f"Bearer {token}"}, {"event": "viewed", "operator": OPERATOR}
    answers = []
    for exchange in (other, one, one):
        async with world.http.post(
            f"{world.issuer}/v1/exchanges/{exchange}/events", json=members, headers=headers
        ) as reply:
            answers.append((reply.status, (await reply.json(content_type=None)).get("code")))
    assert answers == [(401, "wrong_audience"), (201, None), (409, "replayed")]
    assert world.events().count("exchange.viewed") == 1
    world.check_log()
