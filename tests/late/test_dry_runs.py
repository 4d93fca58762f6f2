"""`broker departments test ITEM` for the further kinds, as somebody at a terminal runs it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from broker.cli import app
from broker.commands.exits import ExitCode
from broker.founding import found_broker
from connectors.departments.late_fleet import LateFleet
from tests.connectors.late_asking import ITEM_OF


@pytest.fixture
def routes(tmp_path: Path, late: LateFleet) -> Path:
    """The routes file of a broker that was just founded."""
    file = tmp_path / "departments.yaml"
    issuer = "http://127.0.0.1:8400"
    found_broker(tmp_path / "broker", issuer=issuer, routes=file, route_secrets=late.secrets_folder)
    return file


def dry_run(routes: Path, item: str) -> tuple[int, dict[str, Any]]:
    config = routes.parent / "broker" / "broker.yaml"
    done = CliRunner().invoke(app, ["departments", "test", item, "--json", "--config", str(config)])
    return done.exit_code, json.loads(done.stdout or "{}")


def test_each_kind_has_its_dry_run(routes: Path, late: LateFleet) -> None:
    asked = {name: late.calls(name) for name in ("civil_affairs_soap", "ticket_platform", "pushing_office")}
    for name, item in ITEM_OF.items():
        late.write_routes(routes, name)
        code, told = dry_run(routes, item)
        assert (code, told["ok"]) == (ExitCode.OK, True), (name, told)
        assert [one["route"] for one in told["routes"]] == [name]
    assert {name: late.calls(name) for name in asked} == asked, "a department was asked"


def test_a_route_that_no_longer_does_as_recorded_fails(routes: Path, late: LateFleet) -> None:
    text = late.write_routes(routes, "tax-files-sftp").read_text(encoding="utf-8")
    assert "jsje, sjje, jkrq" in text
    routes.write_text(text.replace("jsje, sjje, jkrq", "sjje, jsje, jkrq"), encoding="utf-8")
    code, told = dry_run(routes, "deed_tax")
    assert (code, told["routes"][0]["why"]) == (ExitCode.VERIFICATION_FAILED, "not as recorded: records")
