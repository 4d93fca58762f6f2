"""A world with somebody signed in, for whoever sends bytes on a socket."""

import pytest_asyncio

from connectors.departments.people import XU
from tests.world import World


@pytest_asyncio.fixture
async def signed_in(world: World) -> tuple[World, str]:
    """A world, and the cookie of somebody who is signed in."""
    phone = await world.phone(XU)
    (cookie,) = list(phone.http.cookie_jar)
    return world, f"{cookie.key}={cookie.value}"
