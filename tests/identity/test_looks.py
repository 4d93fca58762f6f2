"""The pages of signing in and of devices, each state for every eye and hand: as in test_citizen_looks.py."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page

from broker.demo.identity_app import Misbehaviour
from broker.demo.identity_process import IdentityProcess
from tests.browser.chromium import accessibility_rules
from tests.browser.citizens import agree, ask, mine, tick
from tests.browser.conftest import Visit
from tests.browser.test_citizen_looks import LARGER_TARGET, THEMES, small_targets
from tests.browser.test_looks import FONT_SIZES, SMALLEST, TARGET, sideways, violations
from tests.identity.keyring import somebody
from tests.identity.screens import add_passkey, at_provider, sign_out, with_lock
from tests.world import World

ENLARGE = """async () => {
  const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet", href: "/static/large.css" });
  const read = new Promise((resolve) => (sheet.onload = resolve));
  document.head.append(sheet);
  document.documentElement.classList.add("large", "size-24");
  await read;
}"""
"""The large version of a page as it stands, without leaving it; that it stays is shown in tests/browser."""

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def states(visit: Visit, town: World, provider: IdentityProcess, query: str) -> AsyncIterator[tuple[str, Page]]:
    """One person's way through all that these pages can show, a stop at each."""
    page, person = visit.page, somebody()
    lang = query.replace("?", "&")
    lock = await with_lock(page)
    asked = await ask(town, person)
    await page.goto(f"{visit.issuer}{asked.path}{query}")
    await page.wait_for_selector("#passkey")
    yield "ways in", page
    await page.click("#passkey")
    await page.wait_for_selector("#passkey-refusal", state="visible")
    yield "no passkey", page
    provider.misbehave(Misbehaviour.NO_NAME)
    await at_provider(page, person)
    yield "refused at the provider", page
    provider.misbehave(Misbehaviour.NONE)
    await at_provider(page, person, "high")
    await agree(page)
    await add_passkey(page, visit.issuer)
    await page.goto(f"{visit.issuer}/me/devices{query}")
    for summary in await page.locator("summary").all():
        await summary.click()
    yield "devices and passkeys", page
    await page.goto(f"{visit.issuer}/sign-in?back=/me/devices&step=high{lang}")
    await page.wait_for_selector("#passkey")
    await lock.verifies(user=False)
    await page.click("#passkey")
    await page.wait_for_selector("#passkey-refusal", state="visible")
    yield "step up", page
    await lock.verifies(user=True)
    await page.goto(f"{visit.issuer}/me/devices{query}")
    await page.click("article.device .lost summary")
    await page.click("article.device .lost button")
    await page.wait_for_selector(f"{mine(asked)} .lost")
    yield "lost", page
    await sign_out_in(page, query)
    yield "signed out", page
    sensitive = await ask(town, person)
    await page.goto(f"{visit.issuer}{sensitive.path}{query}")
    await at_provider(page, person, "substantial")
    await page.wait_for_selector("#agree:enabled")
    await tick(page)
    await page.click("#agree")
    await page.wait_for_selector("#evidence", state="visible")
    await page.click("#sign summary")
    yield "to sign with a passkey", page


async def sign_out_in(page: Page, query: str) -> None:
    if query:
        await page.click(".leaving button")
        await page.wait_for_selector("text=You have signed out")
    else:
        await sign_out(page)


@pytest.mark.parametrize("query", ["", "?lang=en"])
async def test_every_state_in_both_themes_and_languages(
    visit: Visit, town: World, provider: IdentityProcess, query: str
) -> None:
    """No accessibility rule broken; nothing sideways and no small text or target at 320 px, large version too."""
    rules = accessibility_rules()
    await visit.page.set_viewport_size({"width": SMALLEST, "height": 700})
    seen = 0
    async for state, page in states(visit, town, provider, query):
        seen += 1
        for theme in THEMES if not query else THEMES[:1]:  # colours know no language
            await page.emulate_media(color_scheme=theme)
            assert await violations(page, rules) == [], (state, theme)
        assert await sideways(page) == [SMALLEST, SMALLEST], state
        assert min(await page.evaluate(FONT_SIZES)) >= 18, state
        assert await small_targets(page, TARGET) == [], state
        assert await page.get_attribute("html", "lang") == ("en" if query else "zh-CN"), state
        await page.evaluate(ENLARGE)
        assert min(await page.evaluate(FONT_SIZES)) >= 24, state
        assert await small_targets(page, LARGER_TARGET) == [], state
        assert await sideways(page) == [SMALLEST, SMALLEST], state
    assert seen == 8
