"""The figures for people: one table on stdout, and what must be known to read it."""

from rich.console import Console
from rich.table import Table

from bench.machine import Machine
from bench.summary import Figures, Summary


def show(machine: Machine, summary: Summary, proven: str) -> None:
    """Print the table, the machine and what was proven of the run."""
    console = Console(highlight=False)
    if not console.is_terminal:  # a pipe is not 80 columns wide, and a figure cut off is none
        console.width = 160
    console.print(_table(summary))
    console.print(f"Machine: {machine}.", soft_wrap=True)
    console.print(f"Proof: {proven}.", soft_wrap=True)
    if summary.dropped:
        console.print(
            f"Dropped: {summary.dropped} repeats whose hello was under half of the run's median.", soft_wrap=True
        )


def _table(summary: Summary) -> Table:
    table = Table(
        title="Exchanges, and a bare FastAPI hello in the same process",
        caption="x hello: median (least to greatest) of all repeats; 1 means as fast, or as cheap, as the hello. "
        "cores: CPU of broker + departments + load generator, 1 is a core.",
    )
    for name in ("items", "callers", "req/s", "p50 ms", "p99 ms", "CPU µs", "cores", "req/s x hello", "CPU x hello"):
        table.add_column(name, justify="right", no_wrap=True)
    for callers, figures in summary.hellos.items():
        table.add_row("hello", str(callers), *_cells(figures), "1", "1")
    table.add_section()
    for row in summary.rows:
        ratios = (str(row.of_hello_rate), str(row.of_hello_cpu))
        table.add_row(str(len(row.case.items)), str(row.case.callers), *_cells(row.figures), *ratios)
    return table


def _cells(figures: Figures) -> tuple[str, ...]:
    return (
        f"{figures.rate:,.0f}",
        f"{figures.p50_ms:.2f}",
        f"{figures.p99_ms:.2f}",
        f"{figures.cpu_us:,.0f}",
        f"{figures.server:.2f} + {figures.departments:.2f} + {figures.generator:.2f}",
    )
