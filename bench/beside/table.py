"""What stands beside each other, for people."""

from rich.console import Console
from rich.table import Table

from bench.beside.measure import CALLERS
from bench.beside.rows import AS_IT_IS, RULES, Row
from bench.beside.summary import Compared
from bench.summary import Figures, Spread

_SAME = ("store", "proc", "items", "dept ms", "uses", "else")


def show_beside(console: Console, compared: Compared) -> None:
    """Print the rates, what they cost, and the latency at a steady rate."""
    console.print(_rates(compared))
    console.print(_costs(compared))
    if compared.latency:
        console.print(_latency(compared))
    if compared.recorded:
        console.print("Departments: one process that gives recorded answers.", soft_wrap=True)
    if compared.dropped:
        told = f"Dropped: {compared.dropped} repeats whose hello was under half of the median of their setup."
        console.print(told, soft_wrap=True)


def _rates(compared: Compared) -> Table:
    table = Table(
        title="Exchanges per second: a bare FastAPI hello, the plain program, ours",
        caption=f"{CALLERS} callers; the hello runs in our processes, all of them. Ratios within each repeat: median "
        "(least to greatest). kept: rate over the base's of the same repeat; of the slow disk, over the row that "
        "is only traced.",
    )
    _columns(table, "hello/s", "plain/s", "ours/s", "ours x hello", "ours x plain", "ours kept", "plain kept")
    for one in compared.rows:
        rates = (f"{side.rate:,.0f}" for side in (one.hello, one.plain, one.ours))
        spreads = map(_cell, (one.of_hello, one.of_plain, one.our_kept, one.plain_kept))
        table.add_row(*_same(one.row), *rates, *spreads)
    return table


def _costs(compared: Compared) -> Table:
    table = Table(
        title="What an exchange costs",
        caption="CPU of the program's own processes; cores: program + departments + load generator, 1 is a core; "
        "a database server is not counted. CPU x: the other's CPU over ours.",
    )
    names = ("CPU µs plain", "CPU µs ours", "CPU x hello", "CPU x plain", "MiB plain", "MiB ours")
    _columns(table, *names, "cores plain", "cores ours")
    for one in compared.rows:
        cpu = (f"{side.cpu_us:,.0f}" for side in (one.plain, one.ours))
        spreads = map(_cell, (one.of_hello_cpu, one.of_plain_cpu))
        memory = (f"{mib:,.0f}" for mib in (one.plain_mib, one.our_mib))
        table.add_row(*_same(one.row), *cpu, *spreads, *memory, _cores(one.plain), _cores(one.ours))
    return table


def _latency(compared: Compared) -> Table:
    table = Table(
        title=f"Latency at {compared.latency[0].rate:g} a second, milliseconds from when each call was due",
        caption="departments alone: asked at the same rate in the same window by the load generator itself. "
        "added: the difference within each window.",
    )
    _columns(table, "percentile", "ours", "departments alone", "added")
    for one in compared.latency:
        table.add_row(*_same(one.row), f"p{one.part * 100:.0f}", *map(_cell, (one.ours, one.alone, one.added)))
    return table


def _columns(table: Table, *names: str) -> None:
    for name in (*_SAME, *names):
        table.add_column(name, justify="right", no_wrap=True)


def _same(row: Row) -> tuple[str, ...]:
    setup = row.setup
    other = [setup.disk] if setup.disk != AS_IT_IS else []
    other += [setup.rules] if setup.rules != RULES["on"] else []
    other += [f"{setup.older:,} older"] if setup.older else []
    return setup.store, str(setup.processes), str(row.items), str(row.delay_ms), str(row.uses), ", ".join(other)


def _cell(spread: Spread | None) -> str:
    return "" if spread is None else str(spread)


def _cores(figures: Figures) -> str:
    return f"{figures.server:.2f} + {figures.departments:.2f} + {figures.generator:.2f}"
