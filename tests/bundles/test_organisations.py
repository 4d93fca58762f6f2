"""A handler signs for a firm: the firm's data under the firm's consent, the handler's own under hers, never mixed."""

from typing import Any

import pytest

from broker.demo.phone import ticket_of
from connectors.departments.city import City
from connectors.departments.people import FIRM, OTHER_FIRM, UNMARRIED, XU
from consent.grants import payload_of
from tests.bundles.people import CASE, about, about_firm, pull, recipients
from tests.world import OPERATOR, World

MATTER = "unit_registration"
ITEM = "enterprise_registration"


async def file(world: World, centre: Any, **members: Any) -> Any:
    filing = {"matter": MATTER, "case": CASE, "operator": OPERATOR, "subject": about_firm()} | members
    return await centre.file(**filing)


async def granted(world: World, centre: Any, **members: Any) -> str:
    """The handler opens the firm's request and signs; the consent."""
    filed = await file(world, centre, **members)
    assert filed.status == 201, filed.members
    phone = await world.phone(UNMARRIED)
    ticket = ticket_of(filed.members["consent_url"])
    offer = await phone.open(ticket)
    assert offer.status == 200, offer.members
    assert (offer.members["role"], offer.members["subject_kind"]) == ("signer", "organisation")
    assert "您是单位的经办人" in offer.members["notice_text"]
    agreed = await phone.agree(ticket, [one["item"] for one in offer.members["items"]])
    assert agreed.status == 201, agreed.members
    world.receipts.append(agreed.members["receipt"])
    return str((await centre.read(filed.members["id"])).members["consent"])


async def test_a_handler_signs_and_the_firms_data_is_released(town: World) -> None:
    centre = (await recipients(town)).fund
    consent = await granted(town, centre)
    claims = payload_of(consent)
    assert [one["item"] for one in claims["authorization_details"]] == [ITEM], (
        "the handler's own item is not hers to ask"
    )
    assert claims["channel"]["act"] not in ("", claims["sub"])
    reply = await pull(town, centre, MATTER, consent)
    assert reply.status == 200, reply.members
    (result,) = reply.members["results"]
    assert (result["outcome"], result["records"][0]["uscc"]) == ("found", FIRM.uscc)
    assert result["records"][0]["enterprise_name"] == FIRM.name
    town.check_log()
    logged = str(town.entries())
    assert FIRM.uscc not in logged
    assert FIRM.name not in logged


async def test_another_firms_record_is_garbled(town: World, city: City) -> None:
    centre = (await recipients(town)).fund
    consent = await granted(town, centre)
    city.set_fault("wrong_person")
    reply = await pull(town, centre, MATTER, consent)
    assert [one["outcome"] for one in reply.members["results"]] == ["garbled"]
    assert OTHER_FIRM.uscc not in str(reply.members)


async def test_nobody_but_the_handler_sees_it(town: World) -> None:
    centre = (await recipients(town)).fund
    filed = await file(town, centre)
    stranger = await town.phone(XU)
    seen = await stranger.open(ticket_of(filed.members["consent_url"]))
    assert (seen.status, seen.members["code"]) == (403, "not_the_subject")
    assert FIRM.name not in str(seen.members)


async def test_a_person_s_consent_opens_nothing_of_a_firm_and_the_other_way_round(town: World) -> None:
    centre = (await recipients(town)).fund
    for subject, item in ((about(UNMARRIED), ITEM), (about_firm(), "resident_identity_check")):
        filed = await file(town, centre, subject=subject, items=[{"item": item}])
        assert (filed.status, filed.members["code"]) == (422, "invalid_request")


async def test_the_handler_withdraws_and_the_firms_data_stays_shut(town: World) -> None:
    centre = (await recipients(town)).fund
    consent = await granted(town, centre)
    phone = town.phones[-1]
    mine = (await phone.get("/v1/me/consents")).members["consents"]
    assert [(one["mine"], one["status"]) for one in mine] == [(False, "active")]
    assert (await phone.withdraw(payload_of(consent)["jti"])).status == 200
    reply = await pull(town, centre, MATTER, consent)
    assert (reply.status, reply.members["code"]) == (409, "consent_withdrawn")
    town.check_log()


@pytest.mark.parametrize(
    "subject",
    [
        about_firm() | {"uscc": FIRM.uscc[:-1] + ("0" if FIRM.uscc[-1] != "0" else "1")},
        about_firm() | {"uscc": UNMARRIED.id_number},
        about_firm() | {"id_number": XU.id_number},
        {name: value for name, value in about_firm().items() if name != "handler"},
        about_firm() | {"handler": {"name": "周一鸣", "id_number": "1"}},
        about_firm() | {"name": ""},
        about(XU) | {"uscc": FIRM.uscc},
        about(XU) | {"handler": about(UNMARRIED)},
        about_firm() | {"kind": "ship"},
    ],
)
async def test_a_subject_that_does_not_add_up_is_refused_by_member(town: World, subject: dict[str, Any]) -> None:
    centre = (await recipients(town)).fund
    filed = await file(town, centre, subject=subject)
    assert (filed.status, filed.members["code"]) == (422, "invalid_request")
    assert "subject" in filed.members["detail"]
    for personal in (FIRM.uscc, XU.id_number, UNMARRIED.id_number):
        assert personal not in str(filed.members)


@pytest.mark.parametrize("mode", ["guardian", "entrusted", "assisted"])
async def test_for_a_firm_only_its_handler_acts(town: World, mode: str) -> None:
    centre = (await recipients(town)).fund
    acting = {"acting": about(XU), "evidence_sha256": "a" * 64}
    more = acting | ({"witness": about(UNMARRIED)} if mode == "assisted" else {})
    filed = await file(town, centre, mode=mode, **more)
    assert (filed.status, filed.members["code"]) == (422, "invalid_request")
