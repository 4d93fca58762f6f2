"""python -m bench.ledger.one_size SIZE FOLDER: everything that is measured of a log of one size; JSON on stdout."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import tiles
from audit.checkpoint import LogSigner
from bench.ledger.building import Timing, build, opened
from bench.ledger.judging import unusual_time
from bench.ledger.proving import proof_times
from bench.ledger.searching import search_times
from bench.ledger.watching import peak_memory, progress

WARMING: Final = 1000


def main() -> int:
    size, folder = int(sys.argv[1]), Path(sys.argv[2])
    signer = LogSigner("log.example/bench", Ed25519PrivateKey.generate())
    _warm_up(signer, folder)
    sys.stdout.write(json.dumps(_measure(size, folder, signer)) + "\n")
    return 0


def _warm_up(signer: LogSigner, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as other, opened(Path(other) / "log.db", signer) as database:
        build(database, signer, WARMING, lambda _done, _size: None)


def _measure(size: int, folder: Path, signer: LogSigner) -> dict[str, Any]:
    """Figures by name, in the order of the table."""
    with opened(folder / "log.db", signer) as database:
        began = time.perf_counter()
        timing = build(database, signer, size, progress("appending"))
        built = time.perf_counter() - began
        figures: dict[str, Any] = {"size": size, **_append_figures(timing), "append: all seconds": built}
        figures["append: peak memory MiB"] = peak_memory()
        figures["database MB"] = sum(file.stat().st_size for file in folder.glob("log.db*")) / 1e6
        with database.reader.begin() as connection:
            figures |= {f"proof: {name} ms": ms for name, ms in proof_times(connection, size, signer.vkey).items()}
            figures |= {f"search: {name} ms": ms for name, ms in search_times(connection, size).items()}
            figures["unusual: one month ms"] = unusual_time(connection)
            began = time.perf_counter()
            tiles.export(connection, folder / "export", signer.vkey, progress("exporting"))
        figures["export: seconds"] = time.perf_counter() - began
    files = [file for file in (folder / "export").rglob("*") if file.is_file()]
    figures["export: MB"] = sum(file.stat().st_size for file in files) / 1e6
    return figures | _verify(size, folder / "export", signer.vkey)


def _append_figures(timing: Timing) -> dict[str, float]:
    latencies = sorted(timing.latencies)
    return {
        "append: entries/s": timing.entries / timing.seconds,
        "append: CPU µs an entry": timing.cpu / timing.entries * 1_000_000,
        "append: p50 ms": latencies[len(latencies) // 2] * 1000,
        "append: p99 ms": latencies[len(latencies) * 99 // 100] * 1000,
    }


def _verify(size: int, folder: Path, vkey: str) -> dict[str, float]:
    """Verify in another process. A log that does not verify has no speed: CalledProcessError."""
    command = [sys.executable, "-m", "bench.ledger.verifying", str(folder), vkey]
    began = time.perf_counter()
    report, memory = map(json.loads, subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.splitlines())
    seconds = time.perf_counter() - began
    assert report["checkpoint"]["size"] == size
    return {
        "verify: seconds": seconds,
        "verify: entries/s": size / seconds,
        "verify: peak memory MiB": memory["peak_mib"],
    }


if __name__ == "__main__":
    sys.exit(main())
