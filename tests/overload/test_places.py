"""How places are shared, in numbers alone."""

import asyncio
from contextlib import ExitStack

import pytest

from broker.overload import AT_ONCE, Places
from policies.refusals import Code, Refused


def take_all(places: Places, requester: str, stack: ExitStack) -> tuple[int, Code]:
    """Take places until one is refused; how many, and how the next was refused."""
    for number in range(1000):
        try:
            stack.enter_context(places.held_by(requester))
        except Refused as refused:
            return number, refused.refusal.code
    raise AssertionError("there is no end of places")


def test_one_alone_leaves_room_for_a_newcomer() -> None:
    places = Places(256)
    with ExitStack() as stack:
        assert take_all(places, "greedy", stack) == (192, Code.RATE_LIMITED)
        with places.held_by("newcomer"):
            assert places.taken == 193
    assert places.taken == 0


def test_whoever_comes_later_gets_its_share_once_the_first_gives_way() -> None:
    places = Places(112)
    with ExitStack() as later:
        with ExitStack() as first:
            assert take_all(places, "first", first)[0] == 84
            assert 0 < take_all(places, "later", later)[0] < 84
        assert take_all(places, "later", later)[1] is Code.RATE_LIMITED


def test_equally_busy_ones_come_to_the_same() -> None:
    places, turns = Places(112), {"one": 0, "other": 0}
    with ExitStack() as stack:
        for _ in range(112):
            for name in turns:
                try:
                    stack.enter_context(places.held_by(name))
                except Refused:
                    continue
                turns[name] += 1
        assert turns == {"one": 48, "other": 48}
        assert take_all(places, "third", stack)[0] > 0


def test_all_taken_is_busy_whoever_asks() -> None:
    places = Places(4)
    with ExitStack() as stack:
        for number in range(4):
            stack.enter_context(places.held_by(f"requester-{number}"))
        for name in ("requester-0", "newcomer", ""):
            with pytest.raises(Refused) as refused:
                places.check(name)
            assert refused.value.refusal.code is Code.BUSY


def test_a_place_comes_back_whatever_happens() -> None:
    places = Places(4)
    for _ in range(20):
        with pytest.raises(ZeroDivisionError), places.held_by("unlucky"), places.asking({"tax"}):
            raise ZeroDivisionError
    assert places.taken == 0
    with places.asking({"tax"}) as crowded:
        assert not crowded


def test_a_department_holds_half_of_the_places_and_no_more() -> None:
    places = Places(8)
    with ExitStack() as stack:
        for _ in range(4):
            assert not stack.enter_context(places.asking({"tax", "civil_affairs"}))
        assert stack.enter_context(places.asking({"tax", "property_registry"})) == {"tax"}
        assert not stack.enter_context(places.asking({"property_registry"})), "another's crowd is not its own"
    with places.asking({"tax"}) as crowded:
        assert not crowded


async def many(places: Places, seen: list[int], answered: asyncio.Event) -> list["asyncio.Task[None]"]:
    """Three times as many as have their turn at once; each says its number, and waits for its department."""

    async def one(number: int) -> None:
        with places.held_by("yz-hpf") as place:
            await place.turn()
            seen.append(number)
            with place.asking({"tax"}):
                await answered.wait()

    tasks = [asyncio.create_task(one(number)) for number in range(3 * AT_ONCE)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_turns_come_in_order_and_so_many_at_a_time() -> None:
    places, seen, answered = Places(256), list[int](), asyncio.Event()
    tasks = await many(places, seen, answered)
    assert places.taken == len(tasks)
    assert seen == list(range(AT_ONCE))
    answered.set()
    await asyncio.gather(*tasks)
    assert seen == list(range(len(tasks)))
    assert places.taken == 0


async def test_a_slow_department_is_waited_for_in_nobodys_turn() -> None:
    places, seen, answered = Places(256), list[int](), asyncio.Event()
    tasks = await many(places, seen, answered)
    async with asyncio.timeout(30):
        while len(seen) < len(tasks):  # noqa: ASYNC110 - by a timer of the code under test
            await asyncio.sleep(0.01)
    assert not any(task.done() for task in tasks)
    answered.set()
    await asyncio.gather(*tasks)
    again = await many(places, seen, answered)
    await asyncio.gather(*again)
    assert len(seen) == 2 * len(tasks)
