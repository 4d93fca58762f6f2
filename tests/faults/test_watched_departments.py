"""The operators' page and its JSON twin: departments told to be down, slow, refusing or closed are said to be."""

import copy
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from connectors.departments.fleet import NAMES, Fleet
from connectors.departments.people import XU
from tests.staff.desk import Desk, operator
from tests.world import OPERATOR, World, open_world

SLOW_SECONDS = 1.6
"""More than half of the routes' three."""
LIMITS = {
    "property-registry": """
        limits: {per_minute: 5, per_day: 100, breaker: {failures: 1, of: 1, open_seconds: 600}}""",
    "tax-exchange-db": """
        limits: {outages: [{from: "2020-01-01 00:00", to: "2099-12-31 06:00", reason: 系统升级}]}""",
}


desks: dict[str, Desk] = {}
"""By a world's address, its operator's."""


@pytest.fixture
async def world(tmp_path: Path, fleet: Fleet) -> AsyncIterator[World]:
    """One route that is left alone after its first failure and has quotas, one in a planned outage."""
    limited = copy.copy(fleet)
    limited.routes_file = tmp_path / "departments.yaml"
    text = fleet.routes_file.read_text(encoding="utf-8")
    for route, limits in LIMITS.items():
        text, count = re.subn(rf"(name: {route}\n(?:.*\n)*?        concurrency: \d+)", rf"\1{limits}", text, count=1)
        assert count == 1
    limited.routes_file.write_text(text, encoding="utf-8")
    async with open_world(tmp_path, limited) as opened:
        desks[opened.issuer] = await operator(opened)
        yield opened
    for name in NAMES:
        fleet.set_fault(name, "none")


async def text(world: World, path: str, status: int = 200) -> str:
    seen = await desks[world.issuer].get(path, Accept="text/html")
    assert seen.status == status, seen.text
    return seen.text


async def told(world: World, query: str = "") -> dict[str, Any]:
    return await desks[world.issuer].json(f"/operate/departments{query}")


def by_route(members: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {route["route"]: route for one in members["departments"] for route in one["routes"]}


def card(page: str, route: str) -> str:
    """What one route's card says, without its markup."""
    (inside,) = re.findall(rf'<article class="panel" id="{route}".*?</article>', page, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", inside).split())


async def pulled(world: World, times: int = 1) -> None:
    centre, phone = await world.centre(), await world.phone(XU)
    for _ in range(times):
        await world.pull(centre, await world.grant(centre, phone))


async def test_before_anybody_asked_it_says_so(world: World) -> None:
    members = await told(world)
    assert members["states"] == {"unasked": 4, "closed": 1}
    assert members["process"] == world.broker.process.id
    assert "还没问过" in card(await text(world, "/operate/departments"), "beijing-fund")


async def test_each_trouble_is_told_with_its_time_and_code(world: World, fleet: Fleet) -> None:
    await pulled(world)
    fleet.set_fault("property_registry", "500")
    fleet.set_fault("civil_affairs", "slow", SLOW_SECONDS)
    fleet.set_fault("beijing_fund", "429")
    centre, phone = await world.centre("bj-hpf"), world.phones[0]
    await world.pull(centre, await world.grant(centre, phone))
    routes = by_route(await told(world))
    states = {name: route["state"] for name, route in routes.items()}
    assert states == {
        "property-registry": "left_alone",
        "tax-exchange-db": "closed",
        "civil-affairs": "slow",
        "civil-affairs-couple": "unasked",
        "beijing-fund": "refusing",
    }
    registry, tax, civil = routes["property-registry"], routes["tax-exchange-db"], routes["civil-affairs"]
    assert registry["failure"] == {"at": registry["asked_at"], "outcome": "department_down", "code": "http_500"}
    assert registry["breaker"] == "open"
    assert registry["success_at"] <= registry["failure"]["at"] < registry["answers_at"]
    assert (registry["hour"]["asked"], registry["hour"]["failed"]) == (2, 1)
    assert tax["answers_at"] == "2099-12-30T22:00:00Z"
    assert tax["outages"] == [{"from": "2019-12-31T16:00:00Z", "to": "2099-12-30T22:00:00Z", "reason": "系统升级"}]
    assert civil["hour"]["p95_ms"] > SLOW_SECONDS * 1000 * 0.9
    assert civil["failure"] is None
    assert routes["beijing-fund"]["failure"]["code"] == "http_429"

    chinese, english = await text(world, "/operate/departments"), await text(world, "/operate/departments?lang=en")
    assert re.search(r"暂停询问 (\d+年\d+月\d+日 )?\d\d:\d\d(:\d\d)? 前不问", card(chinese, "property-registry"))
    assert re.search(r"Resting until (\d+ \w+ \d+, )?\d\d:\d\d(:\d\d)?", card(english, "property-registry"))
    assert "连不上 department_down 代码 http_500" in card(chinese, "property-registry")
    assert "现在不开 2099年12月31日 06:00 再开" in card(chinese, "tax-exchange-db")
    assert "Closed now until 31 December 2099, 06:00" in card(english, "tax-exchange-db")
    assert "慢 最近一分钟" in card(chinese, "civil-affairs")
    assert "Refusing ask again after" in card(english, "beijing-fund")
    assert world.broker.process.id in chinese


async def test_down_and_up_again(world: World, fleet: Fleet) -> None:
    fleet.set_fault("civil_affairs", "down")
    await pulled(world)
    assert by_route(await told(world))["civil-affairs"]["state"] == "failing"
    assert "答不上" in card(await text(world, "/operate/departments"), "civil-affairs")
    fleet.set_fault("civil_affairs", "none")
    centre = await world.centre("bj-hpf")
    await world.pull(centre, await world.grant(centre, world.phones[0]))
    route = by_route(await told(world))["civil-affairs"]
    assert route["state"] == "well"
    assert route["failure"]["at"] <= route["success_at"]


async def test_quotas_are_what_all_processes_have_left(world: World) -> None:
    await pulled(world, times=2)
    (_, day) = by_route(await told(world))["property-registry"]["quotas"]
    assert (day["window"], day["most"], day["left"]) == ("day", 100, 98)
    assert day["renewed_at"].endswith("T16:00:00Z"), "midnight in China"
    metrics = await text(world, "/metrics")
    labels = 'department="natural_resources",route="property-registry"'
    assert f'broker_department_quota_left{{{labels},window="day"}} 98.0' in metrics
    assert f'broker_department_breaker{{{labels},state="closed"}} 1.0' in metrics
    assert f'broker_department_breaker{{{labels},state="open"}} 0.0' in metrics
    assert f"broker_department_waiting{{{labels}}} 0.0" in metrics
    assert 'broker_department_seconds_count{department="taxation"' not in metrics, "closed: nobody was asked"


async def test_the_address_is_the_state(world: World) -> None:
    closed = await told(world, "?state=closed")
    assert list(by_route(closed)) == ["tax-exchange-db"]
    assert closed["states"] == {"unasked": 4, "closed": 1}
    page = await text(world, "/operate/departments?state=closed&lang=en")
    assert 'id="tax-exchange-db"' in page
    assert 'id="civil-affairs"' not in page
    assert 'href="/operate/departments?state=closed" lang="zh-CN"' in page, "the other language keeps the filter"
    assert 'href="/operate/departments?state=unasked&amp;lang=en"' in page
    assert "没有这样的线路" in await text(world, "/operate/departments?state=slow")
    assert '"code":"invalid_request"' in await text(world, "/operate/departments?form=json&state=asleep", 422)
    assert "invalid_request" in await text(world, "/operate/departments?state=asleep", 422)


async def test_nothing_of_the_call_is_shown(world: World, fleet: Fleet) -> None:
    fleet.set_fault("beijing_fund", "wrong_person")
    await pulled(world)
    (released,) = [entry["body"] for entry in world.entries() if entry["event"] == "exchange.released"]
    forbidden = {XU.name, XU.id_number, OPERATOR["id"], OPERATOR["desk"]}
    forbidden |= {released["case"], released["exchange"], released["call"], "no_record", "not_decidable", "found"}
    for path in ("/operate/departments", "/operate/departments?lang=en", "/operate/departments?form=json"):
        shown = await text(world, path)
        assert "wrong_person" in shown
        assert [word for word in forbidden if word in shown] == []


async def test_without_its_store_it_still_tells_what_it_saw(world: World, fleet: Fleet) -> None:
    fleet.set_fault("civil_affairs", "down")
    await pulled(world)
    file = world.broker.settings.database
    assert isinstance(file, Path)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("ALTER TABLE broker_waiting RENAME TO gone")
        connection.commit()
    try:
        route = by_route(await told(world))["civil-affairs"]
        assert (route["state"], route["waiting"], route["quotas"]) == ("failing", None, None)
        page = await text(world, "/operate/departments")
        assert "数据库没有回答" in page
        assert "不知道" in card(page, "civil-affairs")
    finally:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("ALTER TABLE gone RENAME TO broker_waiting")
            connection.commit()
