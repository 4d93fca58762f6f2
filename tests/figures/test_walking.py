"""A walk in the citizen's and in the clerk's shoes: real servers, made-up people, each step timed, notes kept."""

import asyncio
import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from broker import improvement
from broker.cli import app
from broker.commands.exits import ExitCode
from broker.founding import CONFIGURATION
from tests.world import MATTER, World

pytestmark = pytest.mark.asyncio


async def walk(world: World, role: str, lines: list[str], matter: str = MATTER) -> Result:
    """What somebody typed, an empty line being Enter alone."""
    config = str(world.folder / "broker" / CONFIGURATION)
    words = ["walk", "--as", role, "--matter", matter, "--config", config, "--json", "--owner", "窗口"]
    return await asyncio.to_thread(CliRunner().invoke, app, words, input="\n".join([*lines, ""]))


def told(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    members: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])  # before it stands what was typed
    return members


async def test_in_the_citizen_s_shoes(world: World) -> None:
    lines = ["", "字太小", "9", "1 4", "", "", "", "", "", "y", "找了半天"]
    walked = told(await walk(world, "citizen", lines))
    assert [step["step"] for step in walked["steps"]] == ["read", "choose", "sign", "see", "withdraw"]
    assert all(step["seconds"] >= 0 for step in walked["steps"])
    events = world.events()
    assert [events.count(name) for name in ("consent.granted", "exchange.released", "consent.withdrawn")] == [1, 1, 1]
    granted = next(entry for entry in world.entries() if entry["event"] == "consent.granted")
    assert len(granted["body"]["items"]) == 2, "what was chosen at the second try"
    with world.broker.database.reader.begin() as connection:
        found = improvement.problems(connection)
    assert [(one["source"], one["step"], one["text"], one["owner"]) for one in found] == [
        ("walk", "citizen/read", "字太小", "窗口"),
        ("walk", "citizen/withdraw", "找了半天", "窗口"),
    ]
    assert walked["problems"] == [1, 2]


async def test_in_the_clerk_s_shoes(world: World) -> None:
    walked = told(await walk(world, "clerk", ["", "", "", "", "", "", "maybe", "approved", ""]))
    assert [step["step"] for step in walked["steps"]] == ["file", "wait", "look_up", "decide"]
    decided = [entry["body"]["decision"] for entry in world.entries() if entry["event"] == "exchange.decided"]
    assert decided == ["approved"]
    assert told(await walk(world, "clerk", ["", "", "", "", "", "", "refused", ""]))["problems"] == []
    world.check_log()


async def test_who_agrees_to_nothing_is_not_looked_up(world: World) -> None:
    assert told(await walk(world, "citizen", ["", "", "0", "", "", "", "", "", "", ""]))["problems"] == []
    assert "consent.declined" in world.events()
    assert "exchange.admitted" not in world.events()


async def test_it_is_refused_where_people_are_real_and_for_no_matter(world: World) -> None:
    assert (await walk(world, "citizen", [], "no_such_matter")).exit_code == ExitCode.REFUSED
    config = world.folder / "broker" / CONFIGURATION
    config.write_text(config.read_text(encoding="utf-8").replace("identity: test", "identity: none"), encoding="utf-8")
    size = len(world.entries())
    assert (await walk(world, "citizen", [])).exit_code == ExitCode.REFUSED
    assert len(world.entries()) == size
