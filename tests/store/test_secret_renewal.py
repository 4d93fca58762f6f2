"""Four broker processes over one store and one gateway that kills a secret with the next: it is never upset."""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.founding import CONFIGURATION, found_broker
from connectors.departments.gateway import LIVES_SECONDS
from connectors.departments.process import DepartmentProcess
from tests.connectors.gateway_routes import copy_secrets, route, write

PROCESSES = 4
SECONDS = 4.5


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[DepartmentProcess]:
    running = DepartmentProcess.start("gateway", tmp_path / "gateway")
    yield running
    running.stop()


async def asked_by_one(words: list[str]) -> dict[str, int]:
    process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 0
    counted: dict[str, int] = json.loads(out)
    return counted


async def test_one_process_renews_for_all_and_early(gateway: DepartmentProcess, tmp_path: Path) -> None:
    folder = tmp_path / "broker"
    found_broker(folder, issuer="http://127.0.0.1:1", port=1, test_identity=True)
    file = write(tmp_path, route("md5_rotating", gateway.port, tmp_path))
    secrets = copy_secrets(tmp_path / "gateway", tmp_path / "secrets")
    words = [sys.executable, "-m", "tests.store.renewing", str(folder / CONFIGURATION), str(file), str(secrets)]
    seen: Counter[str] = Counter()
    began = time.monotonic()
    for counted in await asyncio.gather(*(asked_by_one([*words, str(SECONDS)]) for _ in range(PROCESSES))):
        seen.update(counted)
    took = time.monotonic() - began
    told = gateway.control("GET", "/told")
    assert set(seen) == {"found 00"}, seen
    assert told["answered"] == seen.total() >= PROCESSES * 10
    assert told.get("upsets", 0) == 0
    assert told.get("started_over", 0) == 0, "a refreshSecret was killed by somebody else's renewal"
    # each at two thirds of its life, so at most one in that time, however many processes there are
    assert 2 <= told["renewals"] <= 1 + took / (LIVES_SECONDS * 2 / 3)
