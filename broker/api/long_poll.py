"""A long poll: looking again and again until there is something to say, for 25 seconds at most."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from fastapi import Request

T = TypeVar("T")

LONGEST_WAIT: Final = 25
LOOK_EVERY: Final = 0.4
"""Seconds between looks: what is waited for may come about in another process."""


async def look_until(
    request: Request, look: Callable[[], Awaitable[T]], is_worth_telling: Callable[[T], bool], wait: int
) -> T:
    """What the first look saw that is worth telling, or the last one within `wait` seconds. What `look` raises passes.

    The end of the program is not held up.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + min(max(wait, 0), LONGEST_WAIT)
    while True:
        seen = await look()
        if is_worth_telling(seen) or loop.time() >= until or request.app.state.stopping():
            return seen
        await asyncio.sleep(LOOK_EVERY)
