"""How much of a crash test is run: a short form with every test run, the long one by `make crash`."""

import os
import random
import time

LONG = os.environ.get("BROKER_CRASH") == "long"


def size(short: int, long: int) -> int:
    return long if LONG else short


def seeded() -> random.Random:
    """This run's choices; the seed is printed, so that a failure can be repeated."""
    seed = int(os.environ.get("BROKER_CRASH_SEED") or time.time_ns() % 10**9)
    print(f"BROKER_CRASH_SEED={seed}")  # noqa: T201 - shown by pytest where a test fails
    return random.Random(seed)
