"""Who looked at my data, in Chromium: a call verified in place, asked about, answered, noticed, and taken away."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Route

from connectors.departments.people import made_up
from consent import inquiries
from policies.vocabulary import Person
from tests.browser.citizens import Asked, ask, recorded
from tests.browser.conftest import Visit
from tests.browser.test_citizen_pages import STORED
from tests.mydata.test_paper import text_of
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")

SCRIPT = "<script>document.title = 'broken'</script>"


class _Orders:
    next = 500


def newcomer() -> Person:
    """Somebody whose inbox is empty."""
    _Orders.next += 1
    return made_up("某某", "19880808", _Orders.next)


async def looked_up(town: World, person: Person, times: int = 1) -> Asked:
    """An office has looked up what this person agreed to."""
    phone = await town.phone(person)
    asked = await ask(town, person)
    ticket = asked.path.removeprefix("/a/")
    items = [line["item"] for line in (await phone.open(ticket)).members["items"]]
    assert (await phone.agree(ticket, items)).status == 201
    consent = (await asked.centre.read(asked.request)).members["consent"]
    for _ in range(times):
        assert (await town.pull(asked.centre, consent, case=asked.case)).status == 200
    return asked


async def enter(page: Page, issuer: str, person: Person) -> None:
    given = {"name": person.name, "id_number": person.id_number, "level": "high"}
    await page.request.post(f"{issuer}/v1/session/test", data=given, headers={"Origin": issuer})


async def answered(town: World, number: str, text: str) -> None:
    keys = town.broker.keys.subjects
    await town.broker.storage.record(lambda transaction: inquiries.answer(transaction, keys, number, text))


async def proof(page: Page) -> tuple[str | None, str]:
    """Press "verify" on the first call; the state and the sentence."""
    await page.click("button[data-receipt] >> nth=0")
    line = page.locator(".proof >> nth=0")
    await page.wait_for_selector(".proof[data-state]:not([data-state=running])")
    return await line.get_attribute("data-state"), await line.inner_text()


async def test_a_call_is_verified_in_place(visit: Visit, town: World) -> None:
    person = newcomer()
    await looked_up(town, person)
    page = visit.page
    await enter(page, visit.issuer, person)
    await visit.open("/me/accesses")
    assert await proof(page) == ("passed", "验证过了：这条记录在日志里，没有被改过。")

    await page.route("**/v1/log/proof**", lambda route: route.abort())
    await page.reload()
    state, said = await proof(page)
    assert (state, "不说明记录有问题" in said) == ("unable", True), "no network is no forgery"
    await page.unroute("**/v1/log/proof**")
    await page.route("**/me/receipts/**", lambda route: route.abort())
    await page.reload()
    assert (await proof(page))[0] == "unable"
    await page.unroute("**/me/receipts/**")

    async def change(route: Route) -> None:
        receipt: dict[str, Any] = await (await route.fetch()).json()
        entry = receipt["entry"]
        await route.fulfill(json=receipt | {"entry": ("B" if entry[40] == "A" else "A").join((entry[:40], entry[41:]))})

    await page.route("**/me/receipts/**", change)
    await page.reload()
    state, said = await proof(page)
    assert (state, said.startswith("没有通过：")) == ("failed", True)


async def test_a_question_from_the_call_to_the_answer(visit: Visit, town: World) -> None:
    person = newcomer()
    asked = await looked_up(town, person)
    page = visit.page
    await enter(page, visit.issuer, person)
    await visit.open("/me/accesses", width=320)
    await page.click("text=这是怎么回事？")
    assert asked.case in await page.inner_text("main")
    await page.fill("#text", f"谁让查的？\n{SCRIPT}")
    await page.evaluate("form => form.requestSubmit()", await page.query_selector("main form"))
    await page.wait_for_selector("article h2 code")
    number = await page.inner_text("article h2 code")
    assert page.url == f"{visit.issuer}/me/questions#{number}"
    assert SCRIPT in await page.inner_text("article .notice"), "shown as text"
    assert "broken" not in await page.title()

    await page.go_back()
    await page.fill("#text", f"谁让查的？\n{SCRIPT}")
    await page.click("main button[type=submit]")
    await page.wait_for_selector("article h2 code")
    assert await page.locator("article").count() == 1, "sent again after going back: asked once"
    await page.reload()
    assert await page.locator("article").count() == 1

    await page.goto(f"{visit.issuer}/me/accesses")
    await page.click("text=这条信息不对 >> nth=0")
    await page.fill("#text", "不是我的房子。")
    await page.click("main button[type=submit]")
    await page.wait_for_selector("text=不是我的房子。")
    assert await page.locator("article").count() == 2

    await page.goto(f"{visit.issuer}/me/inbox")  # so that what follows is all that is new
    await answered(town, number, "您同意过，见编号。")
    await page.goto(f"{visit.issuer}/me")
    assert (await page.inner_text("nav .count")).startswith("1")
    await page.click("nav a[href^='/me/inbox']")
    assert await page.locator(".new").count() == 1
    assert number in await page.inner_text(".notices li >> nth=0")
    await page.click("text=看答复 >> nth=0")
    assert "您同意过，见编号。" in await page.inner_text("main")
    assert await page.locator("nav .count").count() == 0
    [opened] = [one["body"] for one in town.entries() if one["event"] == "question.opened" and number in str(one)]
    assert opened["requester"] == recorded(town, asked, "exchange.released")[0]["requester"]
    kept = json.loads(await page.evaluate(STORED))
    assert kept[:3] == [{}, {}, ""]
    assert not any("%E" in request.url or person.id_number in request.url for request in visit.requests)


async def test_all_of_it_without_scripts(visit: Visit, town: World, tmp_path: Path) -> None:
    person = newcomer()
    asked = await looked_up(town, person)
    context = await visit.browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await enter(page, visit.issuer, person)
    await page.goto(f"{visit.issuer}/me/accesses")
    assert not await page.is_visible("button[data-receipt]"), "what cannot work is not offered"
    assert await page.is_visible("a[href^='/verify']")
    await page.click("text=这是怎么回事？")
    await page.fill("#text", "为什么？")
    await page.click("main button[type=submit]")
    assert "WT-" in await page.inner_text("article h2")
    await page.click("text=看这一次")
    assert asked.case in await page.inner_text("h2")
    await page.click("nav a[href^='/me/inbox']")
    assert asked.case in await page.inner_text(".notices")
    await page.click("nav a[href^='/me/export']")
    async with page.expect_download() as downloading:
        await page.click("button[value=json]")
    file = tmp_path / "copy.json"
    await (await downloading.value).save_as(file)
    assert json.loads(file.read_text(encoding="utf-8"))["person"]["name"] == person.name
    await page.click("nav a[href^='/me/inbox']")
    assert "下载了您的全部记录" in await page.inner_text(".notices li >> nth=0")
    await context.close()


async def test_the_paper_is_had_from_the_page(visit: Visit, town: World, tmp_path: Path) -> None:
    person = newcomer()
    asked = await looked_up(town, person)
    page = visit.page
    await enter(page, visit.issuer, person)
    await visit.open("/me/export?lang=en")
    async with page.expect_download(timeout=30_000) as downloading:
        await page.click("button[value=pdf]", timeout=30_000)  # it waits for the answer to begin
    file = tmp_path / "copy.pdf"
    await (await downloading.value).save_as(file)
    text = text_of(await asyncio.to_thread(file.read_bytes))
    assert "Who looked at my data" in text
    assert "Deed tax payments" in text
    assert asked.case in text
