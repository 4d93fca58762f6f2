"""One broker, one browser and one exchange for all tests of this folder; a page of its own for each test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Request, async_playwright

from connectors.departments.fleet import Fleet
from tests.browser.chromium import ARGUMENTS, PATIENCE, find_chromium
from tests.world import World, open_world

# Runs before anything of the page; what the page's own policy refused is then found beside its scripts' errors.
NOTE_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
});
"""


@dataclass
class Visit:
    """A page, what it asked of the network, and what went wrong in it."""

    page: Page
    issuer: str
    requests: list[Request] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    @property
    def browser(self) -> Browser:
        browser = self.page.context.browser
        assert browser is not None
        return browser

    def note(self, request: Request) -> None:
        self.requests.append(request)

    async def open(self, address: str, theme: str = "light", width: int = 1280) -> Page:
        await self.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        await self.page.set_viewport_size({"width": width, "height": 800})
        await self.page.goto(f"{self.issuer}{address}")
        return self.page


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def browser() -> AsyncIterator[Browser]:
    path = find_chromium()
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS), headless=True)
        yield opened
        await opened.close()


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def town(browser: Browser, fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """The world of this folder's tests; it asks for the browser first, so that nothing is started in vain."""
    async with open_world(tmp_path_factory.mktemp("town"), fleet) as world:
        yield world


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def answer(town: World) -> dict[str, Any]:
    """A whole answer of POST /v1/exchanges. Not to be changed: copy it."""
    centre, phone = await town.centre(), await town.phone()
    reply = await town.pull(centre, await town.grant(centre, phone))
    assert reply.status == 200, reply.members
    members: dict[str, Any] = dict(reply.members)
    return members


@asynccontextmanager
async def visiting(browser: Browser, issuer: str) -> AsyncIterator[Visit]:
    """A page in a profile of its own. The test fails where a script erred or the page's policy was violated."""
    context = await browser.new_context()
    context.set_default_timeout(PATIENCE)
    await context.add_init_script(NOTE_VIOLATIONS)
    visit = Visit(await context.new_page(), issuer)
    visit.page.on("request", visit.note)
    visit.page.on("pageerror", lambda error: visit.troubles.append(str(error)))
    visit.page.on("console", lambda said: visit.troubles.append(said.text) if said.type == "error" else None)
    yield visit
    await context.close()
    assert [trouble for trouble in visit.troubles if "Failed to load resource" not in trouble] == []


@pytest_asyncio.fixture(loop_scope="package")
async def visit(browser: Browser, town: World) -> AsyncIterator[Visit]:
    async with visiting(browser, town.issuer) as opened:
        yield opened
