"""The signature layer under Wycheproof: what is valid under our two algorithms passes, and nothing else ever does.

The header profile is a parameter here (`alg` and `kid`; theirs know no `typ`); the gate's own profile is tried over the
wire in tests/gate/test_wycheproof_through_gate.py.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import pytest
from jwt.algorithms import Algorithm

from broker.signing import SigningKey
from consent import jws
from consent.errors import InvalidKey
from consent.jws import Profile
from consent.keys import ALGORITHMS, PublicKey, read_jwk
from policies.refusals import Code, Refused, TokenRole
from tests.consent.wycheproof import Case, jwk_set_cases, jws_cases, raw_cases
from tests.forging import sign_parts

THEIRS = Profile(frozenset({"alg", "kid"}), 8 * 1024, TokenRole.CONSENT)

OTHER_ALGORITHMS = {
    "HS256 is symmetric: whoever checks could also sign": (1, 348, 352, *range(357, 360), 376, 377),
    "HS256; and a strict reader refuses inserted characters (RFC 8725)": (372, 373),
    "RSA PKCS #1 is not among the protocol's algorithms": (33, *range(259, 272), 345, 349),
    "RSA PSS is not among the protocol's algorithms": (*range(272, 276), 287, 288, *range(320, 324), *range(325, 329)),
    "RSA PSS; and the key says PS256 where the header says PS384": (346, 350),
    "P-521 is not among the protocol's algorithms; and the key says ES521 where the header says ES512": (347, 351),
}
"""Valid cases that we refuse, by id and with the reason."""


def accepted(text: str, jwk: object, profile: Profile = THEIRS) -> bool:
    """Whether the signature layer takes this token under this key."""
    assert isinstance(jwk, dict)
    try:
        jws.verify_with(jws.read_form(text, profile), read_jwk(jwk))
    except (InvalidKey, Refused):
        return False
    return True


def test_json_web_signatures() -> None:
    cases = jws_cases()
    assert Counter(case.valid for case in cases) == {True: 46, False: 355}
    taken = {case.id for case in cases if accepted(case.text, case.key)}
    valid = {case.id for case in cases if case.valid}
    assert not taken - valid
    assert taken == {18, 378}
    assert valid - taken == {number for numbers in OTHER_ALGORITHMS.values() for number in numbers}


def test_no_case_passes_under_our_kind_of_key() -> None:
    # Every other algorithm's tokens again, this time held against a P-256 key that we would register
    cases = jws_cases()
    ours = next(case.key for case in cases if case.id == 18)
    foreign = [case for case in cases if case.key.get("kty") != "EC"]
    assert len(foreign) == 358
    assert not [case.id for case in foreign if accepted(case.text, ours)]


def test_an_empty_profile_takes_nothing() -> None:
    cases = jws_cases()
    assert not [
        case.id for case in cases if accepted(case.text, case.key, Profile(frozenset(), 8192, TokenRole.CONSENT))
    ]


def test_json_web_keys() -> None:
    cases = jwk_set_cases()
    assert len(cases) == 26
    assert not [case.id for case in cases if _taken_by_set(case)]
    refused_valid = {case.id: _kinds(case) for case in cases if case.valid}
    # All five are sets of keys of algorithms that we do not do
    assert refused_valid == {2: {"oct"}, 5: {"RSA"}, 13: {"oct"}, 14: {"oct"}, 15: {"oct"}}


def test_json_web_keys_name_what_is_wrong() -> None:
    whole = next(case for case in jws_cases() if case.id == 18)
    assert accepted(whole.text, whole.key)  # so it is the change below that is refused, nothing else
    wrong = {19: "alg", 20: "alg", 21: "use", 22: "not a point of P-256", 23: "crv", 24: "kty"}
    found = {}
    for case in jwk_set_cases():
        if case.id in wrong:
            with pytest.raises(InvalidKey) as caught:
                read_jwk(case.key["keys"][0])
            found[case.id] = str(caught.value)
    assert found == wrong


@pytest.mark.parametrize(
    ("file", "counts", "alg"),
    [
        ("ecdsa_secp256r1_sha256_p1363_test.json", {True: 173, False: 89}, "ES256"),
        ("ed25519_test.json", {True: 88, False: 63}, "EdDSA"),
        ("ed25519_test.json", {True: 88, False: 63}, "Ed25519"),
    ],
)
def test_raw_signatures(file: str, counts: dict[bool, int], alg: str) -> None:
    cases = raw_cases(file)
    assert Counter(case.valid for case in cases) == counts
    wrongly_taken, wrongly_refused = _disagreements(cases, alg)
    assert not wrongly_taken
    assert not wrongly_refused


@pytest.mark.parametrize("alg", ["ES256", "EdDSA", "Ed25519"])
def test_the_raw_cases_meet_the_very_verifier_of_the_gate(alg: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Where that object says no, the gate says no: so what it is asked above is what decides there
    name = "ES256" if alg == "ES256" else "EdDSA"
    token, key = _self_signed(name, alg)
    jws.verify_with(token, key)
    monkeypatch.setattr(_verifier(alg), "verify", lambda *_: False)
    monkeypatch.setattr(jws, "_verified", set())
    with pytest.raises(Refused) as caught:
        jws.verify_with(token, key)
    assert caught.value.refusal.code is Code.BAD_SIGNATURE


def test_only_the_protocols_algorithms_exist() -> None:
    assert {spelling for spellings in ALGORITHMS.values() for spelling in spellings} == {"ES256", "EdDSA", "Ed25519"}
    assert set(jws.VERIFIERS) == {"ES256", "EdDSA", "Ed25519"}


def _disagreements(cases: Iterable[Case], alg: str) -> tuple[list[int], list[int]]:
    wrongly_taken, wrongly_refused = [], []
    for case in cases:
        key = read_jwk(case.key)
        assert alg in ALGORITHMS[key.alg]
        # The form comes first in the gate as well: exactly 64 bytes
        right_size = len(case.signature) == jws.SIGNATURE_SIZE
        took = right_size and _verifier(alg).verify(case.message, key.verifier, case.signature)
        if took and not case.valid:
            wrongly_taken.append(case.id)
        if case.valid and not took:
            wrongly_refused.append(case.id)
    return wrongly_taken, wrongly_refused


def _verifier(alg: str) -> Algorithm:
    verifier: Algorithm = jws.VERIFIERS[alg]
    return verifier


def _self_signed(name: str, spelling: str) -> tuple[jws.UnverifiedToken, PublicKey]:
    signer = SigningKey.generate(name)
    text = sign_parts(signer, {"alg": spelling, "kid": signer.public.kid}, b"any bytes")
    return jws.read_form(text, THEIRS), signer.public


def _taken_by_set(case: Case) -> bool:
    # A set is as good as its worst key: one that we would not register spoils it
    keys = case.key["keys"]
    return all(accepted(case.text, key) for key in keys)


def _kinds(case: Case) -> set[str]:
    return {key["kty"] for key in case.key["keys"]}


def test_what_was_verified_once_is_remembered_under_its_key_and_text_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jws, "_verified", set())
    token, key = _self_signed("ES256", "ES256")
    of_consent = replace(token, profile=jws.CONSENT)
    jws.verify_with(of_consent, key)
    monkeypatch.setattr(_verifier("ES256"), "verify", lambda *_: False)
    jws.verify_with(of_consent, key)
    changed = token.text[:-8] + ("A" if token.text[-8] != "A" else "B") + token.text[-7:]
    other = _self_signed("ES256", "ES256")[1]
    for unknown, under in (
        (replace(of_consent, text=changed), key),
        (of_consent, other),
        (replace(token, profile=jws.REQUEST), key),
    ):
        with pytest.raises(Refused):
            jws.verify_with(unknown, under)


def test_the_memory_of_verified_texts_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jws, "VERIFIED_LIMIT", 2)
    monkeypatch.setattr(jws, "_verified", kept := set[bytes]())
    for _ in range(5):
        token, key = _self_signed("ES256", "ES256")
        jws.verify_with(replace(token, profile=jws.CONSENT), key)
        assert 0 < len(kept) <= 2
