"""Every refusal that can be reached, over the wire: its status, its code, the token at fault, its entry in the log.

The codes of a token's own form, key, signature and times are tried at every place in test_token_everywhere.py; here
stands one row of each, so that this table is whole.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from broker.client import Reply
from broker.problems import PROBLEMS
from connectors.departments.fleet import Fleet
from policies.refusals import Code
from tests.gate import causes_citizen, causes_clock, causes_edge, causes_requester, causes_token
from tests.gate.scene import problem
from tests.gate.table import Row
from tests.world import World, open_world

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROWS = (*causes_token.ROWS, *causes_requester.ROWS, *causes_citizen.ROWS, *causes_edge.ROWS)
AT_THE_PROVIDER = "of the pages that lead to the identity provider and back: tests/identity/test_openid.py"
NOT_REACHED = {
    Code.SIGN_IN_DENIED: AT_THE_PROVIDER,
    Code.SIGN_IN_EXPIRED: AT_THE_PROVIDER,
    Code.SIGN_IN_FAILED: AT_THE_PROVIDER,
    Code.IDENTITY_INCOMPLETE: AT_THE_PROVIDER,
    Code.PROVIDER_UNAVAILABLE: AT_THE_PROVIDER,
}


@pytest_asyncio.fixture(loop_scope="module")
async def stepped(tmp_path: Path, fleet: Fleet) -> AsyncIterator[World]:
    """A world of its own: a clock once stepped never goes back, for the log remembers."""
    async with open_world(tmp_path, fleet) as opened:
        yield opened


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_refusal(shared: World, row: Row) -> None:
    await _refused_as_told(shared, row)


@pytest.mark.parametrize("row", causes_clock.ROWS, ids=lambda row: row.name)
async def test_refusal_by_time(stepped: World, row: Row) -> None:
    await _refused_as_told(stepped, row)


async def test_the_table_is_whole() -> None:
    rows = (*ROWS, *causes_clock.ROWS)
    assert set(Code) - {row.code for row in rows} == set(NOT_REACHED)
    assert len({row.name for row in rows}) == len(rows)


async def _refused_as_told(world: World, row: Row) -> None:
    before = len(world.entries())
    reply = await row.cause(world)
    assert problem(reply) == (row.status, row.code, row.token), reply.members
    _is_problem(world, reply)
    refused = [entry["body"] for entry in world.entries()[before:] if entry["event"] == "exchange.refused"]
    assert [body["code"] for body in refused] == ([row.code] if row.recorded else [])
    assert all(body["reasons"] == reply.members.get("reasons", []) for body in refused)
    assert (row.code is Code.POLICY_REFUSED) == ("reasons" in reply.members)
    world.check_log()


def _is_problem(world: World, reply: Reply) -> None:
    """RFC 9457: exactly these members, each as its type says."""
    members = dict(reply.members)
    assert members.pop("type") == f"{world.issuer}/problems/{reply.code}"
    assert members.pop("status") == reply.status
    assert members.pop("request_id").startswith("rq_")
    words = PROBLEMS[Code(reply.code)].zh
    assert members.pop("title") == words.title
    assert members.pop("detail").startswith(f"{words.cause}{words.remedy}")
    assert members.keys() - {"code", "token", "reasons", "assurance", "stopped"} == set()
    assert "stopped" not in members or reply.code == Code.RELEASES_STOPPED
    assert ("assurance" in members) == (reply.code == Code.STEP_UP_REQUIRED)
    if reply.headers:
        headers = {name.lower(): value for name, value in reply.headers.items()}
        assert headers["content-type"] == "application/problem+json"
        assert headers["cache-control"] == "no-store"
        assert ("retry-after" in headers) == (PROBLEMS[Code(reply.code)].retry_after > 0)
