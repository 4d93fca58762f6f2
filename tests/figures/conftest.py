"""A town that has had a month: real people, departments and cases, and a month that is over and counted."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from broker.figures.counting import count_on
from broker.figures.places import read_places
from broker.figures.settings import FiguresSettings
from broker.settings import Settings
from connectors.departments.fleet import Fleet
from connectors.departments.people import RESIDENTS, XU
from tests.world import OPERATOR, World, letters, open_world

CITIES = """
reviewed: made up for the tests
cities:
  yangzhou: {zh: 扬州, en: Yangzhou}
  beijing: {zh: "=1+1北京", en: "@Beijing"}
requesters: {yz-hpf: yangzhou}
departments: {taxation: yangzhou, civil_affairs: yangzhou, natural_resources: yangzhou}
routes: {beijing-fund: beijing}
distances:
  - {between: [yangzhou, beijing], km: 1012, source: made up}
"""
PEOPLE = [one.person for one in RESIDENTS if one.homes and one.fund and one.person != XU][:4]


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def town(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("figures")
    cities = folder / "cities.yaml"
    cities.write_text(CITIES, encoding="utf-8")

    def change(settings: Settings) -> Settings:
        return replace(settings, figures=FiguresSettings(3, read_places(cities)))

    async with open_world(folder, fleet, change=change) as world:
        await live_a_month(world)
        yield world


async def live_a_month(world: World) -> None:
    """Four people are looked up and approved, one of them says no to one item; then a month goes by."""
    centre = await world.centre()
    for number, person in enumerate([*PEOPLE, XU]):
        phone = await world.phone(person)
        case = f"YZ-2026-00{number}"
        consent = await world.grant(centre, phone, case=case)
        exchange = f"x-{letters()}"
        reply = await world.pull(centre, consent, exchange=exchange, case=case)
        assert reply.status == 200, reply.members
        told = await centre.tell(
            exchange, event="decided", decision="approved", operator=OPERATOR, amount_fen=30_000_000
        )
        assert told.status == 201, told.members
    world.clock.advance(40 * 86_400)
    await world.phone(XU)
    count_all(world)


def count_all(world: World) -> None:
    while count_on(world.broker.storage, world.broker.counting):
        pass
