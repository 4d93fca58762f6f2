"""The claims that every token shares, at each of their boundaries, against a clock that is an argument."""

from collections.abc import Mapping
from typing import Any

import pytest

from consent import jws
from consent.claims import verify_claims, verify_times
from policies.refusals import Code, Refused, TokenRole

NOW = 1_800_000_000
HERE = "https://broker.example"
GOOD: dict[str, Any] = {"iss": "yz-hpf", "aud": HERE, "iat": NOW, "exp": NOW + 60, "jti": "A" * 22}


def judged(changed: Mapping[str, Any], now: float = NOW) -> Code | None:
    """The code of the refusal, or None where the claims are taken; `...` leaves one out."""
    claims = {name: value for name, value in (GOOD | dict(changed)).items() if value is not ...}
    try:
        verified = verify_claims(claims, profile=jws.WITHDRAWAL, audience=HERE, now=now)
    except Refused as refused:
        return refused.refusal.code if refused.refusal.token is TokenRole.WITHDRAWAL else Code.FORBIDDEN
    assert (verified.iss, verified.aud, verified.jti) == (claims["iss"], HERE, claims["jti"])
    return None


@pytest.mark.parametrize(
    ("changed", "now", "code"),
    [
        ({}, NOW, None),
        ({}, NOW + 59.999999, None),
        ({}, NOW + 60, Code.TOKEN_EXPIRED),
        ({}, NOW + 60.000001, Code.TOKEN_EXPIRED),
        ({}, NOW - 10, None),
        ({}, NOW - 10.000001, Code.TOKEN_NOT_YET_VALID),
        ({}, NOW - 11, Code.TOKEN_NOT_YET_VALID),
        ({"nbf": NOW + 10}, NOW, None),
        ({"nbf": NOW + 11}, NOW, Code.TOKEN_NOT_YET_VALID),
        ({"nbf": 0}, NOW, None),
        ({"exp": NOW + 61}, NOW, Code.LIFETIME_TOO_LONG),
        ({"iat": NOW - 1}, NOW, Code.LIFETIME_TOO_LONG),
        ({"iat": NOW + 10, "exp": NOW + 70}, NOW, None),
        ({"iat": NOW + 11, "exp": NOW + 71}, NOW, Code.TOKEN_NOT_YET_VALID),
        ({"iat": NOW, "exp": NOW}, NOW, Code.TOKEN_EXPIRED),
        ({"iat": NOW + 5, "exp": NOW + 1}, NOW, None),
        ({"iat": 0, "exp": 60}, NOW, Code.TOKEN_EXPIRED),
        ({"iat": 0, "exp": 60}, 59, None),
    ],
)
def test_times_at_their_boundaries(changed: dict[str, int], now: float, code: Code | None) -> None:
    assert judged(changed, now) is code


@pytest.mark.parametrize("name", ["iat", "exp", "nbf"])
@pytest.mark.parametrize("value", [True, False, 1.8e9, float("nan"), str(NOW), None, -1, 1 << 40, 10**18, [], {}])
def test_a_time_is_an_integer_and_nothing_like_one(name: str, value: object) -> None:
    assert judged({name: value}) is Code.MALFORMED_TOKEN


@pytest.mark.parametrize("name", ["iss", "iat", "exp", "jti"])
def test_a_claim_left_out(name: str) -> None:
    assert judged({name: ...}) is Code.MALFORMED_TOKEN


@pytest.mark.parametrize(
    "aud", [..., None, "", f"{HERE}/", HERE.upper(), [HERE], [HERE, HERE], {HERE: 1}, "http://broker.example", True]
)
def test_the_audience_is_this_broker_alone(aud: object) -> None:
    assert judged({"aud": aud}) is Code.WRONG_AUDIENCE


@pytest.mark.parametrize("iss", ["", None, 1, ["yz-hpf"], {}])
def test_the_issuer_is_a_text(iss: object) -> None:
    assert judged({"iss": iss}) is Code.MALFORMED_TOKEN


@pytest.mark.parametrize("jti", ["A" * 22, "A" * 128, "550e8400-e29b-41d4-a716-446655440000", "-_~." * 6])
def test_an_id_of_128_bits(jti: str) -> None:
    assert judged({"jti": jti}) is None


@pytest.mark.parametrize(
    "jti",
    ["", "A" * 21, "A" * 129, " " * 22, "徐建国" * 8, "a/b" * 8, "A" * 22 + "\n", "\0" * 22, 10**21, None, ["A" * 22]],
)
def test_an_id_that_is_none(jti: object) -> None:
    # It is written into the log as it stands, so it must be able to hold nothing but an id
    assert judged({"jti": jti}) is Code.MALFORMED_TOKEN


def test_a_consents_end_is_left_to_its_own_reader() -> None:
    assert verify_times({"iat": 1, "exp": 2, "nbf": 1}, profile=jws.CONSENT, now=NOW) == (1, 2)


def test_claims_show_no_value_of_a_refused_token() -> None:
    with pytest.raises(Refused) as caught:
        verify_claims(GOOD | {"jti": "徐建国"}, profile=jws.REQUEST, audience=HERE, now=NOW)
    assert "徐建国" not in repr(caught.value) + str(caught.value.refusal)
