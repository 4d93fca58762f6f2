"""One broker, one browser and one desk for this folder; a page of its own for each test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from broker.demo.phone import Phone
from connectors.departments.fleet import Fleet
from connectors.departments.people import XU
from tests.browser.chromium import ARGUMENTS, PATIENCE, find_chromium
from tests.browser.conftest import NOTE_VIOLATIONS
from tests.desk.counters import Counter, found, running
from tests.desk.keyboard import Keyboard
from tests.world import World, open_world


@dataclass
class Seat:
    """A clerk's place: her browser at her centre's desk, and what went wrong in it."""

    page: Page
    counter: Counter
    troubles: list[str] = field(default_factory=list)

    @property
    def keys(self) -> Keyboard:
        return Keyboard(self.page)


@asynccontextmanager
async def seated(browser: Browser, counter: Counter) -> AsyncIterator[Seat]:
    """A profile of its own. Fails where a script erred or the page's policy was violated."""
    context = await browser.new_context(accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    await context.add_init_script(NOTE_VIOLATIONS)
    seat = Seat(await context.new_page(), counter)
    seat.page.on("pageerror", lambda error: seat.troubles.append(str(error)))
    seat.page.on("console", lambda said: seat.troubles.append(said.text) if said.type == "error" else None)
    yield seat
    await context.close()
    assert [trouble for trouble in seat.troubles if "Failed to load resource" not in trouble] == []


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def browser() -> AsyncIterator[Browser]:
    path = find_chromium()
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS), headless=True)
        yield opened
        await opened.close()


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def town(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with open_world(tmp_path_factory.mktemp("town"), fleet) as world:
        yield world


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def counter(town: World, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Counter]:
    folder: Path = tmp_path_factory.mktemp("desks") / "yz"
    made = await found(town, folder, "yz-desk")
    async with running(made):
        yield made


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def phone(town: World) -> Phone:
    return await town.phone(XU)


@pytest_asyncio.fixture(loop_scope="package")
async def seat(browser: Browser, counter: Counter) -> AsyncIterator[Seat]:
    async with seated(browser, counter) as sitting:
        yield sitting
