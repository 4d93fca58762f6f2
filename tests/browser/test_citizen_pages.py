"""The citizen's pages in Chromium: asked, ticked, signed, looked up, told and withdrawn."""

import json
from pathlib import Path

import pytest

from connectors.departments.people import XU
from tests.browser.citizens import Hand, agree, ask, mine, opened, pull, recorded, sign_in, status, to_sign
from tests.browser.conftest import Visit
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")

LOOKS = "one => ['color', 'backgroundColor', 'fontSize', 'fontWeight'].map((name) => getComputedStyle(one)[name])"
STORED = "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href, document.title])"
TAKEN_OUT = """new Promise((resolve) => {
  const opening = indexedDB.open("consent-broker");
  const leave = ({ privateKey }) => crypto.subtle.exportKey("jwk", privateKey);
  opening.onsuccess = () => {
    const all = opening.result.transaction("device-keys").objectStore("device-keys").getAll();
    all.onsuccess = () =>
      Promise.allSettled(all.result.map(leave)).then((tried) => resolve(tried.map(({ status }) => status)));
  };
})"""


async def test_from_the_link_to_the_withdrawal(visit: Visit, town: World, tmp_path: Path) -> None:
    asked, page = await opened(visit, town)
    hand = Hand(page)
    await page.wait_for_selector("#agree:enabled")
    for box in await page.locator(".tick input").all():
        await box.check()
        hand.taps += 1
    await hand.tap("#agree")
    await page.wait_for_selector("#sign", state="visible")
    assert "契税完税信息" in await page.inner_text(".chosen")
    assert not await page.is_visible(".left-out")
    await hand.tap("#confirm")
    await page.wait_for_selector("#done", state="visible")
    assert hand.taps <= 9, "domain 4.3"

    async with page.expect_download() as downloading:
        await page.click("#receipts a")
    receipt = tmp_path / "receipt.json"
    await (await downloading.value).save_as(receipt)
    town.receipts.append(json.loads(receipt.read_text(encoding="utf-8")))
    await page.click("text=验证回执")
    await page.wait_for_selector("#form", state="visible")  # the page listens from here on
    await page.set_input_files("#file", receipt)
    await page.wait_for_selector("#file-name", state="visible")
    await page.click("#run")
    await page.wait_for_selector("#verdict", state="visible")
    assert await page.inner_text("#verdict") == "这份回执是真的"
    assert await page.inner_text("#fact-event") == "本人同意授权"

    consent = (await asked.centre.read(asked.request)).members["consent"]
    assert await pull(town, asked, consent) == "released"
    await page.goto(f"{visit.issuer}/me/accesses")
    told = await page.inner_text(mine(asked))
    assert "3号窗口" in told
    assert "购房提取住房公积金" in told
    assert "实缴税额" in told
    assert "查到了" in told

    hand = Hand(page)
    await hand.tap("nav a[href^='/me']")
    await hand.tap(f"{mine(asked)} .withdraw summary")
    assert "不受影响" in await page.inner_text(f"{mine(asked)} .withdraw")
    await hand.tap(f"{mine(asked)} .withdraw button")
    await page.wait_for_selector(f"{mine(asked)} .state.withdrawn")
    assert hand.taps <= 3
    assert await pull(town, asked, consent) == "consent_withdrawn"
    [withdrawal] = recorded(town, asked, "consent.withdrawn")
    assert withdrawal["by"] == "device_key"
    await page.goto(f"{visit.issuer}/me/accesses")
    assert "您撤回了授权" in await page.inner_text(f"{mine(asked)} >> nth=0")
    town.check_log()


async def test_nothing_is_ticked_and_both_ways_out_weigh_the_same(visit: Visit, town: World) -> None:
    asked, page = await opened(visit, town)
    for width in (320, 1280):
        await page.set_viewport_size({"width": width, "height": 800})
        boxes = [await page.locator(one).bounding_box() for one in ("#agree", "#decline")]
        sizes = [(round(box["width"]), round(box["height"])) for box in boxes if box]
        assert len(set(sizes)) == 1, sizes
        assert await page.eval_on_selector("#agree", LOOKS) == await page.eval_on_selector("#decline", LOOKS)
    assert await page.locator(".tick input:checked").count() == 0
    await page.click("#agree")
    assert await page.is_visible("#mistake-needed")
    assert not await page.is_visible("#sign")
    assert await page.evaluate("document.activeElement.dataset.needed") == ""
    assert await status(asked) == "opened"


async def test_what_is_not_ticked_is_not_signed(visit: Visit, town: World) -> None:
    asked, page = await opened(visit, town)
    await to_sign(page, "[data-needed], .plain [data-item=deed_tax]")
    assert "实缴税额" not in await page.inner_text(".chosen")
    left = await page.inner_text(".left-out")
    assert "婚姻登记信息核验" in left
    assert "实缴税额" in left
    await page.click("#return")
    await page.wait_for_selector("#ask", state="visible")
    await page.locator("[data-item=deed_tax]").first.uncheck()
    await agree(page, "[data-needed]")
    [granted] = recorded(town, asked, "consent.granted")
    assert [item["item"] for item in granted["items"]] == ["real_estate_registration", "hpf_remote_account"]


async def test_a_statement_that_is_checked_is_told_before_it_is_signed(visit: Visit, town: World) -> None:
    lines = [
        {"item": "marriage_check_single", "expect": {"marital_status": "20"}},
        {"item": "deed_tax", "params": {"date_from": "2026-01-01"}},
    ]
    _, page = await opened(visit, town, items=lines)
    assert "已婚" in await page.inner_text("#offer")
    await to_sign(page)
    told = await page.inner_text(".chosen")
    assert "婚姻状况：已婚" in told
    assert "缴款日期从：2026-01-01" in told
    assert "留 30 天" in told


@pytest.mark.parametrize("scripts", [True, False])
async def test_a_no_is_one_tap_and_remembered(visit: Visit, town: World, scripts: bool) -> None:
    asked = await ask(town)
    context = await visit.browser.new_context(java_script_enabled=scripts)
    page = await context.new_page()
    await page.goto(visit.issuer + asked.path)
    await sign_in(page)
    await page.click("#decline")
    await page.wait_for_selector("text=您没有同意")
    assert "带材料" in await page.inner_text("main")
    assert await status(asked) == "declined"
    await page.reload()
    assert await page.inner_text("h1") == "您没有同意"
    await context.close()


async def test_without_scripts_she_reads_and_withdraws(visit: Visit, town: World) -> None:
    asked, page = await opened(visit, town)
    await agree(page)
    consent = (await asked.centre.read(asked.request)).members["consent"]
    assert await pull(town, asked, consent) == "released"
    context = await visit.browser.new_context(java_script_enabled=False)
    plain = await context.new_page()
    await plain.goto(f"{visit.issuer}/me/accesses")
    await sign_in(plain)
    assert "数据已给出" in await plain.inner_text(mine(asked))
    await plain.goto(f"{visit.issuer}/me")
    await plain.click(f"{mine(asked)} form[data-action=pause] button")
    await plain.wait_for_selector(f"{mine(asked)} .state.paused")
    assert await pull(town, asked, consent) == "consent_paused"
    await plain.click(f"{mine(asked)} form[data-action=resume] button")
    await plain.wait_for_selector(f"{mine(asked)} .state.active")

    town.clock.advance(301)  # the sign-in is not fresh any more, and here is no device
    await plain.click(f"{mine(asked)} .withdraw summary")
    await plain.click(f"{mine(asked)} .withdraw button")
    assert "再登录一次" in await plain.inner_text("#sentence")
    assert await status(asked) == "granted"
    await sign_in(plain)
    hand = Hand(plain)
    await hand.tap(f"{mine(asked)} .withdraw summary")
    await hand.tap(f"{mine(asked)} .withdraw button")
    await plain.wait_for_selector(f"{mine(asked)} .state.withdrawn")
    assert hand.taps <= 3
    assert await pull(town, asked, consent) == "consent_withdrawn"
    await context.close()


async def test_the_device_withdraws_long_after_signing_in(visit: Visit, town: World) -> None:
    asked, page = await opened(visit, town)
    await agree(page)
    town.clock.advance(301)
    await page.goto(f"{visit.issuer}/me")
    await page.click(f"{mine(asked)} .withdraw summary")
    await page.click(f"{mine(asked)} .withdraw button")
    await page.wait_for_selector(f"{mine(asked)} .state.withdrawn")


async def test_a_removed_device_signs_no_more_and_a_new_one_is_made(visit: Visit, town: World) -> None:
    _, page = await opened(visit, town)
    await agree(page)
    await page.goto(f"{visit.issuer}/me/devices")
    before = await page.locator("article").count()
    await page.click("article >> nth=-1 >> summary")
    await page.click("article >> nth=-1 >> button")
    await page.wait_for_load_state()
    assert await page.locator("article").count() == before - 1
    again = await ask(town)
    await page.goto(visit.issuer + again.path)
    await agree(page)
    assert await status(again) == "granted"


async def test_nothing_personal_is_stored_or_in_an_address(visit: Visit, town: World) -> None:
    _, page = await opened(visit, town)
    await agree(page)
    for path in ("/me", "/me/accesses", "/me/devices"):
        await page.goto(visit.issuer + path)
        kept = await page.evaluate(STORED)
        assert json.loads(kept)[:3] == [{}, {}, ""]
        assert XU.name not in kept
    assert not any(XU.id_number in request.url or "%E5%BE%90" in request.url for request in visit.requests)
    assert await page.evaluate(TAKEN_OUT) == ["rejected"], "the key never leaves the browser"
