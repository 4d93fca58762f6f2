"""/verify in Chromium: a good receipt verifies, and each thing that can be wrong with one is named."""

import base64
import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from audit.checkpoint import LogSigner, format_proof
from audit.merkle import EMPTY_FRONTIER, Growth, hash_leaf
from tests.audit.sample_log import SIGNER, STRANGER
from tests.audit.test_receipts import answer as sample_answer
from tests.browser.conftest import Visit
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")

STEPS = ("read", "signature", "inclusion", "entry", "results", "consistency")


async def verify(page: Page, text: str, vkey: str = "") -> dict[str, str]:
    """Fill in the form and press the button; the state of each step."""
    await page.fill("#receipt", text)
    await page.fill("#vkey", vkey)
    await page.evaluate("document.getElementById('outcome').hidden = true")
    await page.click("#run")
    await page.wait_for_selector("#verdict", state="visible")
    return {step: await page.get_attribute(f"#step-{step}", "data-state") or "" for step in STEPS}


def failed_at(step: str) -> dict[str, str]:
    at = STEPS.index(step)
    return {name: "passed" if n < at else "failed" if n == at else "skipped" for n, name in enumerate(STEPS)}


async def cause(page: Page) -> str:
    assert await page.get_attribute("#outcome", "data-state") == "failed"
    said = await page.inner_text("#cause")
    assert said == await page.inner_text(".steps [data-state=failed] .reason")
    return said


async def test_a_whole_answer_against_a_pinned_key(visit: Visit, town: World, answer: dict[str, Any]) -> None:
    page = await visit.open("/verify")
    states = await verify(page, json.dumps(answer), town.vkey)
    assert states == dict.fromkeys(STEPS, "passed")
    assert await page.inner_text("#verdict") == "这份回执是真的"
    assert not await page.is_visible("#own-key")
    assert not await page.is_visible("#cause")
    assert await page.inner_text("#fact-event") == "数据已给出"
    assert await page.inner_text("#fact-requester") == "yz-hpf"
    assert await page.inner_text("#fact-case") == "YZ-2026-000123"
    assert "契税" in await page.inner_text("#fact-items")


async def test_without_a_key_the_sites_own_is_used_and_the_page_says_so(visit: Visit, answer: dict[str, Any]) -> None:
    page = await visit.open("/verify?lang=en")
    states = await verify(page, json.dumps(answer))
    assert states == dict.fromkeys(STEPS, "passed")
    assert await page.inner_text("#verdict") == "This receipt is genuine"
    assert "got elsewhere" in await page.inner_text("#own-key")


async def test_a_receipt_alone_says_that_no_results_were_checked(visit: Visit, answer: dict[str, Any]) -> None:
    page = await visit.open("/verify")
    states = await verify(page, json.dumps(answer["receipt"], indent=2))
    assert states == dict.fromkeys(STEPS, "passed") | {"results": "unable"}
    assert await page.get_attribute("#outcome", "data-state") == "passed"
    assert "没有给出查询结果" in await page.inner_text("#step-results .reason")


async def test_a_file(visit: Visit, tmp_path: Path, answer: dict[str, Any]) -> None:
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(answer, ensure_ascii=False), encoding="utf-8")
    page = await visit.open("/verify")
    await page.set_input_files("#file", file)
    await page.wait_for_selector("#file-name", state="visible")
    assert await page.inner_text("#file-name") == "receipt.json"
    assert await verify(page, await page.input_value("#receipt")) == dict.fromkeys(STEPS, "passed")
    file.write_text(" " * (1 << 20) + "{}")
    await page.set_input_files("#file", file)
    await page.wait_for_selector("#file-too-large", state="visible")


async def test_it_is_checked_here_and_nothing_is_sent_or_kept(visit: Visit, answer: dict[str, Any]) -> None:
    page = await visit.open("/verify")
    await verify(page, json.dumps(answer))
    issuer = re.escape(visit.issuer)
    expected = rf"{issuer}/(verify|static/[a-z_]+\.(js|css|svg)|\.well-known/consent-broker|v1/log/proof\?from=\d+)"
    for request in visit.requests:
        assert re.fullmatch(expected, request.url), request.url
        assert (request.method, request.post_data) == ("GET", None)
    assert len({request.url for request in visit.requests}) > 4
    kept = "[localStorage.length, sessionStorage.length, document.cookie, (await indexedDB.databases()).length]"
    assert await page.evaluate(f"(async () => {kept})()") == [0, 0, "", 0]


def proof_with(change: Callable[[list[str]], None]) -> Callable[[dict[str, Any]], None]:
    def changed(answer: dict[str, Any]) -> None:
        lines = answer["receipt"]["proof"].split("\n")
        change(lines)
        answer["receipt"]["proof"] = "\n".join(lines)

    return changed


def flip(encoded: str, at: int = 0) -> str:
    octets = bytearray(base64.b64decode(encoded))
    octets[at] ^= 1
    return base64.b64encode(octets).decode()


def flip_entry(answer: dict[str, Any]) -> None:
    answer["receipt"]["entry"] = flip(answer["receipt"]["entry"], 40)


def flip_path(lines: list[str]) -> None:
    lines[2] = flip(lines[2])


def flip_root(lines: list[str]) -> None:
    at = lines.index("") + 3
    lines[at] = flip(lines[at])


def other_size(lines: list[str]) -> None:
    lines[lines.index("") + 2] += "0"


def flip_signature(lines: list[str]) -> None:
    dash, name, signature = lines[-2].split(" ")
    lines[-2] = f"{dash} {name} {flip(signature, 20)}"


def another_index(lines: list[str]) -> None:
    lines[1] = "index 3"


def change_result(answer: dict[str, Any]) -> None:
    answer["results"][0]["outcome"] = "no_record"


def drop_result(answer: dict[str, Any]) -> None:
    answer["results"].pop()


def add_result(answer: dict[str, Any]) -> None:
    answer["results"].append({**answer["results"][0], "item": "never_asked"})


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], None], str, str]] = {
    "entry": (flip_entry, "inclusion", "记录（entry）"),
    "path": (proof_with(flip_path), "inclusion", "路径"),
    "index": (proof_with(another_index), "inclusion", "路径"),
    "root": (proof_with(flip_root), "signature", "签名不对"),
    "size": (proof_with(other_size), "signature", "签名不对"),
    "signature": (proof_with(flip_signature), "signature", "签名不对"),
    "result": (change_result, "results", "申请人"),
    "missing": (drop_result, "results", "少了这一项"),
    "added": (add_result, "results", "never_asked"),
    "no proof": (lambda answer: answer["receipt"].pop("proof"), "read", "entry 和 proof"),
    "cut": (lambda answer: answer["receipt"].update(entry=answer["receipt"]["entry"][:-3]), "read", "没有复制完整"),
    "cut proof": (lambda answer: answer["receipt"].update(proof="c2sp.org/tlog-proof@v1\n"), "read", "证明（proof）"),
}


async def test_every_change_is_named(visit: Visit, town: World, answer: dict[str, Any]) -> None:
    page = await visit.open("/verify")
    for name, (change, step, said) in CHANGES.items():
        changed = copy.deepcopy(answer)
        change(changed)
        assert await verify(page, json.dumps(changed), town.vkey) == failed_at(step), name
        assert said in await cause(page), name
        assert not await page.is_visible("#facts"), "what was not verified is not shown"


async def test_what_is_no_receipt(visit: Visit, answer: dict[str, Any]) -> None:
    page = await visit.open("/verify")
    whole = json.dumps(answer)
    twice = whole.replace('"results":', '"results": [], "results":', 1)
    for text in ("x", whole + "}", twice, "[]", "null", "[1,]", '{"entry":1,"proof":2}', "[" * 100_000, whole[:-1]):
        assert await verify(page, text) == failed_at("read"), text[:40]
    assert await cause(page) == "内容不完整，或者不是回执。"


async def test_another_key(visit: Visit, town: World, answer: dict[str, Any]) -> None:
    page = await visit.open("/verify")
    text = json.dumps(answer)
    stranger = LogSigner(town.broker.keys.log.name, STRANGER._key).vkey
    assert await verify(page, text, stranger) == failed_at("signature")
    assert await cause(page) == "不是用这把密钥签的。"
    for malformed in ("nonsense", town.vkey[:-1], town.vkey.replace("+", "+0", 1)):
        assert await verify(page, text, malformed) == failed_at("signature")
        assert "日志密钥不对" in await cause(page)


async def test_a_receipt_of_another_log(visit: Visit, town: World) -> None:
    page = await visit.open("/verify")
    text = json.dumps(sample_answer())
    assert await verify(page, text) == failed_at("signature")
    assert await cause(page) == f"这是另一个日志的回执：{SIGNER.name}"
    # With that log's key all holds but one thing: it is not the log that stands here.
    assert await verify(page, text, SIGNER.vkey) == failed_at("consistency")
    assert "是另一个日志" in await cause(page)


def rewritten(signer: LogSigner, size: int) -> str:
    """A receipt that the log's own key signed over another history."""
    genuine = base64.b64decode(sample_answer()["receipt"]["entry"])
    growth = Growth(EMPTY_FRONTIER)
    for index in range(size):
        growth.append(hash_leaf(genuine if index == 5 else b"%d" % index))
    note = signer.sign(size, growth.frontier().root())
    proof = format_proof(5, growth.inclusion_path(5), note)
    return json.dumps({"entry": base64.b64encode(genuine).decode(), "proof": proof})


async def test_a_log_that_was_rewritten_or_cut_short(visit: Visit, town: World, answer: dict[str, Any]) -> None:
    page = await visit.open("/verify")
    unchecked = {"results": "unable"}
    assert await verify(page, rewritten(town.broker.keys.log, 9)) == failed_at("consistency") | unchecked
    assert "改写过" in await cause(page)
    assert await verify(page, rewritten(town.broker.keys.log, 5000)) == failed_at("consistency") | unchecked
    assert "截短" in await cause(page)


async def test_a_server_that_is_away_says_nothing_against_the_receipt(
    visit: Visit, town: World, answer: dict[str, Any]
) -> None:
    page = await visit.open("/verify")
    await page.route("**/v1/log/proof*", lambda route: route.abort())
    states = await verify(page, json.dumps(answer), town.vkey)
    assert states == dict.fromkeys(STEPS, "passed") | {"consistency": "unable"}
    assert await page.inner_text("#verdict") == "没能全部检查"
    assert "取不到日志" in await page.inner_text("#cause")
