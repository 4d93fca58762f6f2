"""A commit's callers are woken a few a round and in order; none is forgotten, however writer and loop interleave."""

import asyncio
import threading
from collections import Counter
from concurrent.futures import Future

import pytest

from broker.waking import AT_A_TIME, Waking

MANY = 20_000
MORE = 3 * AT_A_TIME + 1


def ended(value: object) -> "Future[object]":
    future: Future[object] = Future()
    if isinstance(value, Exception):
        future.set_exception(value)
    else:
        future.set_result(value)
    return future


async def test_a_few_a_round_and_in_order() -> None:
    loop = asyncio.get_running_loop()
    waking, rounds, seen = Waking(loop), 0, list[tuple[object, int]]()
    waiters = [loop.create_future() for _ in range(MORE)]

    async def wait(number: int) -> None:
        seen.append((await waiters[number], rounds))

    tasks = [asyncio.create_task(wait(number)) for number in range(MORE)]
    await asyncio.sleep(0)
    for number, waiter in enumerate(waiters):
        waking.wake(waiter, ended(number))
    for rounds in range(20):  # noqa: B007 - read by whoever is woken
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert [value for value, _ in seen] == list(range(MORE))
    assert max(Counter(at for _, at in seen).values()) == AT_A_TIME


async def test_a_failure_is_raised_and_whoever_gave_up_holds_up_nobody() -> None:
    loop = asyncio.get_running_loop()
    waking = Waking(loop)
    gone, failed, well = (loop.create_future() for _ in range(3))
    gone.cancel()
    for waiter, value in ((gone, 1), (failed, ValueError("why")), (well, 3)):
        waking.wake(waiter, ended(value))
    with pytest.raises(ValueError, match="why"):
        await failed
    assert await well == 3


async def test_none_is_forgotten() -> None:
    loop = asyncio.get_running_loop()
    waking = Waking(loop)
    waiters = [loop.create_future() for _ in range(MANY)]

    def write() -> None:
        for number, waiter in enumerate(waiters):
            waking.wake(waiter, ended(number))

    writer = threading.Thread(target=write)
    writer.start()
    async with asyncio.timeout(60):
        assert await asyncio.gather(*waiters) == list(range(MANY))
    writer.join()


def test_a_loop_that_has_ended_waits_for_nothing() -> None:
    loop = asyncio.new_event_loop()
    waiter: asyncio.Future[object] = loop.create_future()
    loop.close()
    Waking(loop).wake(waiter, ended(1))
    assert not waiter.done()
