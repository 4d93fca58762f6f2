"""One row of the table of refusals: a cause, and what must come of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from broker.client import Reply
from policies.refusals import Code
from tests.world import World


@dataclass(frozen=True, slots=True)
class Row:
    """`cause` brings the refusal about over the wire and returns it."""

    cause: Callable[[World], Awaitable[Reply]]
    status: int
    code: Code
    token: str = ""
    recorded: bool = False
    """Whether it leaves one `exchange.refused` with this code; every other refusal leaves none."""

    @property
    def name(self) -> str:
        return str(getattr(self.cause, "__name__", ""))
