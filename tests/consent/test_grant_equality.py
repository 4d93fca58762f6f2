"""A token is the grant it says only if its payload equals the stored one, member by member and type by type."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, insert

from broker.signing import SigningKey
from consent import tables
from consent.grants import granted_to
from consent.token import VerifiedConsent, verify_consent
from policies.refusals import Code, Refused
from tests.forging import forge, header_for

HERE, NOW = "https://broker.example", 1_800_000_000
KEY = SigningKey.generate()
CLAIMS: dict[str, Any] = {
    "ver": 1,
    "iss": KEY.public.kid,
    "sub": "S" * 22,
    "aud": HERE,
    "client_id": "yz-hpf",
    "jti": "J" * 22,
    "req": "ar_1",
    "iat": NOW,
    "nbf": NOW,
    "exp": NOW + 3600,
    "uses": 1,
    "party": "applicant",
    "matter": "purchase_withdrawal",
    "matter_version": "2026-11",
    "case": "c-1",
    "authorization_details": [
        {
            "type": "record",
            "item": "some_check",
            "department": "civil_affairs",
            "fields": ["single"],
            "purpose": "p",
            "legal_basis": "separate_consent",
            "keep_days": 1,
            "expect": {"single": True},
        }
    ],
    "notice": {"id": "n", "version": "1", "lang": "en", "sha256": "0" * 64},
    "channel": {"mode": "online"},
}


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.begin() as opened:
        tables.metadata.create_all(opened)
        row = {"request": "ar_1", "requester": "yz-hpf", "subject_ref": "s", "matter": "m", "case": "c-1"}
        rest = {"party": "applicant", "assurance": 3, "uses": 1, "used": 0, "status": "active", "granted_at": NOW}
        opened.execute(
            insert(tables.grant).values(
                iss=CLAIMS["iss"], jti=CLAIMS["jti"], token=_token(CLAIMS).encode(), expires=NOW + 3600, **row, **rest
            )
        )
        yield opened
    engine.dispose()


def test_the_same_payload_signed_again_is_the_same_grant(connection: Connection) -> None:
    assert granted_to(connection, _verified(CLAIMS)).jti == CLAIMS["jti"]


@pytest.mark.parametrize("value", [1, "true", False, None, "True"])
def test_a_value_of_another_type_is_another_consent(connection: Connection, value: object) -> None:
    # To Python, true equals 1; to whoever was shown a claim, it does not
    changed = json.loads(json.dumps(CLAIMS))
    changed["authorization_details"][0]["expect"]["single"] = value
    with pytest.raises(Refused) as caught:
        granted_to(connection, _verified(changed))
    assert caught.value.refusal.code is Code.CONSENT_MISMATCH


def _token(claims: dict[str, Any]) -> str:
    return forge(KEY, header_for(KEY, "consent+jwt"), claims)


def _verified(claims: dict[str, Any]) -> VerifiedConsent:
    return verify_consent(_token(claims), key_of=lambda _: KEY.public, audience=HERE, now=NOW)
