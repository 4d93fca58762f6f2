"""The citizen's forms as an attacker sends them: foreign origins, foreign people's things, addresses of elsewhere."""

from typing import Any

import pytest

from broker.demo.phone import Phone
from connectors.departments.people import XU
from policies.identifiers import check_digit
from policies.vocabulary import Person
from tests.browser.citizens import ask
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")

_NUMBER = "32109919770707002"
STRANGER = Person("外人", _NUMBER + check_digit(_NUMBER))


async def send(phone: Phone, path: str, fields: dict[str, str] | None = None, **headers: str) -> tuple[int, str, Any]:
    """Post a form; the status, the text and where it leads."""
    given = {"Origin": phone.issuer} | headers
    address = f"{phone.issuer}{path}"
    async with phone.http.post(address, data=fields or {}, headers=given, allow_redirects=False) as response:
        return response.status, await response.text(), response.headers.get("Location")


async def consent_of(phone: Phone, case: str) -> dict[str, Any]:
    consents = (await phone.get("/v1/me/consents")).members["consents"]
    [found] = [one for one in consents if one["case"] == case]
    return dict(found)


async def granted(town: World, phone: Phone) -> dict[str, Any]:
    """A consent of this phone's owner, as she reads it."""
    asked = await ask(town)
    ticket = asked.path.removeprefix("/a/")
    items = [line["item"] for line in (await phone.open(ticket)).members["items"]]
    assert (await phone.agree(ticket, items)).status == 201
    return await consent_of(phone, asked.case)


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", ""])
async def test_a_form_of_another_site_does_nothing(town: World, origin: str) -> None:
    phone = await town.phone()
    consent = await granted(town, phone)
    pending = await ask(town)
    for path in (
        f"/me/consents/{consent['jti']}/withdraw",
        f"/me/consents/{consent['jti']}/pause",
        f"/me/devices/{phone.key.public.kid}/remove",
        f"{pending.path}/decline",
        "/sign-in",
        "/text-size",
    ):
        status, text, _ = await send(phone, path, {"size": "large"}, Origin=origin)
        assert status == 403, path
        assert "不是从本网站发出的" in text
    assert (await consent_of(phone, consent["case"]))["status"] == "active"
    assert (await pending.centre.read(pending.request)).members["status"] == "pending"


async def test_other_peoples_things_are_not_found(town: World) -> None:
    owner, other = await town.phone(), await town.phone(STRANGER)
    consent = await granted(town, owner)
    for action in ("withdraw", "pause", "resume"):
        status, text, _ = await send(other, f"/me/consents/{consent['jti']}/{action}")
        assert (status, consent["case"] in text) == (404, False)
    assert (await send(other, f"/me/devices/{owner.key.public.kid}/remove"))[0] == 404
    index = max(entry["index"] for entry in town.entries() if entry["body"].get("case") == consent["case"])
    assert (await owner.http.get(f"{town.issuer}/me/receipts/{index}")).status == 200
    for wrong in (index, -1, 1 << 63, 1 << 70):
        assert (await other.http.get(f"{town.issuer}/me/receipts/{wrong}")).status == 404
    assert (await consent_of(owner, consent["case"]))["status"] == "active"


@pytest.mark.parametrize("back", ["https://elsewhere.example/", "//elsewhere.example", "/me/../v1", "/a/x\r\nX: y", ""])
async def test_nobody_is_sent_elsewhere(town: World, back: str) -> None:
    phone = await town.phone()
    fields = {"name": XU.name, "id_number": XU.id_number, "level": "high", "back": back}
    assert (await send(phone, "/sign-in", fields))[::2] == (303, "/me")
    assert (await send(phone, "/text-size", {"back": back}))[::2] == (303, "/me")


async def test_pages_are_kept_by_nobody_and_framed_by_nobody(town: World) -> None:
    phone = await town.phone()
    for path in ("/me", "/me/accesses", "/me/devices", (await ask(town)).path):
        async with phone.http.get(f"{town.issuer}{path}") as response:
            assert response.status == 200
            assert response.headers["Cache-Control"] == "no-store"
            assert response.headers.getall("Referrer-Policy") == ["same-origin"]
            [policy] = response.headers.getall("Content-Security-Policy")
            assert "unsafe" not in policy
            assert {"form-action 'self'", "frame-ancestors 'none'"} <= {part.strip() for part in policy.split(";")}
            assert XU.id_number not in await response.text()


async def test_a_low_sign_in_cannot_enrol_or_agree(town: World) -> None:
    phone = await town.phone()
    await phone.sign_in("low")
    asked = await ask(town)
    ticket = asked.path.removeprefix("/a/")
    await phone.open(ticket)
    assert (await phone.agree(ticket, ["deed_tax"])).members["code"] == "step_up_required"


async def test_a_form_that_is_none(town: World) -> None:
    phone = await town.phone()
    consent = await granted(town, phone)
    many = {f"x{number}": "" for number in range(50)}
    path = f"/me/consents/{consent['jti']}/withdraw"
    assert (await send(phone, path, many))[0] == 422
    assert (await send(phone, path, {"withdrawal": "x" * 20_000}))[0] == 413
    assert (await send(phone, path, {"withdrawal": "not.a.token"}))[0] == 422
    async with phone.http.post(f"{town.issuer}{path}", json={}, headers={"Origin": phone.issuer}) as response:
        assert response.status == 415
    assert (await consent_of(phone, consent["case"]))["status"] == "active"
