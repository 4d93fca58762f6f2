"""The figures for people: tables on stdout, and what must be known to read it."""

from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.beside.run import Shown
from bench.beside.table import show_beside
from bench.machine import Machine
from bench.summary import Figures, Summary


@dataclass(frozen=True, slots=True)
class Whole:
    """Everything that one run showed."""

    machine: Machine
    summary: Summary
    beside: Shown | None

    def members(self) -> dict[str, Any]:
        """As in the JSON output."""
        beside = {"beside": self.beside.compared.members()} if self.beside is not None else {}
        return {"machine": self.machine.members(), **self.summary.members(), **beside}


def show(whole: Whole, proven: str) -> None:
    """Print the tables, the machine and what was proven of the run."""
    console = Console(highlight=False)
    if not console.is_terminal:  # a pipe is not 80 columns wide, and a figure cut off is none
        console.width = 220
    if whole.summary.rows:
        _show_exchanges(console, whole.summary)
    if whole.beside is not None:
        show_beside(console, whole.beside.compared)
    console.print(f"Machine: {whole.machine}.", soft_wrap=True)
    console.print(f"Proof: {proven}.", soft_wrap=True)


def _show_exchanges(console: Console, summary: Summary) -> None:
    console.print(_table(summary))
    for mix in summary.mixes:
        console.print(
            f"Kinds over plain JSON, callers {mix.callers}: req/s {mix.rate}, CPU of plain over kinds {mix.cpu}.",
            soft_wrap=True,
        )
    if summary.dropped:
        console.print(
            f"Dropped: {summary.dropped} repeats whose hello was under half of the run's median.", soft_wrap=True
        )


def _table(summary: Summary) -> Table:
    table = Table(
        title="Exchanges, and a bare FastAPI hello in the same process",
        caption="x hello: median (least to greatest) of all repeats; 1 means as fast, or as cheap, as the hello. "
        "cores: CPU of broker + departments + load generator, 1 is a core; database servers are not counted. "
        "ticket, push, files, manual: until the answer (202) that says pending.",
    )
    for name in ("items", "callers", "req/s", "p50 ms", "p99 ms", "CPU µs", "cores", "req/s x hello", "CPU x hello"):
        table.add_column(name, justify="right", no_wrap=True)
    for callers, figures in summary.hellos.items():
        table.add_row("hello", str(callers), *_cells(figures), "1", "1")
    before = ""
    for row in summary.rows:
        ratios = (str(row.of_hello_rate), str(row.of_hello_cpu))
        if row.case.ground != before:
            table.add_section()
        before = row.case.ground
        table.add_row(row.case.name, str(row.case.callers), *_cells(row.figures), *ratios)
    return table


def _cells(figures: Figures) -> tuple[str, ...]:
    return (
        f"{figures.rate:,.0f}",
        f"{figures.p50_ms:.2f}",
        f"{figures.p99_ms:.2f}",
        f"{figures.cpu_us:,.0f}",
        f"{figures.server:.2f} + {figures.departments:.2f} + {figures.generator:.2f}",
    )
