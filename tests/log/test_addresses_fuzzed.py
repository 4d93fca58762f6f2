"""Whatever is written behind /log/tile/ and /v1/log/proof? is answered or refused: never with a 5xx, never slowly."""

import asyncio
import http.client
import time
from urllib.parse import quote, urlsplit

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.log.growing import grow
from tests.world import World

PATHS = st.one_of(
    st.text(alphabet="0123456789x/.p", max_size=40),
    st.builds(
        "{}/{}.p/{}".format, st.integers(-1, 7), st.from_regex(r"(x[0-9]{3}/)*[0-9]{3}", fullmatch=True), st.integers()
    ),
    st.text(max_size=20),
)
NAMES = st.sampled_from(["index", "from", "size", "other", ""])
VALUES = st.one_of(st.integers().map(str), st.integers(0, 400).map(str), st.text(max_size=8))
QUERIES = st.lists(st.tuples(NAMES, VALUES), max_size=4)
SECONDS = 2.0


async def test_nothing_but_answers_and_refusals(world: World) -> None:
    await grow(world, 300)
    address = urlsplit(world.issuer).netloc
    connection = http.client.HTTPConnection(address, timeout=10)
    answered: set[int] = set()

    def ask(path: str) -> None:
        began = time.monotonic()
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        assert response.status in {200, 404, 422}, (path, response.status)
        assert len(body) <= 8192
        assert time.monotonic() - began < SECONDS
        answered.add(response.status)

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(PATHS)
    def tiles(path: str) -> None:
        ask("/log/tile/" + quote(path, safe="/"))

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(QUERIES)
    def proofs(pairs: list[tuple[str, str]]) -> None:
        ask("/v1/log/proof?" + "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs))

    try:
        await asyncio.to_thread(tiles)
        await asyncio.to_thread(proofs)
        for path in ("/log/tile/0/000", "/v1/log/proof?from=3"):
            await asyncio.to_thread(ask, path)
    finally:
        connection.close()
    assert answered == {200, 404, 422}
    assert "unforeseen" not in world.log.getvalue()
