"""What is odd in a day: each rule marks what it says and nothing beside it."""

from datetime import datetime, timedelta

from broker.moments import BEIJING
from broker.staff.roles import Role
from broker.stewards import patterns
from tests.staff.desk import STU, Desk, found, hire, sit_down
from tests.stewards.conftest import ITEM
from tests.stewards.planted import look, put
from tests.world import World


async def test_what_is_odd_is_marked_with_its_rule_and_the_rest_is_not(world: World) -> None:
    await found(world)
    await hire(world, "d-001", STU, Role.STEWARD, "taxation")
    now = datetime.fromtimestamp(world.clock() / 1_000_000, BEIJING)
    noon = (now + timedelta(days=1)).replace(hour=12, minute=0)
    world.clock.advance((noon - now).total_seconds())
    desk = await sit_down(world, "d-001")
    every = list(world.broker.catalogue.items[ITEM].fields)
    always = [look("all-hpf", fields=every) for _ in range(patterns.ALWAYS_FROM)]
    mostly = [look("some-hpf", fields=every) for _ in range(patterns.ALWAYS_FROM)]
    await put(world, [*always, *mostly, look("some-hpf")])
    await put(world, [look("bj-hpf") for _ in range(patterns.MULTIPLE_FROM - 1)])
    assert await marks(desk) == {("all_fields", "all-hpf", patterns.ALWAYS_FROM)}
    await put(world, [look("bj-hpf")])
    world.clock.advance(11 * 3600)
    await put(world, [look("night-hpf")])
    desk = await sit_down(world, "d-001")
    assert await marks(desk) == {
        ("all_fields", "all-hpf", patterns.ALWAYS_FROM),
        ("multiple", "bj-hpf", patterns.MULTIPLE_FROM),
        ("night", "night-hpf", 1),
    }
    text = (await desk.get("/steward/uses/day", Accept="text/html")).text
    for words in ("夜里查", "总是要全部字段", "突然多了几倍", "规则：22 点到次日 6 点"):
        assert words in text, words


async def test_what_is_usual_by_now_is_no_multiple(world: World) -> None:
    await found(world)
    await hire(world, "d-001", STU, Role.STEWARD, "taxation")
    for _ in range(patterns.BEFORE_DAYS):
        await put(world, [look("bj-hpf") for _ in range(patterns.MULTIPLE_FROM // 2)])
        world.clock.advance(24 * 3600)
    await put(world, [look("bj-hpf") for _ in range(patterns.MULTIPLE_FROM)])
    told = await marks(await sit_down(world, "d-001"))
    assert not [one for one in told if one[0] == "multiple"]


async def marks(desk: Desk) -> set[tuple[str, str, int]]:
    told = await desk.json("/steward/uses/day")
    return {(one["rule"], one["requester"], one["calls"]) for one in told["marks"]}
