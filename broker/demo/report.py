"""How the story is told: each step as a line on stderr while it runs, and all of it as one JSON object at the end."""

import time
from collections.abc import Awaitable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Generic, TypeVar

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from broker.client import Reply

T = TypeVar("T")


class NotAsItShouldBe(Exception):
    """A step of the story did not do what it should: the sentence says what should have been."""


@dataclass(frozen=True, slots=True)
class Told(Generic[T]):
    """What a step came to: a value for later steps, one sentence, and something to look at where there is."""

    value: T
    detail: str
    shown: RenderableType | None = None


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    ok: bool
    seconds: float
    detail: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """An attempt that must fail, and how it failed."""

    name: str
    expected: str
    code: str
    status: int
    ok: bool


@dataclass(slots=True)
class Report:
    """What has been told so far. `receipts` are those of the exchanges; the first is that of `results`."""

    console: Console
    began: float = field(default_factory=time.monotonic)
    steps: list[Step] = field(default_factory=list)
    results: list[Mapping[str, Any]] = field(default_factory=list)
    receipts: list[Mapping[str, str]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    verification: dict[str, Any] = field(default_factory=lambda: {"ok": False})

    @property
    def ok(self) -> bool:
        """Whether there was a story and every step of it did what it should."""
        return bool(self.steps) and all(step.ok for step in self.steps)

    async def step(self, name: str, title: str, doing: Awaitable[Told[T]]) -> T:
        """Take one step. Raises NotAsItShouldBe, once it is written down, whatever went wrong."""
        began = time.monotonic()
        try:
            told = await doing
        except Exception as error:
            detail = str(error) if isinstance(error, NotAsItShouldBe) else f"{type(error).__name__}: {error}"
            self._note(Step(name, ok=False, seconds=_since(began), detail=detail), title)
            raise NotAsItShouldBe(f"{name}: {detail}") from error
        self._note(Step(name, ok=True, seconds=_since(began), detail=told.detail), title)
        if told.shown is not None:
            self.console.print(told.shown)
        return told.value

    def refused(self, name: str, reply: Reply, expected: str) -> None:
        """Write down how an attempt that must fail was answered. Raises NotAsItShouldBe."""
        ok = reply.code == expected and reply.status >= 400  # noqa: PLR2004 - HTTP: refused from here on
        self.refusals.append(Refusal(name, expected, reply.code, reply.status, ok))
        check(ok, f"{name} should be refused as {expected}; it was answered {reply.status} {reply.code}")

    def members(self) -> dict[str, Any]:
        """The JSON object of `--json`."""
        return {
            "ok": self.ok,
            "steps": [asdict(step) for step in self.steps],
            "results": self.results,
            "receipts": self.receipts,
            "refusals": [asdict(refusal) for refusal in self.refusals],
            "verification": self.verification,
            "seconds": _since(self.began),
        }

    def summary(self) -> Table:
        """Every step on one line, and how long it took."""
        table = Table("", "步骤 step", "秒 s", title="小结 Summary")
        for step in self.steps:
            table.add_row(_mark(step), step.name, f"{step.seconds:.1f}")
        table.add_row("", "全部 in all", f"{_since(self.began):.1f}", style="bold")
        return table

    def _note(self, step: Step, title: str) -> None:
        self.steps.append(step)
        self.console.print(Text.assemble("\n", _mark(step), " ", (title, "bold")))
        self.console.print(Text(f"  {step.detail}"))


def check(holds: bool, should: str) -> None:
    """Raises NotAsItShouldBe with what should have been."""
    if not holds:
        raise NotAsItShouldBe(should)


def answered(reply: Reply, status: int) -> Mapping[str, Any]:
    """The members of an answer of that status. Raises NotAsItShouldBe."""
    check(reply.status == status, f"should be answered {status}; it was answered {reply.status} {reply.code}".rstrip())
    return reply.members


def refusal_table(refusals: list[Refusal]) -> Table:
    table = Table("", "试图 attempt", "被拒绝 refused as", "HTTP")
    for refusal in refusals:
        table.add_row(_mark(refusal), refusal.name, refusal.code, str(refusal.status))
    return table


def _mark(of: Step | Refusal) -> Text:
    return Text("✓", style="green") if of.ok else Text("✗", style="bold red")


def _since(began: float) -> float:
    return round(time.monotonic() - began, 2)
