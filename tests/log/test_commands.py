"""`broker audit verify|prove` as an operator and an auditor run them, beside a running broker: words and exit codes."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from audit.verify import verify_receipt
from broker.founding import CONFIGURATION
from tests.audit.sample_log import SIGNER, STRANGER, exported, sample
from tests.log.growing import grow
from tests.world import World

OK, USAGE, NOT_FOUND, VERIFICATION_FAILED = 0, 2, 3, 5
Finished = subprocess.CompletedProcess[str]


def broker(*arguments: str | Path) -> Finished:
    command = [sys.executable, "-m", "broker", "audit", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


async def run_all(commands: Iterable[tuple[str | Path, ...]]) -> list[Finished]:
    """At once: each spends most of its time starting."""
    return await asyncio.gather(*(asyncio.to_thread(broker, *arguments) for arguments in commands))


async def test_prove(world: World) -> None:
    size = await grow(world, 300)
    config = ("--config", world.folder / "broker" / CONFIGURATION)
    proven, beyond, far_beyond, negative, nowhere = await run_all(
        [
            ("prove", "0", *config),
            ("prove", str(size), *config),
            ("prove", "9" * 30, *config),
            ("prove", "-1", *config),
            ("prove", "0", "--config", "nowhere.yaml"),
        ]
    )
    assert (proven.returncode, proven.stderr) == (OK, "")
    receipt = verify_receipt(json.loads(proven.stdout), world.vkey)
    assert (receipt.entry.index, receipt.checkpoint.size) == (0, size)
    for refused in (beyond, far_beyond):
        assert (refused.returncode, refused.stdout) == (NOT_FOUND, "")
        assert f"the log has {size} entries; there is no entry" in refused.stderr
    for wrong in (negative, nowhere):
        assert (wrong.returncode, wrong.stdout) == (USAGE, "")


async def test_verify(tmp_path: Path) -> None:
    older, newer = exported(tmp_path / "older", sample(100)), exported(tmp_path / "newer", sample(300))
    forged = exported(tmp_path / "forged", sample(300))
    bundle = forged / "tile/entries/000"
    bundle.write_bytes(bundle.read_bytes().replace(b'"jti":"consent-1"', b'"jti":"consent-0"', 1))
    pinned = ("--key", SIGNER.vkey)
    verified, shorter, stranger, changed, keyless, nowhere = await run_all(
        [
            ("verify", newer, *pinned, "--since", older / "checkpoint"),
            ("verify", older, *pinned, "--since", newer / "checkpoint", "--json"),
            ("verify", newer, "--key", STRANGER.vkey),
            ("verify", forged, *pinned),
            ("verify", newer),
            ("verify", tmp_path / "nowhere", *pinned),
        ]
    )
    assert (verified.returncode, verified.stderr) == (OK, "")
    assert verified.stdout.startswith("VERIFIED: 300 entries")
    assert "It continues your checkpoint of 100 entries" in verified.stdout
    assert shorter.returncode == stranger.returncode == changed.returncode == VERIFICATION_FAILED
    assert json.loads(shorter.stdout)["problems"][0]["rule"] == "since"
    assert changed.stdout.startswith("FAILED: the first bad entry is 5\n")
    for wrong in (keyless, nowhere):
        assert (wrong.returncode, wrong.stdout) == (USAGE, "")
