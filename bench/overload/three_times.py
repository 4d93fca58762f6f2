"""Three times what the broker can do: how much of its best it still does, how the rest is refused, when it is over."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bench.overload.driving import OK, REFUSED, Answer, Driver, percentile
from bench.processes import CpuTimes, Processes

ITEMS: Final = ("real_estate_registration", "deed_tax", "marriage_check_single", "hpf_remote_account")
CALLERS: Final = (16, 48)
"""With so many at once the best is looked for."""
TIMES: Final = 3
HALF: Final = 0.5
"""Of the best: an ordinary busy hour, before and after."""
SETTLING: Final = 2.0
"""Seconds of the overload until its queues are as full as they get."""
SMALL_RATE: Final = 5.0
"""Exchanges a second of another requester meanwhile."""
SPAN: Final = 0.5
"""Seconds: how finely the return to normal is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overload:
    """What was measured; seconds and exchanges a second."""

    best: float
    best_again: float
    """Some minutes later, when all is over: a machine may have another speed by then."""
    late_p99: float
    """How late the load itself was."""
    normal_p99: float
    cores: CpuTimes
    """CPU during the overload, a second of it; the broker's, the departments', the load's own."""
    offered: float
    goodput: float
    accepted_p50: float
    accepted_p99: float
    refused: int
    refused_p50: float
    refused_p99: float
    refused_longest: float
    without_retry_after: int
    broken: int
    """Neither answered nor refused."""
    left_out: int
    """Answers in which a department was not asked, or not waited for."""
    small_answered: int
    small_refused: int
    small_p99: float
    recovered_within: float

    @property
    def kept(self) -> float:
        return self.goodput / ((self.best + self.best_again) / 2)


async def measure(
    processes: Processes, drivers: Sequence[Driver], seconds: float, tell: Callable[[str], None]
) -> Overload:
    """By two drivers, of whom the second asks little. Raises RunFailed where preparing fails."""
    driver, small = drivers
    tell("looking for the best rate")
    best = await _best(driver, seconds / 2, 100)
    tell(f"best {best:.0f}/s; preparing {TIMES} times as much")
    await driver.stock.add(ITEMS, int(best * (TIMES * seconds + 2 * seconds)))
    await small.stock.add(ITEMS, int(2 * SMALL_RATE * seconds))
    normal = await driver.open_loop(HALF * best, seconds / 2)
    tell(f"{TIMES * best:.0f}/s for {seconds:.0f} s")
    before = processes.cpu()
    heavy, light = await asyncio.gather(driver.open_loop(TIMES * best, seconds), small.open_loop(SMALL_RATE, seconds))
    cpu = processes.cpu().since(before)
    tell("and half of the best again")
    after = await driver.open_loop(HALF * best, seconds / 2)
    tell("and the best rate again")
    again = await _best(driver, seconds / 2, best)
    left_out = driver.left_out + small.left_out
    return _overload((best, again), seconds, cpu, left_out, (normal, heavy, light, after))


async def _best(driver: Driver, seconds: float, expected: float) -> float:
    """Exchanges a second in a closed loop, by the better number of callers."""
    best = 0.0
    for callers in CALLERS:
        await driver.stock.add(ITEMS, int(4 * seconds * max(best, expected)))
        answered = [one for one in await driver.closed_loop(callers, seconds) if one.status == OK]
        best = max(best, len(answered) / max(one.ended for one in answered))
    return best


def _overload(
    best: tuple[float, float], seconds: float, cpu: CpuTimes, left_out: int, phases: Sequence[Sequence[Answer]]
) -> Overload:
    normal, heavy, light, after = phases
    lasted = max(one.ended for one in heavy)
    normal_p99 = percentile([one.seconds for one in normal], 0.99)
    counted = [one for one in heavy if one.status == OK and SETTLING <= one.ended <= seconds]
    refused = [one.seconds for one in heavy if one.status in REFUSED]
    accepted = [one.seconds for one in heavy if one.status == OK]
    return Overload(
        best=best[0],
        best_again=best[1],
        late_p99=percentile([one.late for one in heavy], 0.99),
        normal_p99=normal_p99,
        cores=CpuTimes(cpu.server / lasted, cpu.departments / lasted, cpu.generator / lasted),
        offered=len(heavy) / seconds,
        goodput=len(counted) / (seconds - SETTLING),
        accepted_p50=percentile(accepted, 0.5),
        accepted_p99=percentile(accepted, 0.99),
        refused=len(refused),
        refused_p50=percentile(refused, 0.5),
        refused_p99=percentile(refused, 0.99),
        refused_longest=max(refused, default=0.0),
        without_retry_after=sum(one.status in REFUSED and not one.says_when for one in heavy),
        broken=sum(one.status not in REFUSED | {OK} for one in (*heavy, *light, *after)),
        left_out=left_out,
        small_answered=sum(one.status == OK for one in light),
        small_refused=sum(one.status in REFUSED for one in light),
        small_p99=percentile([one.seconds for one in light], 0.99),
        recovered_within=_recovered(after, normal_p99),
    )


def _recovered(after: Sequence[Answer], normal: float) -> float:
    """Seconds after which nothing is refused, and nothing takes twice as long as nearly all did before."""
    bad = [one.sent for one in after if one.status != OK or one.seconds > 2 * normal]
    return (max(bad) // SPAN + 1) * SPAN if bad else 0.0
