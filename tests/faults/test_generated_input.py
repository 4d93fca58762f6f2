"""Generated input: whatever a registered centre signs, whatever somebody signed in sends, whatever bytes there are.

FAULTS_LONG=1 multiplies the examples by 50.
"""

import asyncio
import json
import os
import string
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.client import RequesterClient
from connectors.departments.fleet import Fleet
from connectors.departments.people import XU
from consent.jws import read_object
from tests.faults.raw_http import judged, request
from tests.forging import claims_for, forge, header_for
from tests.world import ITEMS, World, open_world

EXAMPLES = 150 * (50 if os.environ.get("FAULTS_LONG") else 1)


@asynccontextmanager
async def known_centre(tmp_path: Path, fleet: Fleet) -> Any:
    """One world for all examples of a hypothesis test: its centre, and a granted consent."""
    async with open_world(tmp_path, fleet) as world:
        centre = await world.centre()
        consent = await world.grant(centre, await world.phone(XU), items=ITEMS)
        yield world, centre, consent


SURPRISES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=20) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [
        "exchange",
        "consents",
        "matter",
        "case",
        "items",
        "operator",
        "party",
        "mode",
        "subject",
        "uses",
        "valid_for",
        "iss",
        "aud",
        "iat",
        "exp",
        "jti",
        "nbf",
        "extra",
    ]
)
IDS = st.text(string.ascii_letters + string.digits + "._:-/ \x00徐", max_size=70)


def well_formed(consent: str) -> dict[str, Any]:
    return {
        "exchange": "x-bad-input-1",
        "consents": [consent],
        "matter": "purchase_withdrawal",
        "case": "YZ-2026-000123",
    }


def test_signed_nonsense_is_a_problem_too(tmp_path: Path, fleet: Fleet) -> None:
    """A registered centre signs anything at all: the members behind the signature are no less hostile."""
    with asyncio.Runner() as runner:
        opening = known_centre(tmp_path, fleet)
        world, centre, consent = runner.run(opening.__aenter__())
        try:

            @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
            @given(
                typ=st.sampled_from(["exchange-request+jwt", "authorization-request+jwt", "client-authentication+jwt"]),
                changes=st.dictionaries(
                    NAMES, SURPRISES | IDS | st.just([consent]) | st.just(XU.id_number), max_size=3
                ),
                dropped=st.sets(NAMES, max_size=2),
            )
            def signed(typ: str, changes: dict[str, Any], dropped: set[str]) -> None:
                runner.run(try_signed(world, centre, typ, well_formed(consent) | changes, dropped))

            signed()
            runner.run(check_afterwards(world))
        finally:
            runner.run(opening.__aexit__(None, None, None))


async def try_signed(
    world: World, centre: RequesterClient, typ: str, members: dict[str, Any], dropped: set[str]
) -> None:
    claims = claims_for("yz-hpf", world.issuer, int(time.time())) | members
    kept = {name: value for name, value in claims.items() if name not in dropped}
    token = forge(centre.key, header_for(centre.key, typ), kept)
    path = "/v1/authorization-requests" if typ.startswith("authorization") else "/v1/exchanges"
    headers = {"Content-Type": "application/jwt"}
    await judged(world, [request("POST", path, body=token.encode(), headers=headers)])


async def check_afterwards(world: World) -> None:
    world.check_log()
    whole = json.dumps(world.entries(), ensure_ascii=False)
    assert XU.id_number not in whole, "a caller wrote an id number into the log"


def test_generated_bodies_from_somebody_signed_in(tmp_path: Path, fleet: Fleet) -> None:
    with asyncio.Runner() as runner:
        opening = open_world(tmp_path, fleet)
        world = runner.run(opening.__aenter__())
        try:
            phone = runner.run(world.phone(XU))
            (cookie,) = list(phone.http.cookie_jar)
            headers = {
                "Content-Type": "application/json",
                "Cookie": f"{cookie.key}={cookie.value}",
                "Origin": world.issuer,
            }
            names = st.sampled_from(
                [
                    "name",
                    "id_number",
                    "level",
                    "jwk",
                    "proof",
                    "label",
                    "items",
                    "kid",
                    "consent",
                    "withdrawal",
                    "kty",
                    "crv",
                    "x",
                    "y",
                    "about",
                    "text",
                    "index",
                ]
            )
            paths = ("/v1/session/test", "/v1/me/devices", "/v1/me/requests/t/compose", "/v1/me/requests/t/consent")
            mine = ("/v1/me/questions", "/v1/me/corrections", "/v1/me/inbox/seen")

            @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
            @given(
                path=st.sampled_from((*paths, *mine, "/v1/me/consents/c/withdraw", "/v1/me/consents/c/pause")),
                body=st.binary(max_size=60)
                | st.dictionaries(names, SURPRISES, max_size=4).map(json.dumps).map(str.encode),
            )
            def sent(path: str, body: bytes) -> None:
                runner.run(judged(world, [request("POST", path, body=body, headers=headers)]))

            sent()
            runner.run(check_afterwards(world))
        finally:
            runner.run(opening.__aexit__(None, None, None))


@settings(max_examples=EXAMPLES, deadline=None)
@given(raw=st.binary(min_size=1, max_size=200))
def test_the_strict_json_reader_refuses_or_reads(raw: bytes) -> None:
    """Beneath every body and token: whatever the bytes, an object or the caller's own refusal, nothing else."""

    class Mine(Exception):
        pass

    def refuse() -> Any:
        raise Mine

    try:
        assert isinstance(read_object(raw, refuse), dict)
    except Mine:
        return
