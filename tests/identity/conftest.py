"""One broker on `localhost`, where browsers keep passkeys, and one test identity provider, for all of this folder."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from broker.demo.identity_app import Misbehaviour
from broker.demo.identity_process import IdentityProcess
from broker.settings import Settings
from connectors.departments.fleet import Fleet
from tests.browser.chromium import ARGUMENTS, PATIENCE, find_chromium
from tests.browser.conftest import NOTE_VIOLATIONS, Visit
from tests.world import World, open_world


@pytest.fixture(scope="package")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProcess]:
    with IdentityProcess.start(tmp_path_factory.mktemp("provider") / "openid.secret") as running:
        yield running


@pytest.fixture
def provider(started: IdentityProcess) -> Iterator[IdentityProcess]:
    """Well-behaved at the beginning of each test, whatever the one before it made it do."""
    yield started
    started.misbehave(Misbehaviour.NONE)


def on_localhost(settings: Settings, provider: IdentityProcess) -> Settings:
    return replace(settings, issuer=f"http://localhost:{settings.port}", openid=provider.settings)


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def town(
    started: IdentityProcess, fleet: Fleet, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """The world of this folder's tests. Its clock is never stepped: the provider's would not follow."""
    folder = tmp_path_factory.mktemp("town")
    async with open_world(folder, fleet, change=lambda settings: on_localhost(settings, started)) as world:
        yield world


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def browser() -> AsyncIterator[Browser]:
    path = find_chromium()
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS), headless=True)
        yield opened
        await opened.close()


@pytest_asyncio.fixture(loop_scope="package")
async def visit(browser: Browser, town: World, provider: IdentityProcess) -> AsyncIterator[Visit]:
    """A page in a profile of its own. The test fails where a script erred or a page's policy was violated."""
    context = await browser.new_context()
    context.set_default_timeout(PATIENCE)
    await context.add_init_script(NOTE_VIOLATIONS)
    visit = Visit(await context.new_page(), town.issuer)
    visit.page.on("request", visit.note)
    visit.page.on("pageerror", lambda error: visit.troubles.append(str(error)))
    visit.page.on("console", lambda said: visit.troubles.append(said.text) if said.type == "error" else None)
    yield visit
    await context.close()
    assert [trouble for trouble in visit.troubles if "Failed to load resource" not in trouble] == []
