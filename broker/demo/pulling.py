"""The story's second half: the centre pulls what was granted, and everything that must be refused is tried."""

from collections.abc import Mapping
from secrets import token_urlsafe
from typing import Any, Final

from rich.table import Table

from audit import verify
from broker.client import Reply, RequesterClient
from broker.demo.asking import CASE, OPERATOR, TAX, USES, Consent
from broker.demo.report import Report, Told, answered, check, refusal_table
from broker.demo.stage import MATTER, Stage
from broker.result_table import result_table
from consent.keys import strict_base64url, to_base64url
from policies.refusals import Code

_THEIR_CLERK: Final = {"id": "clerk-31", "name": "王科员", "desk": "1号窗口"}
OUTCOMES: Final[Mapping[str, str]] = {
    "real_estate_registration": "found",
    "deed_tax": "found",
    "marriage_check_single": "match",
    "hpf_remote_account": "found",
}


async def exchange_once(report: Report, stage: Stage, consent: Consent) -> Told[Mapping[str, Any]]:
    """One use: four departments in four styles, only the granted fields."""
    answer = answered(await _pull(stage.centre, consent), 200)
    report.results += answer["results"]
    report.receipts.append(answer["receipt"])
    outcomes = {result["item"]: result["outcome"] for result in answer["results"]}
    check(outcomes == OUTCOMES, f"the outcomes should be {OUTCOMES}, they are {outcomes}")
    check(_uses(answer) == [1, USES - 1], "this should be the first use of three")
    told = f"第 1 次，还剩 {USES - 1} 次 use 1, {USES - 1} left"
    return Told(answer, told, result_table(answer))


async def verify_receipt(stage: Stage, answer: Mapping[str, Any]) -> Told[verify.VerifiedReceipt]:
    """Offline: with the pinned key and nothing of the broker's."""
    receipt = verify.verify_receipt(answer["receipt"], stage.vkey, answer["results"])
    body = receipt.entry.body
    check((body["exchange"], body["case"]) == (answer["exchange"], CASE), "the receipt should be of this exchange")
    where = f"第 {receipt.entry.index} 条，共 {receipt.checkpoint.size} 条"
    return Told(receipt, f"{where} entry {receipt.entry.index}: {receipt.entry.event}, {receipt.results} results match")


async def misuse(report: Report, stage: Stage, consent: Consent, without_tax: Consent) -> Told[None]:
    """Four attempts that never reach a department and spend no use."""
    reply = await _pull(stage.centre, consent, case="YZ-2026-000999")
    report.refused("wrong_case", reply, Code.CASE_MISMATCH)
    reply = await _pull(stage.centre, without_tax, items=[{"party": "applicant", "item": TAX}])
    report.refused("item_not_granted", reply, Code.ITEM_NOT_GRANTED)
    reply = await _pull(stage.stranger, consent, operator=_THEIR_CLERK)
    report.refused("another_requester", reply, Code.NOT_THE_REQUESTER)
    reply = await _pull(stage.centre, consent, consents=[tampered(consent.token)])
    report.refused("flipped_byte", reply, Code.BAD_SIGNATURE)
    return Told(None, "各有各的拒绝码 each with its own code", _newest(report, 4))


async def use_up(report: Report, stage: Stage, consent: Consent) -> Told[None]:
    """The uses that are left, then one more."""
    for use in range(2, USES + 1):
        answer = answered(await _pull(stage.centre, consent), 200)
        check(_uses(answer) == [use, USES - use], f"this should be use {use} of {USES}")
        verify.verify_receipt(answer["receipt"], stage.vkey, answer["results"])
        report.receipts.append(answer["receipt"])
    report.refused("beyond_the_limit", await _pull(stage.centre, consent), Code.CONSENT_USED_UP)
    return Told(None, f"{USES} 次用完，再用就被拒绝 {USES} uses are spent, one more is refused", _newest(report, 1))


async def withdraw(report: Report, stage: Stage, consent: Consent) -> Told[None]:
    """Mr Xu takes his second consent back, though it was never used."""
    withdrawn = answered(await stage.phone.withdraw(consent.jti), 200)
    receipt = verify.verify_receipt(withdrawn["receipt"], stage.vkey)
    check(receipt.entry.event == "consent.withdrawn", "the receipt should be of the withdrawal")
    report.refused("after_withdrawal", await _pull(stage.centre, consent), Code.CONSENT_WITHDRAWN)
    return Told(None, "一撤回，立刻不能再查 from that moment nothing more", _newest(report, 1))


def tampered(token: str) -> str:
    """The token with one byte of its payload changed, 3 uses into 9: still canonical, only the signature is wrong."""
    header, payload, signature = token.split(".")
    claims = strict_base64url(payload)
    changed = claims.replace(f'"uses":{USES}'.encode(), b'"uses":9')
    check(len(changed) == len(claims) and changed != claims, "one byte should have changed")
    return f"{header}.{to_base64url(changed)}.{signature}"


async def _pull(centre: RequesterClient, consent: Consent, **members: Any) -> Reply:
    body = {"consents": [consent.token], "matter": MATTER, "case": CASE, "operator": OPERATOR}
    return await centre.exchange(**body | {"exchange": f"x-{token_urlsafe(15)}"} | members)


def _uses(answer: Mapping[str, Any]) -> list[int]:
    return [number for use in answer["uses"] for number in (use["use"], use["left"])]


def _newest(report: Report, count: int) -> Table:
    return refusal_table(report.refusals[-count:])
