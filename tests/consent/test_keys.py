"""Keys: the RFCs' own examples, canonical base64url against a second implementation, and every JWK that is refused."""

import base64
import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.signing import SigningKey
from consent import jws
from consent.errors import InvalidKey
from consent.jws import Profile
from consent.keys import read_jwk, strict_base64url, to_base64url
from policies.refusals import Refused, TokenRole
from tests.vectors_folder import vectors

ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"


def examples() -> dict[str, dict[str, Any]]:
    text = vectors("token", "rfc-examples", "jose_examples.json").read_bytes()
    return {example["ref"]: example for example in json.loads(text)["vectors"]}


def key_of(alg: str) -> dict[str, Any]:
    return dict(SigningKey.generate(alg).public.jwk)


def decode_bit_by_bit(text: str) -> bytes | None:
    """RFC 4648 section 5 without padding, from its text alone; None where it is not canonical."""
    bits = ""
    for sign in text:
        if sign not in ALPHABET:
            return None
        bits += f"{ALPHABET.index(sign):06b}"
    whole = len(bits) // 8 * 8
    if "1" in bits[whole:] or len(bits) - whole >= 6:
        return None
    return bytes(int(bits[at : at + 8], 2) for at in range(0, whole, 8))


@given(st.binary(max_size=70))
def test_base64url_there_and_back(raw: bytes) -> None:
    text = to_base64url(raw)
    assert "=" not in text
    assert strict_base64url(text) == raw == decode_bit_by_bit(text)


@given(st.one_of(st.text(ALPHABET, max_size=12), st.text(ALPHABET + "=+/ .\n\u00e9", max_size=8)))
def test_base64url_is_canonical_or_refused(text: str) -> None:
    expected = decode_bit_by_bit(text)
    if expected is not None:
        assert strict_base64url(text) == expected
        return
    with pytest.raises(ValueError, match=r"not .*base64url"):
        strict_base64url(text)


def test_no_two_texts_mean_the_same_bytes() -> None:
    readable = [first + second for first in ALPHABET for second in ALPHABET if decode_bit_by_bit(first + second)]
    assert len({strict_base64url(text) for text in readable}) == len(readable) == 256


@pytest.mark.parametrize("ref", ["RFC 8037 A.3/A.4", "RFC 9449 Figure 1/2"])
def test_thumbprints_of_the_rfcs(ref: str) -> None:
    example = examples()[ref]
    assert read_jwk(example["jwk"]).kid == example["jkt_sha256"]


def test_the_thumbprint_of_rfc_7638_is_of_a_key_we_do_not_take() -> None:
    with pytest.raises(InvalidKey, match="kty"):
        read_jwk(examples()["RFC 7638 3.1"]["jwk"])


@pytest.mark.parametrize(("ref", "members"), [("RFC 7515 A.3", {"alg"}), ("RFC 8037 A.3/A.4", {"alg"})])
def test_signatures_of_the_rfcs(ref: str, members: set[str]) -> None:
    example = examples()[ref]
    token = jws.read_form(example["jws"], Profile(frozenset(members), 8192, TokenRole.REQUEST))
    assert jws.verify_with(token, read_jwk(example["jwk"])) == token.payload


@pytest.mark.parametrize("ref", ["RFC 7515 A.1", "RFC 7515 A.5"])
def test_symmetric_and_unsigned_examples_are_refused(ref: str) -> None:
    # Whatever the header may hold: a MAC is too short for a signature, and none is none
    for members in ({"alg"}, {"alg", "typ"}):
        with pytest.raises(Refused):
            jws.read_form(examples()[ref]["jws"], Profile(frozenset(members), 8192, TokenRole.REQUEST))


def test_the_thumbprint_does_not_depend_on_order_or_optional_members() -> None:
    plain = key_of("ES256")
    dressed = {"use": "sig", "kid": "mine", "alg": "ES256", "key_ops": ["verify"], "ext": True}
    assert read_jwk(dressed | dict(reversed(list(plain.items())))) == read_jwk(plain)


PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
HOSTILE: tuple[Any, ...] = (None, "", 0, 1, True, [], [[]], {}, "A" * 5000, "\ud800", "https://attacker.invalid")


@pytest.mark.parametrize("alg", ["ES256", "EdDSA"])
@pytest.mark.parametrize("member", [*PRIVATE, "x5c", "x5u", "x5t", "jwk", "__proto__"])
def test_private_and_unknown_members_are_refused(alg: str, member: str) -> None:
    with pytest.raises(InvalidKey):
        read_jwk(key_of(alg) | {member: to_base64url(bytes(32))})


@pytest.mark.parametrize("alg", ["ES256", "EdDSA"])
def test_hostile_members_are_refused_and_never_told(alg: str) -> None:
    good = key_of(alg)
    tried = 0
    for member in (*good, "alg", "use", "key_ops"):
        for value in HOSTILE:
            with pytest.raises(InvalidKey) as caught:
                read_jwk(good | {member: value})
            assert "attacker" not in str(caught.value)
            tried += 1
    assert tried == len(HOSTILE) * (len(good) + 3)


@pytest.mark.parametrize("alg", ["ES256", "EdDSA"])
def test_a_missing_member_is_refused(alg: str) -> None:
    good = key_of(alg)
    for member in good:
        with pytest.raises(InvalidKey):
            read_jwk({name: value for name, value in good.items() if name != member})


@pytest.mark.parametrize(
    "change",
    [
        {"crv": "P-384"},
        {"crv": "secp256k1"},
        {"crv": "Ed25519"},
        {"kty": "OKP"},
        {"alg": "EdDSA"},
        {"alg": "HS256"},
        {"use": "enc"},
        {"key_ops": ["sign"]},
        {"key_ops": ["verify", "sign"]},
        {"y": to_base64url(bytes(32))},
        {"x": to_base64url(bytes(33))},
        {"x": to_base64url(b"\0" * 31)},
        {"x": to_base64url(b"\xff" * 32)},
        {"x": base64.b64encode(b"~" * 32).decode()},
    ],
)
def test_a_key_that_is_not_what_it_says(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidKey):
        read_jwk(key_of("ES256") | change)


def test_the_private_key_is_in_no_repr() -> None:
    key = SigningKey.generate()
    number = key.private.private_numbers().private_value  # type: ignore[union-attr]
    assert str(number) not in repr(key)
    assert "private" not in repr(key)
