"""How far a long step has come, and how much memory it took; light itself, for it is in the memory measured."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

Progress = Callable[[int, int], None]
"""(entries done, entries in all)"""

_PEAK: Final = "VmHWM:"


def progress(doing: str) -> Progress:
    """One line, written over as it moves."""

    def draw(done: int, size: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{doing}: {done:,} of {size:,} entries" + ("\n" if done == size else ""))
            sys.stderr.flush()

    return draw


def peak_memory() -> float:
    """MiB that this process had resident at most. The kernel's other figure, ru_maxrss, is also of who started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith(_PEAK)) / 1024
