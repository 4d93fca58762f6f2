"""Staff sign in at the same provider: as surely as can be, anew each time, and only who has a role here."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from broker.demo.identity_app import Misbehaviour
from broker.demo.identity_process import IdentityProcess
from connectors.departments.people import XU
from policies.vocabulary import Person
from tests.identity.visitor import Seen, Visitor, open_visitor, query_of
from tests.staff.desk import ANNA, SEC, found
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def staffed(town: World) -> World:
    await found(town)
    return town


@pytest_asyncio.fixture(loop_scope="package")
async def visitor(staffed: World) -> AsyncIterator[Visitor]:
    async with open_visitor(staffed.issuer) as opened:
        yield opened


async def there(visitor: Visitor) -> str:
    seen = await visitor.get("/staff/openid")
    assert seen.status == 303, seen.text
    return seen.location


async def sign_in(visitor: Visitor, person: Person = ANNA, level: str = "high") -> Seen:
    return await visitor.get(await visitor.at_provider(await there(visitor), person, level))


async def test_an_auditor_there_and_back(staffed: World, visitor: Visitor) -> None:
    asked = query_of(await there(visitor))
    assert (asked["redirect_uri"], asked["max_age"]) == (f"{staffed.issuer}/staff/return", "0")
    assert (await sign_in(visitor)).status == 200
    home = await visitor.get("/staff")
    assert (home.status, "审计员" in home.text) == (200, True)
    entry = staffed.entries()[-1]
    assert (entry["event"], entry["body"]["number"], entry["body"]["method"]) == ("staff.signed_in", "a-001", "openid")
    assert (await visitor.call("GET", "/v1/me/consents")).status == 401, "an auditor's session is no citizen's"


async def test_whoever_has_no_role_gets_none(staffed: World, visitor: Visitor) -> None:
    seen = await sign_in(visitor, XU)
    assert (seen.status, seen.code) == (403, "forbidden")
    assert (await visitor.get("/staff")).status == 401


@pytest.mark.parametrize("level", ["low", "substantial"])
async def test_one_factor_is_not_enough(staffed: World, visitor: Visitor, level: str) -> None:
    seen = await sign_in(visitor, SEC, level)
    assert seen.code == "step_up_required"
    assert (await visitor.get("/staff")).status == 401


@pytest.mark.parametrize(
    "fault", [Misbehaviour.WRONG_NONCE, Misbehaviour.OLD_AUTH_TIME, Misbehaviour.BAD_SIGNATURE, Misbehaviour.NO_ACR]
)
async def test_a_lying_provider_lets_nobody_in(
    staffed: World, provider: IdentityProcess, visitor: Visitor, fault: Misbehaviour
) -> None:
    provider.misbehave(fault)
    seen = await sign_in(visitor)
    assert seen.status in (401, 403), seen.text
    assert (await visitor.get("/staff")).status == 401


async def test_an_answer_is_taken_once_and_by_its_own_browser(staffed: World, visitor: Visitor) -> None:
    back = await visitor.at_provider(await there(visitor), ANNA)
    async with open_visitor(staffed.issuer) as thief:
        assert (await thief.get(back)).code == "sign_in_expired"
    assert (await visitor.get(back)).status == 200
    assert (await visitor.get(back)).code == "sign_in_expired"
