"""Ratings, problems and consultations: once a case, named to nobody, and low ones become somebody's task."""

import json
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from broker import tables
from broker.cli import app
from broker.commands.exits import ExitCode
from broker.demo.phone import Phone
from broker.founding import CONFIGURATION
from connectors.departments.people import LIN, XU
from tests.world import MATTER, OPERATOR, World, letters


def run(world: World, *words: str) -> tuple[int, dict[str, Any]]:
    config = str(world.folder / "broker" / CONFIGURATION)
    result = CliRunner().invoke(app, [*words, "--config", config, "--json"])
    return result.exit_code, json.loads(result.stdout) if result.exit_code == 0 else {}


async def decided(world: World, phone: Phone, decision: str, case: str) -> int:
    """The index under which she finds the call."""
    centre = await world.centre(f"c-{letters()[:8]}")
    exchange = f"x-{letters()}"
    reply = await world.pull(centre, await world.grant(centre, phone, case=case), exchange=exchange, case=case)
    assert reply.status == 200
    told = await centre.tell(exchange, event="decided", decision=decision, operator=OPERATOR)
    assert told.status == 201
    return int((await phone.get("/v1/me/accesses")).members["accesses"][0]["index"])


async def page(world: World, phone: Phone, index: int) -> str:
    async with phone.http.get(f"{world.issuer}/me/accesses/{index}") as response:
        assert response.status == 200
        return await response.text()


async def send(world: World, phone: Phone, index: int, origin: str = "", **fields: str) -> int:
    address = f"{world.issuer}/me/accesses/{index}/rating"
    headers = {"Origin": origin or world.issuer}
    async with phone.http.post(address, data=fields, headers=headers, allow_redirects=False) as response:
        return response.status


async def test_a_low_rating_becomes_a_task_and_leads_to_nobody(world: World) -> None:
    xu = await world.phone(XU)
    index = await decided(world, xu, "approved", "YZ-RATED-1")
    assert "这次办得怎么样？" in await page(world, xu, index)
    assert await send(world, xu, index, level="6") == 422
    assert await send(world, xu, index, level="2", reason="徐建国") == 422
    assert await send(world, xu, index, "http://elsewhere.example", level="1") == 403
    assert await send(world, xu, index, level="2", reason="slow") == 303
    assert "谢谢" in await page(world, xu, index)
    assert await send(world, xu, index, level="5") == 409, "once"
    code, told = run(world, "problems", "list")
    assert code == 0
    [problem] = told["problems"]
    assert (problem["source"], problem["matter"], problem["step"]) == ("rating", MATTER, "slow")
    assert problem["owner"].startswith("c-"), "the office that decided"
    assert problem["due_on"] > "2026"
    with world.broker.database.reader.begin() as connection:
        rows = [tuple(row) for table in (tables.rating, tables.problem) for row in connection.execute(select(table))]
    reference = next(entry["body"]["subject_ref"] for entry in world.entries() if "subject_ref" in entry["body"])
    for secret in (XU.name, XU.id_number, reference, "YZ-RATED-1", str(index)):
        assert secret not in [str(value) for row in rows for value in row]


async def test_only_who_was_looked_up_and_only_after_a_decision(world: World) -> None:
    xu, lin = await world.phone(XU), await world.phone(LIN)
    index = await decided(world, xu, "returned", "YZ-RATED-2")
    assert "这次办得怎么样？" not in await page(world, xu, index)
    assert await send(world, xu, index, level="5") == 404
    done = await decided(world, xu, "refused", "YZ-RATED-3")
    assert await send(world, lin, done, level="1") == 404
    assert await send(world, xu, done, level="4") == 303
    assert run(world, "problems", "list")[1]["problems"] == [], "a good one is nobody's task"


async def test_problems_have_an_owner_and_a_clock_and_are_closed_with_what_was_done(world: World) -> None:
    for workdays, text in ((9, "later"), (2, "sooner")):
        words = ("--text", text, "--owner", "窗口", "--matter", MATTER, "--workdays", str(workdays))
        assert run(world, "problems", "add", *words)[0] == 0
    told = run(world, "problems", "list")[1]["problems"]
    assert [one["text"] for one in told] == ["sooner", "later"], "the first due first"
    assert run(world, "problems", "close", "2", "--remedy", "mended")[0] == 0
    assert run(world, "problems", "close", "2", "--remedy", "mended")[0] == ExitCode.NOT_FOUND
    assert [one["number"] for one in run(world, "problems", "list")[1]["problems"]] == [1]
    assert run(world, "problems", "list", "--closed")[1]["problems"][0]["remedy"] == "mended"
    for bad in ("321099198603120178", "x" * 401, "two\nlines"):
        assert run(world, "problems", "add", "--text", bad, "--owner", "x")[0] == ExitCode.REFUSED
    assert run(world, "problems", "add", "--text", "x", "--owner", "x", "--matter", "none")[0] == ExitCode.REFUSED


async def test_consultations_are_counted_apart_from_cases(world: World) -> None:
    before = len(world.entries())
    for words in (
        ("--channel", "phone"),
        ("--channel", "phone"),
        ("--channel", "counter", "--matter", MATTER, "--open"),
    ):
        assert run(world, "consultations", "add", *words)[0] == 0
    told = run(world, "consultations", "list")[1]["consultations"]
    assert [(one["channel"], one["matter"], one["answered"], one["n"]) for one in told] == [
        ("counter", MATTER, 0, 1),
        ("phone", "", 1, 2),
    ]
    assert len(world.entries()) == before
    assert run(world, "consultations", "add", "--channel", "pigeon")[0] == ExitCode.USAGE


pytestmark = pytest.mark.asyncio
