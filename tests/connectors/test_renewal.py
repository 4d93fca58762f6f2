"""Renewing a secret: early, by one holder at a time, and never lost with whoever asked for it."""

import asyncio
import itertools
from collections.abc import Iterator

import pytest

from connectors.gateways.renewal import Issued, Renewal
from connectors.memory import OwnMemory
from connectors.trouble import DepartmentError
from policies.vocabulary import Outcome

LIFE_MS = 900_000


class Gateway:
    """Issues numbered secrets; notes what it was shown, and whether two asked at once."""

    def __init__(self) -> None:
        self.now = 1_795_680_000.0
        self.shown: list[str] = []
        self.together = 0
        self.fails: Exception | None = None
        self.takes = 0.0
        self._numbers: Iterator[int] = itertools.count(1)
        self._inside = 0

    def seconds(self) -> float:
        return self.now

    def now_ms(self) -> int:
        return int(self.now * 1000)

    async def issue(self, held: Issued | None) -> Issued:
        self._inside += 1
        self.together = max(self.together, self._inside)
        self.shown.append(held.secrets["n"] if held else "")
        try:
            await asyncio.sleep(self.takes)
        finally:
            self._inside -= 1
        if self.fails is not None:
            raise self.fails
        now = self.now_ms()
        return Issued({"n": str(next(self._numbers))}, now, now + LIFE_MS * 10 // 15, now + LIFE_MS)


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


def renewals(gateway: Gateway, count: int, settle: float = 0.0) -> list[Renewal]:
    """As many processes over one memory."""
    memory = OwnMemory(gateway.seconds)
    return [Renewal("secret/x", memory, gateway.now_ms, settle) for _ in range(count)]


async def number(renewal: Renewal, gateway: Gateway, refused: Issued | None = None) -> str:
    return (await renewal.current(gateway.issue, refused)).secrets["n"]


async def test_ten_of_fifteen_minutes(gateway: Gateway) -> None:
    (renewal,) = renewals(gateway, 1)
    assert await number(renewal, gateway) == "1"
    gateway.now += 599
    assert await number(renewal, gateway) == "1"
    gateway.now += 2
    assert await number(renewal, gateway) == "2"
    assert gateway.shown == ["", "1"]


async def test_of_many_processes_and_callers_one_renews(gateway: Gateway) -> None:
    gateway.takes = 0.05
    many = renewals(gateway, 4, settle=0.05)
    for wanted in ("1", "2", "3"):
        got = await asyncio.gather(*(number(one, gateway) for one in many for _ in range(5)))
        assert set(got) == {wanted}
        gateway.now += 601
    assert (gateway.shown, gateway.together) == (["", "1", "2"], 1)


async def test_while_it_is_renewed_nobody_signs_with_the_old_one(gateway: Gateway) -> None:
    one, other = renewals(gateway, 2)
    await number(one, gateway)
    gateway.now += 601
    gateway.takes = 0.1
    renewing = asyncio.create_task(number(one, gateway))
    await asyncio.sleep(0.02)
    waiting = asyncio.create_task(number(other, gateway))
    await asyncio.sleep(0.04)
    assert not waiting.done()
    assert (await renewing, await waiting) == ("2", "2")


async def test_a_caller_that_goes_away_does_not_lose_the_new_secret(gateway: Gateway) -> None:
    one, other = renewals(gateway, 2)
    gateway.takes = 0.1
    gone = asyncio.create_task(number(one, gateway))
    await asyncio.sleep(0.02)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    assert await number(other, gateway) == "1"
    assert gateway.shown == [""]


async def test_where_renewing_fails_the_old_one_serves_until_its_end(gateway: Gateway) -> None:
    (renewal,) = renewals(gateway, 1)
    await number(renewal, gateway)
    gateway.fails = OSError()
    gateway.now += 601
    assert [await number(renewal, gateway) for _ in range(5)] == ["1"] * 5
    assert len(gateway.shown) == 2, "it is not tried at every question"
    gateway.now += 31
    assert await number(renewal, gateway) == "1"
    assert len(gateway.shown) == 3
    gateway.now += 300
    with pytest.raises(OSError):
        await number(renewal, gateway)
    gateway.fails = None
    assert await number(renewal, gateway) == "2"


async def test_a_holder_that_died_is_followed_when_its_claim_has_passed(gateway: Gateway) -> None:
    memory = OwnMemory(gateway.seconds)
    renewal = Renewal("secret/x", memory, gateway.now_ms, 0)
    await memory.claim("secret/x", "dead", 15)
    waiting = asyncio.create_task(number(renewal, gateway))
    await asyncio.sleep(0.06)
    assert not waiting.done()
    gateway.now += 15
    assert await waiting == "1"


async def test_a_refused_secret_is_given_up_once_and_a_new_one_refused_is_an_answer(gateway: Gateway) -> None:
    one, other = renewals(gateway, 2)
    refused = await one.current(gateway.issue)
    gateway.now += 60
    assert await number(one, gateway, refused) == "2"
    assert await number(other, gateway, refused) == "2", "another process has seen to it"
    assert gateway.shown == ["", ""], "from the start: what it issued before is worth nothing"
    again = await one.current(gateway.issue)
    with pytest.raises(DepartmentError) as raised:
        await one.current(gateway.issue, again)
    assert (raised.value.outcome, raised.value.code) == (Outcome.AUTH_FAILED, "new_secret_refused")
    assert len(gateway.shown) == 2


async def test_closing_gives_up_the_claim(gateway: Gateway) -> None:
    one, other = renewals(gateway, 2)
    gateway.takes = 9
    asking = asyncio.create_task(number(one, gateway))
    await asyncio.sleep(0.02)
    await one.aclose()
    await asyncio.gather(asking, return_exceptions=True)
    gateway.takes = 0
    assert await number(other, gateway) == "1"


async def test_what_is_kept_shows_in_no_repr(gateway: Gateway) -> None:
    assert "n" not in repr(await gateway.issue(None)).removeprefix("Issued")
