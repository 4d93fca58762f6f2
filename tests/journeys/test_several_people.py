"""More than one person in a case: a spouse, a guardian, an entrusted helper, a clerk with a witness; and a clear no."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import pytest

from broker.client import RequesterClient
from broker.demo.phone import Phone
from connectors.departments.fleet import Fleet
from connectors.departments.people import LIN, OLD_FORM, TWO_HOMES, XU, made_up
from consent.grants import payload_of
from policies.vocabulary import Person
from tests.faults.raw_http import logged
from tests.world import OPERATOR, World

EVIDENCE: Final = "e" * 64
CHILD: Final = made_up("徐小满", "20200601", 61)
YOUTH: Final = made_up("徐青青", "20110601", 62)
CLERK: Final = made_up("陈科员", "19900101", 63)
COLLEAGUE: Final = made_up("李同事", "19910101", 64)
ITEM: Final = ["deed_tax"]


def named(person: Person) -> dict[str, str]:
    return {"name": person.name, "id_number": person.id_number}


def acting(mode: str, by: Person, **members: Any) -> dict[str, Any]:
    return {"mode": mode, "acting": named(by), "evidence_sha256": EVIDENCE, "items": [{"item": "deed_tax"}]} | members


async def signed(
    world: World,
    centre: RequesterClient,
    request: str,
    phone: Phone,
    address: str,
    items: Sequence[str] = ITEM,
) -> str:
    """Open and sign; the consent as the centre gets it."""
    offer = await phone.open(address)
    assert offer.status == 200, offer.members
    reply = await phone.agree(address, list(items))
    assert reply.status == 201, reply.members
    world.receipts.append(reply.members["receipt"])
    return str((await centre.read(request)).members["consent"])


def entry(world: World, event: str) -> dict[str, Any]:
    body: dict[str, Any] = [one["body"] for one in world.entries() if one["event"] == event][-1]
    return body


async def test_each_releases_only_her_own(world: World) -> None:
    centre, xu, lin = await world.centre(), await world.phone(XU), await world.phone(LIN)
    his = await world.grant(centre, xu, items=["real_estate_registration", "hpf_remote_account"])
    request, invitation = await world.ask(centre, LIN, party="spouse", items=[{"item": "deed_tax"}])
    for door in (invitation, request):
        assert (await xu.open(door)).code == "not_the_subject", "he opened what is hers"
    hers = await signed(world, centre, request, lin, invitation)
    reply = await world.pull(centre, his, hers)
    assert reply.status == 200, reply.members
    parties = {(result["party"], result["item"]) for result in reply.members["results"]}
    assert parties == {
        ("applicant", "real_estate_registration"),
        ("applicant", "hpf_remote_account"),
        ("spouse", "deed_tax"),
    }
    asked = await world.pull(centre, his, hers, items=[{"party": "applicant", "item": "deed_tax"}])
    assert asked.code == "item_not_granted", "her consent opened his data"
    assert (await lin.withdraw(payload_of(hers)["jti"])).status == 200
    assert (await world.pull(centre, his, hers)).code == "consent_withdrawn"
    assert (await world.pull(centre, his)).status == 200, "her withdrawal ended his consent"
    accesses = (await lin.get("/v1/me/accesses")).members["accesses"]
    assert {line["item"] for access in accesses for line in access["items"]} == {"deed_tax"}, "she sees his items"
    world.check_log()


COUPLE: Final = {
    "item": "marriage_check_couple",
    "fields": ["couple_match_result"],
    "expect": {"couple_match_result": "1"},
}


async def both_granted(world: World, centre: RequesterClient, one: Phone, other: Phone) -> list[str]:
    consents = []
    for party, phone in (("applicant", one), ("spouse", other)):
        request, ticket = await world.ask(centre, phone.person, party=party, items=[COUPLE])
        consents.append(await signed(world, centre, request, phone, ticket, ["marriage_check_couple"]))
    return consents


async def test_a_couple_is_checked_on_both_consents_only(world: World) -> None:
    centre, xu, lin = await world.centre(), await world.phone(XU), await world.phone(LIN)
    his, hers = await both_granted(world, centre, xu, lin)
    alone = await world.pull(centre, his)
    assert (alone.code, alone.members["reasons"]) == ("policy_refused", ["marriage_check_couple:joint_party_missing"])
    reply = await world.pull(centre, his, hers)
    outcomes = [(one["party"], one["outcome"], one["records"]) for one in reply.members["results"]]
    assert outcomes == [("applicant", "match", []), ("spouse", "match", [])]
    single = await world.pull(centre, his, hers, items=[{"party": "applicant", "item": "marriage_check_couple"}])
    assert [one["outcome"] for one in single.members["results"]] == ["match"]
    assert (await lin.withdraw(payload_of(hers)["jti"])).status == 200
    his_again = await world.pull(centre, his, hers, items=[{"party": "applicant", "item": "marriage_check_couple"}])
    assert his_again.code == "consent_withdrawn", "his line went out on a consent of hers that had ended"
    world.check_log()


async def test_two_who_are_no_couple_do_not_match(world: World) -> None:
    centre, xu, other = await world.centre(), await world.phone(XU), await world.phone(TWO_HOMES)
    reply = await world.pull(centre, *await both_granted(world, centre, xu, other))
    assert {one["outcome"] for one in reply.members["results"]} == {"mismatch"}
    world.check_log()


async def test_a_withdrawal_on_the_way_withholds_both_lines_of_a_couple(world: World, fleet: Fleet) -> None:
    centre, xu, lin = await world.centre(), await world.phone(XU), await world.phone(LIN)
    his, hers = await both_granted(world, centre, xu, lin)
    fleet.set_fault("civil_affairs", "slow", 1.0)
    try:
        running = asyncio.create_task(world.pull(centre, his, hers))
        await logged(world, "exchange.admitted")
        assert (await lin.withdraw(payload_of(hers)["jti"])).status == 200
        assert (await running).code == "consent_withdrawn", "one spouse's answer left on the other's ended consent"
    finally:
        fleet.set_fault("civil_affairs", "none")
    assert entry(world, "exchange.withheld")["code"] == "consent_withdrawn"
    world.check_log()


async def test_a_guardian_signs_for_a_child(world: World) -> None:
    centre, father, stranger = await world.centre(), await world.phone(XU), await world.phone(LIN)
    request, ticket = await world.ask(centre, CHILD, party="child", **acting("guardian", XU))
    assert (await stranger.open(ticket)).code == "not_the_subject"
    consent = await signed(world, centre, request, father, ticket)
    claims = payload_of(consent)
    assert claims["channel"]["mode"] == "guardian"
    assert claims["channel"]["evidence_sha256"] == EVIDENCE
    assert claims["channel"]["act"] not in ("", claims["sub"])
    granted = entry(world, "consent.granted")
    assert (granted["channel"], granted["acting_evidence_sha256"]) == ("guardian", EVIDENCE)
    assert granted["actor_ref"] not in ("", granted["subject_ref"])
    assert (await world.pull(centre, consent)).members["results"][0]["outcome"] == "no_record"
    admitted = entry(world, "exchange.admitted")
    assert admitted["items"][0]["policies"] == ["signed_by_guardian"]
    assert admitted["items"][0]["subject_ref"] == granted["subject_ref"], "it was not the child who was asked about"
    [his] = (await father.get("/v1/me/consents")).members["consents"]
    assert (his["mine"], his["channel"]) == (False, "guardian")
    assert (await father.withdraw(his["jti"])).status == 200
    assert entry(world, "consent.withdrawn")["actor_ref"] == granted["actor_ref"]
    assert (await world.pull(centre, consent)).code == "consent_withdrawn"
    world.check_log()


async def test_whoever_entrusted_somebody_sees_it_and_may_say_no(world: World) -> None:
    centre, helper, elder = await world.centre(), await world.phone(LIN), await world.phone(OLD_FORM)
    request, ticket = await world.ask(centre, OLD_FORM, **acting("entrusted", LIN))
    [waiting] = (await elder.get("/v1/me/requests")).members["waiting"]
    assert (waiting["id"], waiting["mine"], waiting["mode"]) == (request, True, "entrusted")
    assert (await helper.open(ticket)).members["role"] == "signer"
    assert (await elder.open(request)).members["role"] == "subject"
    assert (await elder.compose(request, ITEM)).code == "not_the_subject", "she signed in the helper's place"
    assert (await elder.post(f"/v1/me/requests/{request}/decline")).status == 200
    assert (await helper.compose(ticket, ITEM)).code == "already_decided"
    declined = entry(world, "consent.declined")
    assert (declined["actor_ref"], (await centre.read(request)).members["status"]) == ("", "declined")
    world.check_log()


async def test_what_a_helper_signed_ends_without_the_helper(world: World) -> None:
    centre, helper, elder = await world.centre(), await world.phone(LIN), await world.phone(OLD_FORM)
    request, ticket = await world.ask(centre, OLD_FORM, **acting("entrusted", LIN))
    consent = await signed(world, centre, request, helper, ticket)
    assert (await world.pull(centre, consent)).status == 200
    assert entry(world, "exchange.admitted")["items"][0]["policies"] == ["signed_by_entrusted"]
    [hers] = (await elder.get("/v1/me/consents")).members["consents"]
    assert (hers["mine"], hers["channel"]) == (True, "entrusted")
    assert (await elder.withdraw(hers["jti"], with_device=False)).status == 200
    assert (await world.pull(centre, consent)).code == "consent_withdrawn"
    world.check_log()


async def test_an_assisted_authorization_takes_two_and_is_for_once(world: World) -> None:
    centre, clerk, colleague = await world.centre(), await world.phone(CLERK), await world.phone(COLLEAGUE)
    request, ticket = await world.ask(
        centre, OLD_FORM, **acting("assisted", CLERK, witness=named(COLLEAGUE), operator=OPERATOR)
    )
    assert (await clerk.open(ticket)).status == 200
    alone = await clerk.compose(ticket, ITEM)
    assert (alone.code, alone.members["reasons"]) == ("policy_refused", ["witness_missing"])
    assert (await clerk.post(f"/v1/me/requests/{request}/witness")).code == "not_the_subject", "one was both"
    assert (await colleague.open(request)).members["role"] == "witness"
    assert (await colleague.compose(request, ITEM)).code == "not_the_subject"
    assert (await colleague.post(f"/v1/me/requests/{request}/witness")).status == 200
    consent = await signed(world, centre, request, clerk, ticket)
    claims = payload_of(consent)
    assert (claims["uses"], claims["exp"] - claims["iat"] <= 86400) == (1, True)
    assert (await world.pull(centre, consent)).status == 200
    assert entry(world, "exchange.admitted")["items"][0]["policies"] == ["signed_with_assistance"]
    assert (await world.pull(centre, consent)).code == "consent_used_up"
    told = await world.phone(OLD_FORM)
    [hers] = (await told.get("/v1/me/consents")).members["consents"]
    assert (hers["mine"], hers["channel"]) == (True, "assisted")
    witnessed = entry(world, "consent.witnessed")
    assert witnessed["witness_ref"] not in ("", witnessed["subject_ref"])
    world.check_log()


async def test_a_clear_no_is_remembered_and_only_she_can_think_again(world: World) -> None:
    centre, phone, other = await world.centre(), await world.phone(XU), await world.phone(LIN)
    request, ticket = await world.ask(centre, XU)
    assert (await phone.post(f"/v1/me/requests/{ticket}/decline")).status == 200
    again = await centre.file(matter="purchase_withdrawal", case="YZ-2026-000123", subject=named(XU), operator=OPERATOR)
    assert (again.status, again.code) == (409, "already_decided"), "she was asked again"
    await world.ask(centre, XU, case="YZ-2026-000777")
    assert (await other.post(f"/v1/me/requests/{request}/reopen")).code == "not_the_subject"
    [mine] = (await phone.get("/v1/me/requests")).members["declined"]
    assert mine["id"] == request
    assert (await phone.post(f"/v1/me/requests/{request}/reopen")).status == 200
    assert (await phone.post(f"/v1/me/requests/{request}/reopen")).code == "already_decided"
    assert (await phone.open(request)).status == 200
    needed = ["real_estate_registration", "hpf_remote_account"]
    assert (await phone.agree(request, needed)).status == 201
    consent = str((await centre.read(request)).members["consent"])
    assert (await world.pull(centre, consent)).status == 200
    world.check_log()


ADULT, NOBODY = named(LIN), {"name": "徐示例", "id_number": "321099199001011230"}
WRONG: Final[dict[str, tuple[Person | None, dict[str, Any], str]]] = {
    "a guardian without a paper": (CHILD, {"mode": "guardian", "acting": ADULT}, "evidence_sha256"),
    "a guardian without a name": (CHILD, {"mode": "guardian", "evidence_sha256": EVIDENCE}, "acting"),
    "no digest": (CHILD, acting("guardian", LIN, evidence_sha256="E" * 64), "evidence_sha256"),
    "somebody acting online": (XU, acting("online", LIN), "acting"),
    "a paper online": (XU, {"evidence_sha256": EVIDENCE}, "evidence_sha256"),
    "an assisted one without a witness": (XU, acting("assisted", LIN), "witness"),
    "an assisted one without a desk": (
        XU,
        acting("assisted", LIN, witness=named(CLERK), operator=None),
        "operator",
    ),
    "a witness who is the clerk": (XU, acting("assisted", LIN, witness=ADULT), "witness"),
    "who acts for herself": (LIN, acting("entrusted", LIN), "acting"),
    "more than one assisted use": (XU, acting("assisted", LIN, witness=named(CLERK), uses=2), "uses"),
    "an assisted one for a week": (XU, acting("assisted", LIN, witness=named(CLERK), valid_for=604800), "valid_for"),
    "an id number that cannot be": (XU, acting("entrusted", LIN) | {"acting": NOBODY}, "acting.id_number"),
    "nobody to act for": (None, acting("entrusted", LIN), "subject"),
}


@pytest.mark.parametrize("case", WRONG)
async def test_what_a_channel_demands(world: World, case: str) -> None:
    person, members, at_fault = WRONG[case]
    centre = await world.centre()
    filing: dict[str, Any] = {"matter": "purchase_withdrawal", "case": "YZ-1", "operator": OPERATOR} | members
    filing = {name: value for name, value in filing.items() if value is not None}
    if person is not None:
        filing["subject"] = named(person)
    reply = await centre.file(**filing)
    assert (reply.status, reply.code) == (422, "invalid_request"), reply.members
    assert at_fault in str(reply.members), reply.members


@pytest.mark.parametrize(
    ("person", "members", "reason"),
    [
        (LIN, acting("guardian", XU), "not_a_minor"),
        (CHILD, {}, "guardian_needed"),
        (CHILD, acting("entrusted", XU), "guardian_needed"),
        (CHILD, acting("guardian", YOUTH), "signer_is_a_minor"),
    ],
)
async def test_who_is_too_young_or_too_old(world: World, person: Person, members: dict[str, Any], reason: str) -> None:
    centre = await world.centre()
    reply = await centre.file(
        **{"matter": "purchase_withdrawal", "case": "YZ-1", "operator": OPERATOR, "subject": named(person)} | members
    )
    assert (reply.code, reply.members["reasons"]) == ("policy_refused", [reason])


async def test_a_youth_may_sign_for_herself(world: World) -> None:
    centre, phone = await world.centre(), await world.phone(YOUTH)
    assert await world.grant(centre, phone)
