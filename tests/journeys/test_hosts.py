"""Citizens' pages on a host of their own: neither host answers for the other's part; links lead to the right one."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from broker.demo.phone import open_phone
from broker.settings import Settings, read_settings
from connectors.departments.fleet import Fleet
from connectors.departments.people import XU
from policies.strict_yaml import ConfigurationError
from tests.world import OPERATOR, World, open_world


def apart(settings: Settings) -> Settings:
    return replace(settings, citizens_host=settings.issuer.replace("127.0.0.1", "localhost"))


@pytest_asyncio.fixture
async def world(tmp_path: Path, fleet: Fleet) -> AsyncIterator[World]:
    async with open_world(tmp_path, fleet, change=apart) as opened:
        yield opened


async def test_a_whole_journey_over_two_hosts(world: World) -> None:
    citizens = world.broker.settings.citizens
    assert citizens != world.issuer
    centre = await world.centre()
    phone = open_phone(citizens, XU)
    world.phones.append(phone)
    assert (await phone.sign_in()).status == 204
    phone.issuer = world.issuer  # what its proofs name; its calls go to the citizens' host
    http = phone.http
    async with http.get(f"{citizens}/v1/me/devices/nonce") as reply:
        nonce = (await reply.json())["nonce"]
    proof = phone.key.short_lived(
        "device-proof+jwt", iss=phone.key.public.kid, aud=world.issuer, members={"nonce": nonce}
    )
    members = {"jwk": dict(phone.key.public.jwk), "proof": proof}
    async with http.post(f"{citizens}/v1/me/devices", json=members, headers={"Origin": world.issuer}) as reply:
        assert reply.status == 403, "the other host's origin changed something"
    async with http.post(f"{citizens}/v1/me/devices", json=members, headers={"Origin": citizens}) as reply:
        assert reply.status == 201
    filed = await centre.file(matter="purchase_withdrawal", case="YZ-1", operator=OPERATOR)
    assert str(filed.members["consent_url"]).startswith(f"{citizens}/a/")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/me", (404, 401)),
        ("/v1/me/consents", (404, 401)),
        ("/v1/catalogue", (200, 404)),
        ("/metrics", (200, 404)),
        ("/operate/departments", (401, 404)),
    ],
)
async def test_each_host_has_its_part(world: World, path: str, status: tuple[int, int]) -> None:
    found = []
    for host in (world.issuer, world.broker.settings.citizens):
        async with world.http.get(f"{host}{path}") as reply:
            found.append(reply.status)
    assert tuple(found) == status


@pytest.mark.parametrize("path", ["/verify", "/log/checkpoint", "/static/style.css", "/.well-known/jwks.json"])
async def test_what_is_public_is_on_both(world: World, path: str) -> None:
    for host in (world.issuer, world.broker.settings.citizens):
        async with world.http.get(f"{host}{path}") as reply:
            assert reply.status == 200


@pytest.mark.parametrize("citizens", ["http://pages.example", "https://pages.example/path", "pages.example"])
def test_an_unfit_address_is_refused_with_its_line(tmp_path: Path, citizens: str) -> None:
    file = tmp_path / "broker.yaml"
    file.write_text(f"issuer: https://broker.example\nhosts:\n  citizens: {citizens}\n")
    with pytest.raises(ConfigurationError, match=r"broker\.yaml:3"):
        read_settings(file)
