"""The same figures as pictures: small static SVGs, readable in light and dark, that need nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from bench.beside.summary import Added, Compared
from bench.summary import Spread

WIDTH: Final = 760
_LEFT: Final = 250
_RIGHT: Final = 90
_TOP: Final = 64
_STEP: Final = 30
_BAR: Final = 14
_STYLE: Final = (
    ":root{--ink:#1c1f23;--faint:#8a9099;--bar:#2f6db5;--bar2:#c2703d;--back:#ffffff}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e8eb;--faint:#7f868f;--bar:#6ea8e8;--bar2:#e39a6b;--back:#15181c}}"
    "text{font:12px system-ui,sans-serif;fill:var(--ink)}.title{font-size:15px;font-weight:600}.tick{fill:var(--faint)}"
    ".back{fill:var(--back)}.line{stroke:var(--faint);stroke-width:1}.grid{stroke:var(--faint);opacity:.25}"
    ".first{fill:var(--bar)}.second{fill:var(--bar2)}.whisker{stroke:var(--ink);stroke-width:1.5;fill:none}"
)


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    spread: Spread
    second: bool = False
    """Drawn in the other colour."""


@dataclass(frozen=True, slots=True)
class Chart:
    title: str
    axis: str
    """What the values are, with their unit."""
    bars: tuple[Bar, ...]
    note: str = ""
    """What must be known to read the labels."""


def write_charts(folder: Path, compared: Compared) -> list[Path]:
    """Write what was measured; the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, chart in charts_of(compared).items():
        file = folder / f"{name}.svg"
        file.write_text(drawn(chart), encoding="utf-8")
        written.append(file)
    return written


def charts_of(compared: Compared) -> dict[str, Chart]:
    """By file name; without what was not measured."""
    base = compared.base
    labels = ["base" if one.row == base else one.row.beside(base) for one in compared.rows]
    note = f". base: {base.beside(base)}"
    of_plain = tuple(Bar(label, one.of_plain) for label, one in zip(labels, compared.rows, strict=True))
    of_hello = tuple(Bar(label, one.of_hello) for label, one in zip(labels, compared.rows, strict=True))
    latency = tuple(
        Bar(f"{one.row.setup.store}, p{one.part * 100:.0f}, {who}", spread, second)
        for one in compared.latency
        for who, spread, second in (("departments alone", one.alone, True), ("ours", one.ours, False))
    )
    charts = {
        "times-plain": Chart("Exchanges per second, ours over the plain program", "times as many", of_plain, note),
        "of-hello": Chart("Exchanges per second, ours over a bare FastAPI hello", "share of the hello", of_hello, note),
        "latency": Chart(_steady(compared.latency), "milliseconds from when it was due", latency),
    }
    return {name: chart for name, chart in charts.items() if chart.bars}


def _steady(latency: Sequence[Added]) -> str:
    if not latency:
        return ""
    return f"Latency at {latency[0].rate:g} exchanges a second, departments at {latency[0].row.delay_ms} ms"


def drawn(chart: Chart) -> str:
    """An SVG: a bar to the median, a whisker from the least to the greatest."""
    ticks = ticks_to(max(bar.spread.greatest for bar in chart.bars))
    bottom = _TOP + _STEP * len(chart.bars)
    height = bottom + 52
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label={quoteattr(chart.title)}>',
        f"<style>{_STYLE}</style>",
        f'<rect class="back" width="{WIDTH}" height="{height}"/>',
        _text(16, 26, chart.title, "title"),
        _text(16, 46, f"bars: median; whiskers: least to greatest{chart.note}", "tick"),
        *(_tick(_at(tick, ticks[-1]), tick, bottom) for tick in ticks),
        f'<line class="line" x1="{_LEFT}" x2="{_LEFT}" y1="{_TOP}" y2="{bottom}"/>',
        *(_bar(bar, _TOP + _STEP * number, ticks[-1]) for number, bar in enumerate(chart.bars)),
        _text((_LEFT + WIDTH - _RIGHT) / 2, bottom + 40, chart.axis, anchor="middle"),
        "</svg>\n",
    ]
    return "\n".join(parts)


def ticks_to(greatest: float) -> Sequence[float]:
    """From 0 to the first round value that is not under `greatest`, in at most six steps."""
    if greatest <= 0:
        return [0, 1]
    step = 10.0**-9
    while True:
        for factor in (1, 2, 5):
            if step * factor * 6 >= greatest:
                each = step * factor
                count = next(number for number in range(1, 7) if each * number >= greatest)
                return [each * number for number in range(count + 1)]
        step *= 10


def _at(value: float, greatest: float) -> float:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * max(0.0, value) / greatest


def _tick(x: float, value: float, bottom: int) -> str:
    line = f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}"/>'
    return line + _text(x, bottom + 18, f"{value:.4g}", "tick", "middle")


def _bar(bar: Bar, top: int, greatest: float) -> str:
    middle = top + _STEP / 2
    least, median, most = (_at(value, greatest) for value in (bar.spread.least, bar.spread.median, bar.spread.greatest))
    kind = "second" if bar.second else "first"
    whisker = f"M{least:.1f} {middle}H{most:.1f}M{least:.1f} {middle - 4}v8M{most:.1f} {middle - 4}v8"
    return (
        _text(_LEFT - 8, middle + 4, bar.label, anchor="end")
        + f'<rect class="{kind}" x="{_LEFT}" y="{middle - _BAR / 2}" width="{median - _LEFT:.1f}" height="{_BAR}"/>'
        + f'<path class="whisker" d="{whisker}"/>'
        + _text(most + 8, middle + 4, _short(bar.spread.median))
    )


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
