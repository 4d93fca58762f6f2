"""From the counter's screen to a phone: the QR code as a camera reads it, the same check code, nobody else's phone."""

from io import BytesIO

import pytest
import zxingcpp
from PIL import Image
from playwright.async_api import Page

from broker import qr
from broker.demo.phone import ticket_of
from connectors.departments.people import LIN, XU
from tests.browser.citizens import agree, sign_in, status
from tests.browser.citizens import ask as ask_somebody
from tests.browser.conftest import Visit
from tests.world import OPERATOR, World, letters

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def screen_of(counter: Page, link: str, code: str) -> None:
    """What a centre's own program shows its customer."""
    await counter.set_viewport_size({"width": 800, "height": 800})
    await counter.set_content(f"<main>{qr.svg(link)}<p id=code>{code}</p></main>")


async def seen_by_camera(counter: Page) -> list[str]:
    picture = Image.open(BytesIO(await counter.screenshot()))
    return [read.text for read in zxingcpp.read_barcodes(picture)]


async def test_from_the_counters_screen_to_the_signature(visit: Visit, town: World) -> None:
    centre = await town.centre(f"hpf-{letters()[:12]}")
    filed = await centre.file(
        matter="purchase_withdrawal",
        case=f"YZ-{letters()[:12]}",
        mode="counter",
        operator=OPERATOR,
        subject={"name": XU.name, "id_number": XU.id_number},
    )
    members = filed.members
    counter = await (await visit.browser.new_context()).new_page()
    await screen_of(counter, members["consent_url"], members["user_code"])
    [link] = await seen_by_camera(counter)
    assert link == members["consent_url"] == f"{visit.issuer}/a/{ticket_of(link)}"

    page = visit.page
    await page.goto(link)
    await sign_in(page, LIN)
    assert "这不是给您的" in await page.inner_text("#sentence")
    assert members["user_code"] not in await page.content(), "another person's phone learned the code"
    assert (await centre.read(members["id"])).members["status"] == "pending", "another person's phone opened it"

    await page.goto(link)
    await sign_in(page, XU)
    assert await page.inner_text(".code") == await counter.inner_text("#code")
    assert OPERATOR["desk"] in await page.inner_text("#ask")
    await agree(page)
    granted = (await centre.read(members["id"])).members
    assert granted["status"] == "granted"
    await counter.context.close()


async def test_a_renewed_code_leads_on_and_the_old_one_nowhere(visit: Visit, town: World) -> None:
    asked = await ask_somebody(town, mode="counter")
    renewed = (await asked.centre.change(asked.request, "renew")).members
    page = visit.page
    await page.goto(f"{visit.issuer}{asked.path}")
    await sign_in(page)
    assert "没有找到" in await page.inner_text("#sentence")
    counter = await (await visit.browser.new_context()).new_page()
    await screen_of(counter, renewed["consent_url"], renewed["user_code"])
    [link] = await seen_by_camera(counter)
    await page.goto(link)
    assert await page.inner_text(".code") == renewed["user_code"]
    assert await status(asked) == "opened"
    await counter.context.close()
