"""Who hears which of its ten steps an exchange has come to: nobody, unless the settings name a place for traces."""

import asyncio
from typing import Any, Final, Protocol

STEPS: Final = ("read", "requester", "consent", "match", "decide", "admit", "ask", "minimise", "release", "answer")
"""In the order and by the names of broker/exchange.py; the first is step 1."""


class Walk(Protocol):
    """One exchange on its way. Called from the event loop and from the ledger's writer, never from both at once."""

    def at(self, step: int) -> None:
        """It has come to this step, which lasts until the next; told twice, the first holds."""

    def of(self, requester: str) -> None:
        """Whose it is: only once the requester's key has proven it."""

    def about(self, matter: str) -> None:
        """What it is about: only once it is known to be one of the catalogue's."""

    def over(self, task: "asyncio.Task[Any]") -> None:
        """It has ended, in whatever way."""


class Unheard:
    """Nobody listens."""

    def at(self, step: int) -> None:
        pass

    def of(self, requester: str) -> None:
        pass

    def about(self, matter: str) -> None:
        pass

    def over(self, task: "asyncio.Task[Any]") -> None:
        pass


UNHEARD: Final = Unheard()


class Listener(Protocol):
    """Hears of every exchange."""

    def begin(self) -> Walk:
        """An exchange begins: step 1."""
        ...

    def close(self) -> None: ...


class Nobody:
    """Hears of none."""

    def begin(self) -> Walk:
        return UNHEARD

    def close(self) -> None:
        pass
