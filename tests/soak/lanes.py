"""People and the clerks who serve them, going on and on: what they were answered is written down for the end."""

import asyncio
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

from audit import verify
from broker.client import Reply, RequesterClient
from broker.demo.phone import Phone
from consent.grants import payload_of
from tests.crash.callers import GONE, LATER
from tests.faults.serving import grant, pull_members
from tests.faults.test_kill import USES
from tests.world import letters

AGAIN: Final = LATER | {"busy", "rate_limited"}
ENDED: Final = frozenset({"consent_withdrawn", "consent_used_up"})
ANSWERED_WITHIN: Final = 60.0
REST: Final = 0.05


@dataclass
class Answers:
    """Every answer's exchange and receipt, verified when it came, in a file: an hour's are too many to hold."""

    file: Path
    vkey: str
    seen: Counter[str] = field(default_factory=Counter)
    """By status or code."""
    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    """From the first try to the answer."""

    def keep(self, exchange: str, reply: Reply, took: float) -> None:
        verify.verify_receipt(reply.members["receipt"], self.vkey, reply.members["results"])
        self.outcomes.update(result["outcome"] for result in reply.members["results"])
        self.seconds.append(took)
        with self.file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"exchange": exchange, "receipt": dict(reply.members["receipt"])}) + "\n")

    def kept(self) -> list[dict[str, Any]]:
        with self.file.open(encoding="utf-8") as stream:
            return [json.loads(line) for line in stream]


@dataclass
class Lane:
    """One person's."""

    centre: RequesterClient
    phone: Phone
    answers: Answers
    chance: random.Random
    pause: float
    """Seconds between two exchanges, on average."""
    consent: str = ""
    withdrawn: int = 0

    async def go_on(self, over: asyncio.Event) -> None:
        while not over.is_set():
            self.consent = await self._granted()
            for _ in range(USES if self.consent else 0):
                await asyncio.sleep(self.chance.uniform(0, 2 * self.pause))
                if over.is_set() or not await self._exchange(self.consent):
                    break

    async def withdraw(self) -> None:
        """Withdraw what stands now, whatever is under way; acknowledged, or there was nothing to withdraw any more."""
        if not self.consent:
            return
        jti = payload_of(self.consent)["jti"]
        end = time.monotonic() + ANSWERED_WITHIN
        while time.monotonic() < end:
            try:
                reply = await self.phone.withdraw(jti)
            except GONE:
                continue
            if reply.status == 200 or reply.code in ENDED:
                self.withdrawn += 1
                return
            await self._wait_for(reply)
        raise AssertionError("a withdrawal was never acknowledged")

    async def _granted(self) -> str:
        """A consent; empty where a broker went away meanwhile, or the session ended."""
        try:
            return await grant(self.centre, self.phone)
        except GONE:
            self.answers.seen["cut while granting"] += 1
            return ""
        except AssertionError as error:
            known = [code for code in (*AGAIN, "not_signed_in", "step_up_required") if code in str(error)]
            if not known:
                raise
            await self._signed_in()
            return ""

    async def _exchange(self, consent: str) -> bool:
        """Ask until it is answered, as a centre does; False where the consent has ended."""
        exchange, began = f"soak-{letters()}", time.monotonic()
        while time.monotonic() - began < ANSWERED_WITHIN:
            try:
                reply = await self.centre.exchange(**pull_members(exchange, consent))
            except GONE:
                self.answers.seen["cut"] += 1
                continue
            self.answers.seen[reply.code or str(reply.status)] += 1
            if reply.status == 200:
                self.answers.keep(exchange, reply, time.monotonic() - began)
                return True
            if reply.code in ENDED:
                return False
            await self._wait_for(reply)
        raise AssertionError(f"{exchange} was never answered")

    async def _wait_for(self, reply: Reply) -> None:
        if reply.code in {"not_signed_in", "step_up_required"}:
            await self._signed_in()
        else:
            assert reply.code in AGAIN, reply.members
            await asyncio.sleep(REST)

    async def _signed_in(self) -> None:
        try:
            await self.phone.sign_in()
        except (*GONE, aiohttp.ClientError):
            await asyncio.sleep(REST)
