"""What an operator learns of departments: /readyz, /metrics and the log line, with the code and without a person."""

import asyncio
import copy
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from broker.cli import app
from broker.commands.exits import ExitCode
from broker.founding import CONFIGURATION, found_broker
from connectors.departments.fleet import Fleet
from connectors.departments.people import XU
from tests.world import ITEMS, World, open_world

LIMITS = """
        limits:
          hours: {windows: ["00:00-00:01"], days: [mon]}
          outages: [{from: "2020-01-01 00:00", to: "2099-12-31 00:00", reason: 系统升级}]"""


async def departments(world: World) -> dict[str, list[dict[str, Any]]]:
    async with world.http.get(f"{world.issuer}/readyz") as reply:
        assert reply.status == 200, "a department's trouble is its own"
        told: dict[str, list[dict[str, Any]]] = (await reply.json())["departments"]
        return told


async def test_an_operator_learns_how_each_department_does(world: World, fleet: Fleet) -> None:
    before = await departments(world)
    assert {route["state"] for routes in before.values() for route in routes} == {"unasked"}
    centre, phone = await world.centre(), await world.phone(XU)
    consent = await world.grant(centre, phone, items=ITEMS)
    fleet.set_fault("beijing_fund", "500")
    try:
        await world.pull(centre, consent)
    finally:
        fleet.set_fault("beijing_fund", "none")
    told = {route["item"]: route for routes in (await departments(world)).values() for route in routes}
    assert told["hpf_remote_account"]["state"] == "failing"
    assert told["hpf_remote_account"]["outcome"] == "department_down"
    assert told["deed_tax"] | {"asked_at": ""} == {
        "route": "tax-exchange-db",
        "item": "deed_tax",
        "state": "well",
        "outcome": "found",
        "asked_at": "",
    }
    async with world.http.get(f"{world.issuer}/metrics") as reply:
        metrics = await reply.text()
    taxed = 'broker_department_answers_total{department="taxation",outcome="found",route="tax-exchange-db"} 1.0'
    assert taxed in metrics
    assert 'broker_department_seconds_count{department="taxation",route="tax-exchange-db"} 1.0' in metrics
    (line,) = [one for one in map(json.loads, world.log.getvalue().splitlines()) if "in_trouble" in one["event"]]
    assert (line["route"], line["outcome"], line["code"]) == ("beijing-fund", "department_down", "http_500")
    for text in (metrics, world.log.getvalue(), str(told)):
        assert XU.id_number not in text
        assert XU.name not in text


async def test_a_closed_department_is_not_asked_and_the_rest_is_delivered(tmp_path: Path, fleet: Fleet) -> None:
    closed = copy.copy(fleet)
    closed.routes_file = tmp_path / "departments.yaml"
    text = fleet.routes_file.read_text(encoding="utf-8")
    closed.routes_file.write_text(
        text.replace("        concurrency: 8", f"        concurrency: 8{LIMITS}", 1), encoding="utf-8"
    )
    async with open_world(tmp_path, closed) as world:
        centre, phone = await world.centre(), await world.phone(XU)
        consent = await world.grant(centre, phone, items=ITEMS)
        before = await asyncio.to_thread(fleet.calls, "tax")
        reply = await world.pull(centre, consent)
        outcomes = {result["item"]: result["outcome"] for result in reply.members["results"]}
        assert outcomes.pop("deed_tax") == "closed_hours"
        assert "department_down" not in outcomes.values()
        assert (await asyncio.to_thread(fleet.calls, "tax"))["count"] == before["count"]
        (tax,) = (await departments(world))["taxation"]
        assert tax["state"] == "closed"
        world.check_log()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("concurrency: 8\n        retry_for_ever: true", "retry_for_ever"),
        ("concurrency: 8\n        secret: nowhere", "never the secret itself"),
        ("concurrency: 8\n        secret: hunter2hunter2hunter2", "never the secret itself"),
        ('concurrency: 8\n        limits: {hours: {windows: ["09:00-09:00"]}}', "is empty"),
        ("concurrency: 8\n        limits: {fall_back_on: [resting]}", "resting"),
        ("concurrency: 8\n        limits: {fall_back_on: [found]}", "nobody else is asked"),
    ],
)
def test_broker_check_names_file_and_line(tmp_path: Path, fleet: Fleet, wrong: str, says: str) -> None:
    file = tmp_path / "departments.yaml"
    text = fleet.routes_file.read_text(encoding="utf-8").replace("concurrency: 8", wrong, 1)
    file.write_text(text, encoding="utf-8")
    found_broker(
        tmp_path / "broker",
        issuer="http://127.0.0.1:1",
        port=1,
        routes=file,
        route_secrets=fleet.secrets_folder,
        test_identity=True,
    )
    result = CliRunner().invoke(app, ["check", "--config", str(tmp_path / "broker" / CONFIGURATION)])
    assert result.exit_code == ExitCode.USAGE
    told = " ".join(result.output.split())
    line = next(n for n, one in enumerate(text.split("\n"), 1) if "concurrency: 8" in one) + 1
    assert f"departments.yaml:{line}:" in told.replace(" ", "") or f"departments.yaml:{line}:" in told
    assert says in told
    assert "hunter2" not in told
