"""`broker audit search` and `reindex` as an auditor runs them: what they show, refuse and leave behind."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from broker.cli import app
from broker.commands.exits import ExitCode
from broker.founding import CONFIGURATION
from connectors.departments.people import XU
from tests.world import OPERATOR, World

PERSON = json.dumps({"id_number": XU.id_number})
NOBODY = json.dumps({"id_number": "321099190001010014"})


def audit(world: World, verb: str, *options: str, stdin: str = "") -> Result:
    config = str(world.folder / "broker" / CONFIGURATION)
    return CliRunner().invoke(app, ["audit", verb, "--config", config, *options], input=stdin)


def found(world: World, *options: str, stdin: str = "") -> dict[str, Any]:
    result = audit(world, "search", "--json", *options, stdin=stdin)
    assert result.exit_code == ExitCode.OK, result.output
    members: dict[str, Any] = json.loads(result.stdout)
    return members


def events(members: dict[str, Any]) -> list[str]:
    return [entry["event"] for entry in members["entries"]]


def reads(world: World) -> list[dict[str, str]]:
    return [entry["body"]["filters"] for entry in world.entries() if entry["event"] == "log.read"]


async def pulled(world: World) -> None:
    centre, phone = await world.centre(), await world.phone()
    assert (await world.pull(centre, await world.grant(centre, phone))).status == 200


async def test_it_finds_what_was_done_and_records_that_it_was_asked(world: World) -> None:
    await pulled(world)
    exchange = ["exchange.released", "exchange.admitted"]
    assert events(found(world, "--operator", OPERATOR["id"], "--item", "deed_tax")) == exchange
    assert events(found(world, "--requester", "yz-hpf", "--event", "exchange.released")) == exchange[:1]
    assert events(found(world, "--person", stdin=PERSON))[:2] == exchange
    assert events(found(world, "--person", "--month", "2001-01", stdin=PERSON)) == []
    assert reads(world) == [
        {"operator": OPERATOR["id"], "item": "deed_tax"},
        {"requester": "yz-hpf", "event": "exchange.released"},
        {"subject_ref": ""},
        {"subject_ref": "", "month": "2001-01"},
    ]
    assert XU.id_number not in json.dumps(world.entries())
    world.check_log()


async def test_pages_lead_on_and_the_table_says_how(world: World) -> None:
    await pulled(world)
    first = found(world, "--requester", "yz-hpf", "--limit", "2")
    second = found(world, "--requester", "yz-hpf", "--limit", "2", "--cursor", first["next"])
    whole = found(world, "--requester", "yz-hpf")
    assert first["entries"] + second["entries"] == whole["entries"][:4]
    assert whole["next"] is None
    table = audit(world, "search", "--requester", "yz-hpf", "--limit", "2")
    assert "exchange.released" in table.stdout
    assert f"--cursor {first['next']}" in table.stderr


@pytest.mark.parametrize(
    ("options", "stdin", "code"),
    [
        (("--person",), NOBODY, ExitCode.NOT_FOUND),
        (("--person",), '{"id_number": "1"}', ExitCode.REFUSED),
        (("--person",), "", ExitCode.REFUSED),
        (("--case", XU.id_number), "", ExitCode.REFUSED),
        (("--month", "November"), "", ExitCode.REFUSED),
        (("--cursor", "0 OR 1=1"), "", ExitCode.REFUSED),
        (("--limit", "0"), "", ExitCode.USAGE),
    ],
)
async def test_what_is_no_search_is_refused(world: World, options: tuple[str, ...], stdin: str, code: ExitCode) -> None:
    before = len(world.entries())
    result = audit(world, "search", *options, stdin=stdin)
    assert (result.exit_code, result.stdout) == (code, "")
    assert XU.id_number not in result.output
    # Only the search for somebody unknown was one, and stands in the log
    assert len(world.entries()) - before == (code is ExitCode.NOT_FOUND)


async def test_reindex_changes_nothing_where_nothing_was_wrong(world: World) -> None:
    await pulled(world)
    before = found(world, "--requester", "yz-hpf")
    result = audit(world, "reindex", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (ExitCode.OK, {"entries": len(world.entries())})
    assert found(world, "--requester", "yz-hpf") == before
