"""A secret that lives for minutes or hours: one process renews it for all, early, and never two at once.

A gateway may kill the old secret the moment it issues a new one. So whoever renews claims the renewal first, waits
until requests already signed have arrived, asks, keeps the new secret and lets go; while it is claimed nobody signs.
A holder that dies holds up the others until its claim has passed; a slow one cannot overwrite a newer secret.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import msgspec

from connectors.memory import Memory
from connectors.trouble import DepartmentError
from policies.vocabulary import Outcome

_CLAIM_SECONDS: Final = 15
_RENEWAL_SECONDS: Final = 10
"""Less than a claim, so that no other process begins while this one may still be asking."""
_LOOK_SECONDS: Final = 0.02
_AFTER_FAILURE_MS: Final = 30_000
_YOUNG_MS: Final = 30_000


class Issued(msgspec.Struct, frozen=True):
    """Secrets as a gateway issued them together; times are milliseconds since 1970 by our clock."""

    secrets: dict[str, str]
    issued_ms: int
    renew_ms: int
    ends_ms: int

    def __repr__(self) -> str:
        return "Issued(...)"


Issue: TypeAlias = Callable[[Issued | None], Awaitable[Issued]]
"""Ask the gateway: with what it issued before, or with None from the start. Raises DepartmentError or OSError."""


class Renewal:
    """One secret of one gateway, under a name that all processes and routes using it share."""

    def __init__(self, name: str, memory: Memory, now_ms: Callable[[], int], settle: float) -> None:
        self._name = name
        self._memory = memory
        self._now_ms = now_ms
        self._settle = settle
        self._holder = uuid.uuid4().hex
        self._task: asyncio.Task[Issued | None] | None = None

    async def current(self, issue: Issue, refused: Issued | None = None) -> Issued:
        """Return a secret that may be used now, and is not the one a gateway refused. The caller bounds the time."""
        while True:
            held = await self._memory.read(self._name)
            issued = _read(held.text)
            if not held.claimed:
                if issued is not None and issued != refused and self._now_ms() < issued.renew_ms:
                    return issued
                renewed = await self._one_renewal(issue, refused)
                if renewed is not None and renewed != refused:
                    return renewed
            await asyncio.sleep(_LOOK_SECONDS)

    async def aclose(self) -> None:
        """End a renewal that is under way, and give up its claim."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _one_renewal(self, issue: Issue, refused: Issued | None) -> Issued | None:
        """In a task of its own: a caller that goes away must not leave the gateway's answer unkept."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._renew(issue, refused))
            self._task.add_done_callback(_look_at)
        return await asyncio.shield(self._task)

    async def _renew(self, issue: Issue, refused: Issued | None) -> Issued | None:
        text = await self._memory.claim(self._name, self._holder, _CLAIM_SECONDS)
        if text is None:
            return None
        before = _read(text)
        if before is not None and before != refused and self._now_ms() < before.renew_ms:
            await self._memory.give_up(self._name, self._holder)
            return before  # another process was quicker
        try:
            after = await self._asked(issue, before, refused)
        except BaseException:
            await self._memory.give_up(self._name, self._holder)
            raise
        kept = await self._memory.keep(self._name, self._holder, msgspec.json.encode(after).decode())
        return after if kept else None

    async def _asked(self, issue: Issue, before: Issued | None, refused: Issued | None) -> Issued:
        now_ms = self._now_ms()
        if refused is not None and now_ms - refused.issued_ms < _YOUNG_MS:
            raise DepartmentError(Outcome.AUTH_FAILED, "new_secret_refused")  # or a bent gateway is asked for ever
        alive = before if before is not None and before != refused and now_ms < before.ends_ms else None
        try:
            async with asyncio.timeout(_RENEWAL_SECONDS):
                await asyncio.sleep(self._settle if before is not None else 0)
                return await issue(before if before != refused else None)
        except (DepartmentError, OSError):
            if alive is None:
                raise
            return msgspec.structs.replace(alive, renew_ms=min(alive.ends_ms, now_ms + _AFTER_FAILURE_MS))


def _read(text: str) -> Issued | None:
    try:
        return msgspec.json.decode(text, type=Issued) if text else None
    except msgspec.DecodeError:
        return None


def _look_at(task: "asyncio.Task[Issued | None]") -> None:
    if not task.cancelled():
        task.exception()  # or asyncio would log it when every caller has gone
