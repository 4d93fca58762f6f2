"""One entry, one link, a part for each recipient: each signed, pulled, refused and withdrawn by itself."""

from collections.abc import Mapping
from typing import Any

import pytest

from broker.demo.phone import Phone
from connectors.departments.city import City
from connectors.departments.people import FIRM, LIN, UNMARRIED, XU
from consent.grants import payload_of
from tests.bundles.people import (
    CASE,
    OPENING,
    RETIREMENT,
    Recipients,
    about,
    about_firm,
    ask,
    department,
    link,
    pull,
    recipients,
)
from tests.world import World

CLAIM = {"items": [{"item": "resident_identity_check", "expect": {"full_name": XU.name}}]}


async def agree(phone: Phone, offer: Mapping[str, Any], *matters: str) -> dict[str, str]:
    """Sign the parts of these matters, or of all; the consent's `jti` by matter."""
    signed = {}
    for part in offer["parts"]:
        if part["status"] != "granted" and (not matters or part["matter"]["id"] in matters):
            reply = await phone.agree(part["id"], [one["item"] for one in part["items"]])
            assert reply.status == 201, reply.members
            signed[part["matter"]["id"]] = reply.members["jti"]
    return signed


async def consent_of(centre: Any, offer: Mapping[str, Any], matter: str) -> str:
    (part,) = [one for one in offer["parts"] if one["matter"]["id"] == matter]
    return str((await centre.read(part["id"])).members["consent"])


async def retire(town: World, *matters: str) -> tuple[Recipients, Phone, str, Mapping[str, Any]]:
    """The whole of it, agreed to: who receives, her phone, the bundle's id and the offer."""
    all_of_them = await recipients(town)
    filed = await ask(all_of_them.fund)
    phone = await town.phone(XU)
    offer = (await phone.open(link(filed))).members
    await agree(phone, offer, *matters)
    return all_of_them, phone, filed.members["id"], offer


async def test_one_link_a_part_for_each_recipient_and_each_its_own_slice(town: World) -> None:
    them, phone, bundle, offer = await retire(town)
    assert [one["requester"]["id"] for one in offer["parts"]] == ["yz-hpf", "yz-hr", "yz-ybj"]
    slices = {
        "retirement_withdrawal": (them.fund, {"resident_identity_check", "pension_retirement"}),
        "pension_claim": (them.human_resources, {"resident_basic"}),
        "medical_retirement": (them.medical, {"resident_identity_check", "pension_retirement"}),
    }
    for matter, (centre, items) in slices.items():
        consent = await consent_of(centre, offer, matter)
        claims = payload_of(consent)
        assert (claims["client_id"], claims["matter"]) == (centre.requester, matter)
        reply = await pull(town, centre, matter, consent)
        assert reply.status == 200, reply.members
        assert {one["item"] for one in reply.members["results"]} == items
        for other, (stranger, _) in slices.items():
            if other != matter:
                taken = await pull(town, stranger, matter, consent)
                assert taken.status == 403, "another recipient's slice"
    assert (await them.fund.read(bundle)).members["status"] == "granted"
    assert len({payload_of(await consent_of(c, offer, m))["sub"] for m, (c, _) in slices.items()}) == 3
    progress = (await phone.get(f"/v1/me/bundles/{bundle}")).members
    assert [part["consent"]["status"] for part in progress["parts"]] == ["active"] * 3
    assert {one["outcome"] for part in progress["parts"] for one in part["items"]} == {"not_decidable", "found"}
    town.check_log()


async def test_partial_success_each_with_its_reason(town: World, city: City) -> None:
    them, phone, bundle, offer = await retire(town, "retirement_withdrawal")
    assert (await phone.post(f"/v1/me/requests/{bundle}/decline")).status == 200, "to what still waits"
    told = (await them.fund.read(bundle)).members
    assert told["status"] == "partly"
    assert [part["status"] for part in told["parts"]] == ["granted", "declined", "declined"]
    city.set_fault("html")
    reply = await pull(
        town, them.fund, "retirement_withdrawal", await consent_of(them.fund, offer, "retirement_withdrawal")
    )
    assert {one["outcome"] for one in reply.members["results"]} == {"garbled"}
    progress = (await phone.get(f"/v1/me/bundles/{bundle}")).members
    assert [part["status"] for part in progress["parts"]] == ["granted", "declined", "declined"]
    assert {one["outcome"] for one in progress["parts"][0]["items"]} == {"garbled"}
    assert {one["agreed"] for part in progress["parts"][1:] for one in part["items"]} == {False}


async def test_whoever_takes_no_part_is_left_out_by_name_and_the_others_go_on(town: World) -> None:
    fund = await town.centre(matters=("retirement_withdrawal",))
    await department(town, "yz-ybj", "medical_insurance", "pension_claim")  # not registered for its own matter
    filed = await ask(fund)
    assert [part["matter"] for part in filed.members["parts"]] == ["retirement_withdrawal"]
    assert {one["matter"]: one["reason"] for one in filed.members["left_out"]} == {
        "pension_claim": "not_connected",
        "medical_retirement": "policy_refused",
    }
    offer = (await (await town.phone(XU)).open(link(filed))).members
    assert [one["recipient"] for one in offer["left_out"]] == ["人力资源和社会保障局", "医疗保障局"]


async def test_a_bundle_nobody_can_be_asked_for_is_refused(town: World) -> None:
    fund = await town.centre(matters=("purchase_withdrawal",))
    filed = await ask(fund)
    assert (filed.status, filed.members["code"]) == (403, "policy_refused")


async def test_a_department_gets_nothing_of_a_fund_centres_matter(town: World) -> None:
    greedy = await department(town, "yz-hr", "human_resources", "retirement_withdrawal")
    filed = await greedy.file(matter="retirement_withdrawal", case=CASE, subject=about(XU))
    assert (filed.status, filed.members["code"]) == (403, "policy_refused")
    assert any("not_the_recipient" in reason for reason in filed.members["reasons"])


async def test_nobody_else_opens_it_and_a_renewed_link_is_the_only_one(town: World) -> None:
    them = await recipients(town)
    filed = await ask(them.fund)
    stranger = await town.phone(LIN)
    for address in (link(filed), filed.members["id"], filed.members["parts"][0]["id"]):
        seen = await stranger.open(address)
        assert (seen.status, seen.members["code"]) == (403, "not_the_subject")
    assert (await stranger.get(f"/v1/me/bundles/{filed.members['id']}")).members["code"] == "not_the_subject"
    renewed = await them.fund.change(filed.members["id"], "renew")
    phone = await town.phone(XU)
    assert (await phone.open(link(filed))).status == 404
    assert (await phone.open(renewed.members["consent_url"].rsplit("/", 1)[-1])).status == 200
    assert (await them.medical.read(filed.members["id"])).status == 404, "how far it is, is for whom it began at"


async def test_too_late_and_renewed(town: World) -> None:
    them = await recipients(town)
    filed = await ask(them.fund, mode="counter")
    town.clock.advance(301)
    phone = await town.phone(XU)
    late = await phone.open(link(filed))
    assert (late.status, late.members["code"]) == (409, "request_expired")
    assert (await them.fund.read(filed.members["id"])).members["status"] == "expired"
    renewed = await them.fund.change(filed.members["id"], "renew")
    assert renewed.status == 200, renewed.members
    offer = await phone.open(renewed.members["consent_url"].rsplit("/", 1)[-1])
    assert [part["status"] for part in offer.members["parts"]] == ["opened"] * 3


async def test_taken_back_by_the_centre_where_it_began(town: World) -> None:
    them, _, bundle, _ = await retire(town, "pension_claim")
    assert (await them.human_resources.change(bundle, "cancel")).status == 404
    assert (await them.fund.change(bundle, "cancel")).status == 200
    told = (await them.fund.read(bundle)).members
    assert [part["status"] for part in told["parts"]] == ["cancelled", "granted", "cancelled"]
    assert (await them.fund.change(bundle, "cancel")).members["code"] == "already_decided"


async def test_one_part_withdrawn_leaves_the_others(town: World) -> None:
    them, phone, bundle, offer = await retire(town)
    gone = await consent_of(them.fund, offer, "retirement_withdrawal")
    assert (await phone.withdraw(payload_of(gone)["jti"])).status == 200
    assert (await pull(town, them.fund, "retirement_withdrawal", gone)).members["code"] == "consent_withdrawn"
    kept = await consent_of(them.medical, offer, "medical_retirement")
    assert (await pull(town, them.medical, "medical_retirement", kept)).status == 200
    progress = (await phone.get(f"/v1/me/bundles/{bundle}")).members
    assert [part["consent"]["status"] for part in progress["parts"]] == ["withdrawn", "active", "active"]
    town.check_log()


async def test_an_enterprise_opens_and_its_handler_signs_for_both(town: World) -> None:
    them = await recipients(town)
    claim = {"matter": "unit_registration", "party": "handler", **CLAIM}
    claim["items"] = [{"item": "resident_identity_check", "expect": {"full_name": UNMARRIED.name}}]
    filed = await ask(them.fund, OPENING, subject=about_firm(), parts=[claim])
    assert {(one["matter"], one["reason"]) for one in filed.members["left_out"]} == {
        ("tax_unit", "not_connected"),
        ("seal_filing", "not_connected"),
    }
    phone = await town.phone(UNMARRIED)
    offer = (await phone.open(link(filed))).members
    assert [(one["matter"]["id"], one["party"], one["subject_kind"]) for one in offer["parts"]] == [
        ("unit_registration", "applicant", "organisation"),
        ("unit_registration", "handler", "person"),
        ("social_insurance_unit", "applicant", "organisation"),
    ]
    consents = {}
    for part in offer["parts"]:
        signed = await phone.agree(part["id"], [one["item"] for one in part["items"]])
        assert signed.status == 201, signed.members
        centre = them.fund if part["requester"]["id"] == "yz-hpf" else them.human_resources
        consents[part["matter"]["id"], part["party"]] = str((await centre.read(part["id"])).members["consent"])
    both = [consents["unit_registration", party] for party in ("applicant", "handler")]
    reply = await pull(town, them.fund, "unit_registration", *both)
    assert reply.status == 200, reply.members
    results = {(one["party"], one["item"]): one for one in reply.members["results"]}
    assert results["handler", "resident_identity_check"]["outcome"] == "match"
    assert results["applicant", "enterprise_registration"]["records"][0]["uscc"] == FIRM.uscc
    social = await pull(
        town, them.human_resources, "social_insurance_unit", consents["social_insurance_unit", "applicant"]
    )
    assert "legal_representative_name" not in social.members["results"][0]["records"][0], "not in its slice"
    town.check_log()


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ({"matter": "retirement_withdrawal"}, "matter"),
        ({"items": [{"item": "pension_retirement"}]}, "items"),
        ({"uses": 1}, "uses"),
        ({"subject": None}, "subject"),
        ({"subject": about_firm()}, "subject"),
        ({"parts": [{"matter": "unit_registration", "items": []}]}, "parts"),
        ({"parts": [{"matter": "pension_claim", **CLAIM}] * 2}, "parts"),
        ({"evidence_sha256": "a" * 64}, "evidence_sha256"),
    ],
)
async def test_a_bundle_that_does_not_add_up_is_refused_by_member(
    town: World, members: dict[str, Any], fault: str
) -> None:
    them = await recipients(town)
    filed = await ask(them.fund, RETIREMENT, **members)
    assert (filed.status, filed.members["code"]) == (422, "invalid_request")
    assert fault in filed.members["detail"]


async def test_an_unknown_bundle_and_parts_without_one(town: World) -> None:
    them = await recipients(town)
    assert (await ask(them.fund, "bundle_marriage")).members["code"] == "unknown_matter"
    alone = await them.fund.file(matter="retirement_withdrawal", case=CASE, subject=about(XU), parts=[])
    assert (alone.status, alone.members["code"]) == (422, "invalid_request")


async def test_a_clear_no_is_not_asked_again_but_the_rest_is(town: World) -> None:
    them, phone, bundle, _ = await retire(town, "pension_claim", "medical_retirement")
    assert (await phone.post(f"/v1/me/requests/{bundle}/decline")).status == 200
    again = await ask(them.fund)
    assert {one["matter"]: one["reason"] for one in again.members["left_out"]} == {
        "retirement_withdrawal": "already_decided"
    }
