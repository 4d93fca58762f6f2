"""/figures, /v1/figures and /figures.csv of a real town: public, kept, in both languages, harmless to spreadsheets."""

import csv
import json
from io import StringIO
from typing import Any

import pytest
from typer.testing import CliRunner

from broker.cli import app
from broker.commands.exits import ExitCode
from broker.figures.counting import Counting, count_on
from broker.figures.csv_text import harmless
from broker.figures.words import TITLES
from connectors.departments.people import XU
from tests.figures.conftest import count_all
from tests.world import ITEMS, MATTER, World

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def read(town: World, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    async with town.http.get(f"{town.issuer}{path}", headers=headers) as response:
        return response.status, {name.lower(): value for name, value in response.headers.items()}, await response.text()


async def figures(town: World) -> dict[tuple[str, str], dict[str, Any]]:
    """By table and row, those of the one month that is over."""
    members = json.loads((await read(town, "/v1/figures"))[2])
    assert len(members["months"]) == 1
    return {(one["table"], one["row"]): one for one in members["figures"]}


async def test_the_numbers_are_those_of_the_month(town: World) -> None:
    told = await figures(town)
    assert (told["call", ""]["count"], told["call", ""]["name_zh"]) == (20, "查询次数")
    for item in ITEMS:
        department = town.broker.catalogue.items[item].department
        assert told["call/department", department]["count"] == 5
        assert told["call/item", f"{department}/{item}"]["count"] == 5
    assert told["call/pair", "yangzhou>beijing"]["count"] == 5
    assert told["call/channel", "online"]["count"] == 20
    assert told["consent/act", "granted"]["count"] == 5
    assert told["case/decision", "approved"]["count"] == 5
    assert told["case/material", "unanswered"]["count"] == 5, "of nobody could the marriage be decided"
    assert told["case/errand", "paper_left"]["count"] == 5
    assert told["case/meeting", "zero"]["count"] == 5
    assert (told["case/amount", f"{MATTER}/reported"]["count"], told["case/amount", f"{MATTER}/reported"]["sum"]) == (
        5,
        150_000_000,
    )
    assert told["case_time", ""]["sum"] > 0
    assert told["case_time", ""]["count"] is None


async def test_what_is_spared_is_counted_by_papers_and_kilometres(town: World) -> None:
    told = await figures(town)
    answered = [
        one for entry in town.entries() if entry["event"] == "exchange.released" for one in entry["body"]["results"]
    ]
    spared = [one for one in answered if one["outcome"] in ("found", "match")]
    assert told["paper", ""]["count"] == len(spared)
    assert told["trip", ""]["count"] == len(spared), "each of its own department"
    far = [one for one in spared if one["route"] == "beijing-fund"]
    assert told["trip/distance", "known"]["count"] == len(far)
    assert told["trip/distance", "known"]["sum"] == 2 * 1012 * len(far)


@pytest.mark.parametrize("path", ["/figures", "/figures?lang=en", "/figures.csv", "/v1/figures"])
async def test_it_is_public_and_kept(town: World, path: str) -> None:
    status, headers, text = await read(town, path)
    assert status == 200
    assert headers["cache-control"].startswith("public, max-age=")
    assert "set-cookie" not in headers
    assert (await read(town, path, **{"If-None-Match": headers["etag"]}))[0] == 304
    assert XU.name not in text
    assert "YZ-2026" not in text
    assert "clerk-07" not in text


async def test_each_table_stands_with_its_rule_in_both_languages(town: World) -> None:
    month = json.loads((await read(town, "/v1/figures"))[2])["months"][0]
    for path, number in (("/figures", 0), ("/figures?lang=en", 1), (f"/figures/{month}", 0)):
        text = (await read(town, path))[2]
        told = await figures(town)
        for table in {name for name, _ in told}:
            assert TITLES[table][number] in text, table
    assert (await read(town, "/figures/2019-01"))[0] == 404
    assert (await read(town, "/figures/%3Cscript%3E"))[0] == 404


async def test_no_cell_of_the_csv_is_a_formula(town: World) -> None:
    text = (await read(town, "/figures.csv"))[2]
    assert text.startswith("\ufeff")
    rows = list(csv.reader(StringIO(text[1:])))
    assert len({len(row) for row in rows}) == 1
    assert any("'@Beijing" in cell or "=1+1北京" in cell for row in rows for cell in row), "a city's name tries"
    assert not [cell for row in rows for cell in row if cell.lstrip().startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", " =1", "\t=1", "\r=1"])
async def test_a_formula_becomes_text(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"
    assert harmless("<5") == "<5"


async def test_what_rests_on_too_few_is_told_as_that(town: World) -> None:
    by_six = Counting(town.broker.counting.ground, 6)
    while count_on(town.broker.storage, by_six):
        pass
    told = await figures(town)
    assert {one["state"] for one in told.values()} == {"small"}
    assert {one["count"] for one in told.values()} == {None}
    assert ("call/department", "taxation") not in told, "not even how many rows there are"
    text = (await read(town, "/figures"))[2]
    assert "不显示" in text, "over all months it is not even told that it is small"
    month = next(iter(told.values()))["month"]
    assert "&lt;3" in (await read(town, f"/figures/{month}"))[2]
    assert "<3" in (await read(town, "/figures.csv"))[2]
    count_all(town)
    assert (await figures(town))["call", ""]["count"] == 20


async def test_the_running_month_is_not_told(town: World) -> None:
    before = (await read(town, "/v1/figures"))[2]
    centre, phone = await town.centre("late"), town.phones[-1]
    await town.pull(centre, await town.grant(centre, phone))
    count_all(town)
    assert (await read(town, "/v1/figures"))[2] == before


async def test_the_commands_show_the_same_and_count_anew(town: World) -> None:
    config = town.folder / "broker" / "broker.yaml"
    cities = town.folder / "cities.yaml"
    with config.open("a", encoding="utf-8") as stream:  # the world's clock is ahead of the command's
        stream.write(f"clock_limit: 9000000\nfigures: {{smallest: 3, cities: {cities}}}\n")

    def run(*arguments: str) -> dict[str, Any]:
        result = CliRunner().invoke(app, ["figures", *arguments, "--config", str(config), "--json"])
        assert result.exit_code == 0, result.output
        members: dict[str, Any] = json.loads(result.stdout)
        return members

    zeros = {"material": "unanswered", "errand": "paper_left", "meeting": "zero", "risk": "zero", "decided": True}
    assert run("case", "yz-hpf", "YZ-2026-000", MATTER) == zeros
    before = await figures(town)
    assert {(one["table"], one["row"]): one["count"] for one in run("show")["figures"]} == {
        name: one["count"] for name, one in before.items()
    }
    again = run("rebuild")
    assert again["counted"] == again["entries"]
    assert await figures(town) == before
    absent = CliRunner().invoke(app, ["figures", "show", "--month", "2019-01", "--config", str(config)])
    assert absent.exit_code == ExitCode.NOT_FOUND
