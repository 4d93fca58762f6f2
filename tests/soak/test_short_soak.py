"""The soak itself, in seconds: that it goes through, proves what it saw, and would see what grows."""

import random
from pathlib import Path

from tests.soak.soaking import Order, soak
from tests.soak.watching import FEWEST, MEBIBYTE, POOL, Sample, Watch


async def test_two_short_minutes(tmp_path: Path) -> None:
    told: list[str] = []
    order = Order(minutes=2, minute=3.0, rate=15, processes=2)
    seen = await soak(tmp_path, order, random.Random(7), told.append)
    assert (seen.troubles["killed"], len(seen.troubles) - 1) == (2, 2), seen.troubles
    assert seen.receipts == len(seen.latencies) == seen.seen["200"] > 0
    assert seen.withdrawn > 0
    assert seen.entries > 2 * seen.receipts
    assert len(told) == order.minutes + 1


def courses(grown: float, figure: str) -> set[str]:
    """The figures that are not flat, where one of them grew by so much from first to last."""
    level = {"rss": 200.0 * MEBIBYTE, "descriptors": 40.0, "threads": 12.0}
    samples = []
    for number in range(2 * FEWEST):
        values = dict(level)
        values[figure] += grown * number / (2 * FEWEST - 1)
        samples.append(Sample(number * 2.0, **values))
    watch = Watch({"broker-0.0": samples})
    assert len(watch.courses()) == len(level)
    return {course.figure for course in watch.courses() if not course.is_flat}


def test_what_grows_is_seen_and_what_comes_and_goes_is_not() -> None:
    assert courses(60.0 * MEBIBYTE, "rss") == {"rss"}
    assert courses(40, "descriptors") == {"descriptors"}
    assert courses(6 * POOL, "threads") == {"threads"}
    for grown, figure in ((6.0 * MEBIBYTE, "rss"), (9, "descriptors"), (POOL, "threads")):
        assert courses(grown, figure) == set()
    assert not Watch({"too-short": [Sample(0, 1, 1, 1)] * (FEWEST - 1)}).courses()


def test_a_life_is_judged_beside_the_longest_of_its_run() -> None:
    lives = {"broker-0.0": 10 * FEWEST, "broker-1.0": 5 * FEWEST, "broker-2.0": 5 * FEWEST - 1}
    watch = Watch({life: [Sample(one * 2.0, 1, 1, 1) for one in range(count)] for life, count in lives.items()})
    assert {course.life for course in watch.courses()} == {"broker-0.0", "broker-1.0"}
    assert Watch({}).courses() == []
