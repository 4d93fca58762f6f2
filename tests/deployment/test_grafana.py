"""The dashboard shows what /metrics of a real broker really has, and nothing else; what matters is on it."""

import json
import re
from pathlib import Path
from typing import Any

from connectors.departments.people import XU
from tests.world import World

FILE = Path(__file__).resolve().parents[2] / "broker" / "deployment" / "grafana.json"
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
PROMETHEUS_OWN = frozenset({"instance", "le"})
MATTERS = (
    *("requests", "refusals", "outcomes", "request_seconds", "log_size", "quorum_age_seconds", "possible_fork"),
    *("department_answers", "department_seconds", "department_breaker", "department_quota_left"),
    *(
        "exchanges_under_way",
        "slow_clients",
        "department_waiting",
        "timestamp_age_seconds",
        "backup_age_seconds",
        "backup_drill_failed",
    ),
)


def expressions() -> list[str]:
    dashboard = json.loads(FILE.read_text(encoding="utf-8"))
    asked: list[str] = [one["definition"] for one in dashboard["templating"]["list"] if "definition" in one]
    return asked + [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]


async def exposed(world: World) -> dict[str, frozenset[str]]:
    """Every series that /metrics can have, and its labels, as the page and the registry say."""
    async with world.http.get(f"{world.issuer}/metrics") as response:
        page = await response.text()
    kinds = dict(re.findall(r"^# TYPE (broker_\w+?)(?:_total)? (counter|gauge|histogram)$", page, re.MULTILINE))
    collectors: dict[Any, list[str]] = world.broker.telemetry.registry._collector_to_names
    labels = {name: frozenset(one._labelnames) for one, names in collectors.items() for name in names}
    return {f"{name}{suffix}": labels[name] for name, kind in kinds.items() for suffix in SUFFIXES[kind]}


async def test_each_series_and_each_label_is_there(world: World) -> None:
    centre, phone = await world.centre(), await world.phone(XU)
    assert (await world.pull(centre, await world.grant(centre, phone))).status == 200
    there = await exposed(world)
    for expression in expressions():
        shown = set(re.findall(r"broker_\w+", expression))
        assert shown
        assert shown <= there.keys(), expression
        known = PROMETHEUS_OWN.union(*(there[name] for name in shown))
        filtered = re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", expression)
        grouped = [name for group in re.findall(r"by \(([^)]*)\)", expression) for name in group.split(", ")]
        assert known >= {*filtered, *grouped}, expression


async def test_the_route_that_is_watched_is_counted_under_that_name(world: World) -> None:
    centre, phone = await world.centre(), await world.phone(XU)
    assert (await world.pull(centre, await world.grant(centre, phone))).status == 200
    asked = {found for expression in expressions() for found in re.findall(r'route="([^"]+)"', expression)}
    async with world.http.get(f"{world.issuer}/metrics") as response:
        page = await response.text()
    assert asked
    assert all(f'route="{route}"' in page for route in asked)


def test_what_matters_is_shown() -> None:
    shown = " ".join(expressions())
    assert not [name for name in MATTERS if f"broker_{name}" not in shown]
