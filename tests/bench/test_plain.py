"""The plain program does the work it is measured by: it verifies, counts, chains, and its chain catches a change."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import httpx
import pytest

from bench.failure import RunFailed
from bench.plain.app import Configuration, make_app
from bench.plain.chain import verify_chain
from bench.plain.departments import ITEMS, Address
from bench.plain.proof import verify_answers, verify_same
from bench.plain.tables import found
from broker.signing import SigningKey

ISSUER = "http://127.0.0.1:8400"
NOBODY = Address(url="http://127.0.0.1:1/")
"""Nothing listens on port 1, so every item comes back as unreachable."""
CENTRE, DEVICE, OTHER = SigningKey.generate(), SigningKey.generate(), SigningKey.generate()


@pytest.fixture
def database(tmp_path: Path) -> str:
    url = f"sqlite+aiosqlite:///{tmp_path / 'plain.db'}"
    found(url)
    return url


@pytest.fixture
async def client(database: str) -> AsyncIterator[httpx.AsyncClient]:
    """The program, which knows one requester."""
    departments = dict.fromkeys(ITEMS, NOBODY)
    app = make_app(Configuration(database=database, issuer=ISSUER, departments=departments))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as opened:
            key = {"kid": CENTRE.public.kid, "owner": "yz-hpf", "jwk": dict(CENTRE.public.jwk)}
            assert (await opened.post("/keys", json=key)).status_code == 204
            yield opened


async def granted(client: httpx.AsyncClient, uses: int = 2) -> str:
    """A consent that the program was told of."""
    details = [{"item": "real_estate_registration", "fields": ["location"]}]
    claims = {"client_id": "yz-hpf", "party": "applicant", "matter": "purchase_withdrawal", "case": "B-1"}
    claims |= {"uses": str(uses), "authorization_details": details}  # type: ignore[dict-item]
    consent = DEVICE.short_lived("consent+jwt", iss=DEVICE.public.kid, aud=ISSUER, members=claims)
    about = {"name": "某某", "id_number": "32109919900101123X"}
    told = {"consent": consent, "kid": DEVICE.public.kid, "jwk": dict(DEVICE.public.jwk), **about}
    assert (await client.post("/consents", json=[told])).status_code == 204
    return consent


def request_for(consent: str, key: SigningKey = CENTRE, **changed: Any) -> str:
    members = {"exchange": token_urlsafe(8), "consents": [consent], "matter": "purchase_withdrawal", "case": "B-1"}
    return key.short_lived("exchange-request+jwt", iss="yz-hpf", aud=ISSUER, members=members | changed)


async def send(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/v1/exchanges", content=token, headers={"Content-Type": "application/jwt"})


async def test_what_is_in_order_is_answered_and_chained(client: httpx.AsyncClient, database: str) -> None:
    answered = await send(client, request_for(await granted(client)))
    assert answered.status_code == 200
    (result,) = answered.json()["results"]
    assert (result["item"], result["outcome"]) == ("real_estate_registration", "department_down")
    assert answered.json()["uses"] == [{"party": "applicant", "use": 1, "left": 1}]
    assert verify_chain(database, 1) == 2


async def test_the_same_bytes_are_taken_once(client: httpx.AsyncClient, database: str) -> None:
    token = request_for(await granted(client))
    assert [(await send(client, token)).status_code for _ in range(2)] == [200, 409]
    assert verify_chain(database, 1) == 2


async def test_a_consent_is_good_for_its_uses(client: httpx.AsyncClient, database: str) -> None:
    consent = await granted(client)
    assert [(await send(client, request_for(consent))).status_code for _ in range(3)] == [200, 200, 409]
    assert verify_chain(database, 2) == 4


async def test_a_withdrawn_consent_is_refused(client: httpx.AsyncClient, database: str, tmp_path: Path) -> None:
    consent = await granted(client)
    change(tmp_path, "UPDATE consent SET withdrawn = 1")
    assert (await send(client, request_for(consent))).status_code == 409
    assert verify_chain(database, 0) == 0


@pytest.mark.parametrize(
    ("changed", "status"), [({"key": OTHER}, 401), ({"case": "B-2"}, 403), ({"consents": []}, 401), ({"iss": "x"}, 401)]
)
async def test_what_is_not_signed_for_this_is_refused(
    client: httpx.AsyncClient, database: str, changed: dict[str, Any], status: int
) -> None:
    token = request_for(await granted(client), **changed)
    assert (await send(client, token)).status_code == status
    assert verify_chain(database, 0) == 0


async def test_a_forged_consent_is_refused(client: httpx.AsyncClient) -> None:
    head, payload, _ = (await granted(client)).split(".")
    signature = request_for("").split(".")[2]
    assert (await send(client, request_for(f"{head}.{payload}.{signature}"))).status_code == 401


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE entry SET body = replace(body, 'B-1', 'B-2') WHERE \"index\" = 1", "breaks at entry 1"),
        ('DELETE FROM entry WHERE "index" = 0', "breaks at entry 0"),
        ('DELETE FROM entry WHERE "index" = 3', "does not end where its head says"),
        ('UPDATE entry SET "index" = 9 WHERE "index" = 3', "breaks at entry 3"),
    ],
)
async def test_a_changed_chain_fails_the_run(
    client: httpx.AsyncClient, database: str, tmp_path: Path, statement: str, said: str
) -> None:
    consent = await granted(client)
    for _ in range(2):
        assert (await send(client, request_for(consent))).status_code == 200
    assert verify_chain(database, 2) == 4
    change(tmp_path, statement)
    with pytest.raises(RunFailed, match=said):
        verify_chain(database, 2)


async def test_an_answer_without_its_release_fails_the_run(client: httpx.AsyncClient, database: str) -> None:
    await send(client, request_for(await granted(client)))
    with pytest.raises(RunFailed, match="2 answers came, 1 are in"):
        verify_chain(database, 2)


async def test_answers_that_cost_no_department_anything_fail_the_run(client: httpx.AsyncClient) -> None:
    answered = await send(client, request_for(await granted(client)))
    with pytest.raises(RunFailed, match="departments did not answer"):
        verify_answers([answered.content], 1)


async def test_an_answer_other_than_its_entry_fails_the_run(client: httpx.AsyncClient) -> None:
    answer = (await send(client, request_for(await granted(client)))).json()
    answer["results"][0]["outcome"] = "found"
    with pytest.raises(RunFailed, match="about something else"):
        verify_answers([json.dumps(answer).encode()], 1)


def test_an_answer_other_than_ours_fails_the_run() -> None:
    result = {"party": "applicant", "item": "deed_tax", "outcome": "found", "records": [{"paid_amount": 1}]}
    ours, same = ({"exchange": "e-1", "results": [result | {"salt": salt}]} for salt in "ab")
    other = {"exchange": "e-1", "results": [result | {"records": [{"paid_amount": 2}]}]}
    verify_same([json.dumps(ours).encode()], [json.dumps(same).encode()])
    with pytest.raises(RunFailed, match="otherwise than we did"):
        verify_same([json.dumps(ours).encode()], [json.dumps(other).encode()])


def change(folder: Path, statement: str) -> None:
    """As whoever holds the file can."""
    with closing(sqlite3.connect(folder / "plain.db", isolation_level=None)) as connection:
        assert connection.execute(statement).rowcount > 0
