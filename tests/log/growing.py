"""Making a world's log longer, and fetching from it as a stranger would."""

import json
from dataclasses import dataclass
from typing import Any

from multidict import CIMultiDictProxy

from audit.batch import Transaction
from audit.events import LogExported
from tests.world import World


async def grow(world: World, count: int) -> int:
    """Add entries through the one door; the log's new size."""

    def work(transaction: Transaction) -> int:
        for _ in range(count):
            transaction.append(LogExported(size=0))
        return transaction.next_index

    return (await world.broker.storage.record(work)).value


@dataclass(frozen=True, slots=True)
class Fetched:
    status: int
    headers: CIMultiDictProxy[str]
    body: bytes


async def fetch(world: World, address: str) -> Fetched:
    """GET without any credentials."""
    async with world.http.get(f"{world.issuer}{address}") as response:
        return Fetched(response.status, response.headers, await response.read())


async def members(world: World, address: str) -> dict[str, Any]:
    fetched = await fetch(world, address)
    assert fetched.status == 200, fetched.body
    found: dict[str, Any] = json.loads(fetched.body)
    return found


async def refusal(world: World, address: str) -> tuple[int, str, str]:
    """(status, code, the member that the detail names)."""
    fetched = await fetch(world, address)
    assert fetched.headers["Content-Type"] == "application/problem+json", fetched.body
    problem = json.loads(fetched.body)
    assert problem["status"] == fetched.status
    return fetched.status, problem["code"], problem["detail"].rpartition("[")[2].rstrip("]")
