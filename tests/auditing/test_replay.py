"""One call replayed: what was shown, signed, decided, given and done, with its proofs; and nobody named unasked."""

import hashlib
import json

import pytest
from sqlalchemy import update

from audit import verify
from connectors.departments.people import XU
from consent import tables
from consent.notice import masked
from tests.auditing.case import CASE, PERSONAL, REASON, Case
from tests.staff.desk import sit_down
from tests.world import ITEMS, OPERATOR

pytestmark = pytest.mark.asyncio(loop_scope="package")

PAGE = {"Accept": "text/html"}
CLAIMED = "核对的说法："


async def test_everything_of_one_call_in_one_place(case: Case) -> None:
    told = await case.desk.json(f"/audit/calls/{case.index('exchange.released')}")
    released = case.entries("exchange.released")[-1]["body"]
    granted = case.entries("consent.granted")[-1]["body"]
    assert (told["case"], told["desk"], told["operator"]) == (CASE, OPERATOR["desk"], OPERATOR["id"])
    assert {one["item"] for one in told["items"]} == set(ITEMS)
    assert {one["item"]: one["digest"] for one in told["items"]} == {
        one["item"]: one["digest"] for one in released["results"]
    }
    assert all(one["policies"] and one["fields"] and one["purpose"] for one in told["items"])
    [consent] = told["consents"]
    assert consent["token_sha256"] == hashlib.sha256(case.consent.encode()).hexdigest() == granted["token_sha256"]
    assert (consent["token"], consent["notice_proof"], consent["passkey_evidence"]) == ("proven", "proven", "")
    assert (consent["channel"], consent["device_key"]) == ("online", case.phone.key.public.kid)
    assert len(consent["ended"]) == 1
    assert [one["event"] for one in told["timeline"]] == [
        "consent.asked",
        "consent.shown",
        "consent.granted",
        "exchange.admitted",
        "exchange.released",
        "exchange.viewed",
        "exchange.decided",
        "consent.withdrawn",
    ]


@pytest.mark.parametrize("event", ["exchange.admitted", "exchange.viewed", "exchange.decided"])
async def test_every_entry_of_a_call_leads_to_the_whole(case: Case, event: str) -> None:
    whole = await case.desk.json(f"/audit/calls/{case.index('exchange.released')}")
    assert await case.desk.json(f"/audit/calls/{case.index(event)}") == whole


async def test_a_refused_call_says_why(case: Case) -> None:
    address = f"/audit/calls/{case.refused}"
    told = await case.desk.json(address)
    assert (told["refused"], told["code"], told["items"]) == (True, "consent_withdrawn", [])
    assert told["consents"][0]["jti"] == case.entries("consent.granted")[-1]["body"]["consent"]["jti"]
    page = await case.desk.get(f"{address}?lang=en", **PAGE)
    assert "/problems/consent_withdrawn?lang=en" in page.text


async def test_nobody_is_named_until_a_reason_is_written_down(case: Case) -> None:
    address = f"/audit/calls/{case.index('exchange.released')}"
    page = await case.desk.get(address, **PAGE)
    assert page.status == 200
    assert f"{CLAIMED}**" in page.text
    assert not [word for word in PERSONAL if word in page.text]
    assert f"{XU.name[0]}**" not in page.text
    assert (await case.desk.post(address, {"reason": " "})).status == 422
    before = len(case.looks("unmask"))
    unmasked = await case.desk.post(address, {"reason": REASON})
    assert unmasked.status == 200
    assert f"{XU.name[0]}**" in unmasked.text
    assert f"{CLAIMED}**" not in unmasked.text
    assert not [word for word in PERSONAL if word in unmasked.text], "the first letter and no more"
    [look] = case.looks("unmask")[before:]
    assert (look["reason"], look["number"]) == (REASON, "a-001")
    assert look["subject_ref"] == case.entries("consent.granted")[-1]["body"]["subject_ref"]


async def test_every_look_is_recorded_before_it_is_shown(case: Case) -> None:
    index = case.index("exchange.released")
    before = [len(case.looks(what)) for what in ("replay", "entry", "receipt")]
    for part in ("calls", "entries", "receipts"):
        assert (await case.desk.get(f"/audit/{part}/{index}", **PAGE)).status == 200
    assert [len(case.looks(what)) for what in ("replay", "entry", "receipt")] == [one + 1 for one in before]
    assert case.looks("replay")[-1]["filters"] == {"entry": str(index)}
    assert case.looks("replay")[-1]["entries"] == 8


async def test_its_receipt_verifies_without_the_broker(case: Case) -> None:
    index = case.index("exchange.released")
    seen = await case.desk.get(f"/audit/receipts/{index}")
    receipt = verify.verify_receipt(json.loads(seen.text), case.world.vkey)
    assert receipt.entry.index == index
    assert "attachment" in seen.headers["Content-Disposition"]


@pytest.mark.parametrize(
    "address", ["calls/{asked}", "calls/99999999", "calls/x", "entries/99999999", "receipts/99999999"]
)
async def test_what_is_no_call_is_not_found(case: Case, address: str) -> None:
    path = f"/audit/{address}".format(asked=case.index("consent.asked"))
    assert (await case.desk.get(path, **PAGE)).status == 404


async def test_a_changed_text_and_one_that_is_gone_are_told_apart(case: Case) -> None:
    address = f"/audit/calls/{case.index('exchange.released')}"
    table = tables.request

    async def put(text: bytes | None) -> bytes | None:
        def work(transaction: object) -> bytes | None:
            connection = transaction.connection  # type: ignore[attr-defined]
            held: bytes | None = connection.execute(table.select().where(table.c.case == CASE)).first().notice_text
            connection.execute(update(table).where(table.c.case == CASE).values(notice_text=text))
            return held

        return (await case.world.broker.storage.record(work)).value

    text = await put(None)
    assert text is not None
    assert (await case.desk.json(address))["consents"][0]["notice_proof"] == "gone"
    await put(text.replace("撤回".encode(), "收回".encode()))
    assert (await case.desk.json(address))["consents"][0]["notice_proof"] == "differs"
    assert "被改过" in (await case.desk.get(address, **PAGE)).text
    await put(text)
    assert (await case.desk.json(address))["consents"][0]["notice_proof"] == "proven"


async def test_another_role_is_turned_away(case: Case) -> None:
    other = await sit_down(case.world, "s-001")
    seen = await other.get(f"/audit/calls/{case.index('exchange.released')}", **PAGE)
    assert seen.status == 403
    assert case.refusals()[-1] == ("/audit/calls/{index}", "forbidden")


async def test_a_claim_of_several_lines_is_masked_whole() -> None:
    text = "1. 甲\n   核对的说法：姓名是“徐\n   示例\n路88号”\n   限定：地址 文昌路\n   为什么：核对\n"
    assert masked(text) == "1. 甲\n   核对的说法：**\n   限定：**\n   为什么：核对\n"
