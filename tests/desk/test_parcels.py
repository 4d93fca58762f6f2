"""Parcels: any JOSE library can close one for us or open ours, and nothing but a partner's own word is believed."""

import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from joserfc import jwe, jwk
from joserfc.jwk import ECKey
from jwt.algorithms import ECAlgorithm

from broker.desk.parcels import LIFE, TYPE, close, open_parcel
from broker.desk.partners import Partner
from broker.desk.refusals import Refused, Why
from broker.signing import SigningKey

NOW = 1_780_000_000
BODY = {"kind": "more", "case": "YZ-2026-000001", "note": "缺结婚证", "operator": "w-07"}
SENDER = SigningKey.generate()
OPENS = generate_private_key(SECP256R1())
YZ = Partner("yz", "扬州", "Yangzhou", SENDER.public, generate_private_key(SECP256R1()).public_key())
NJ = Partner("nj", "南京", "Nanjing", SigningKey.generate().public, OPENS.public_key())
ALLOWED = jwe.JWERegistry(algorithms=["ECDH-ES", "A256GCM"])


def key_of(private: EllipticCurvePrivateKey) -> ECKey:
    return jwk.import_key(ECAlgorithm.to_jwk(private, as_dict=True), "EC")


def opened(text: str, **changed: object) -> object:
    given = {"own": "nj", "key": OPENS, "partners": {"yz": YZ}, "now": NOW} | changed
    return open_parcel(text, **given)  # type: ignore[arg-type]


def sealed_elsewhere(token: str) -> str:
    return str(
        jwe.encrypt_compact({"alg": "ECDH-ES", "enc": "A256GCM", "cty": "JWT"}, token, key_of(OPENS), registry=ALLOWED)
    )


def signed(**claims: object) -> str:
    times = {"iss": "yz", "aud": "nj", "iat": NOW, "exp": NOW + LIFE, "jti": "j" * 24}
    return SENDER.token(TYPE, times | BODY | claims)


def test_what_we_close_another_library_opens() -> None:
    _, text = close(BODY, SENDER, "yz", NJ, NOW)
    found = jwe.decrypt_compact(text, key_of(OPENS), registry=ALLOWED)
    assert found.plaintext is not None
    assert found.plaintext.count(b".") == 2


def test_what_another_library_closes_we_open() -> None:
    body = open_parcel(sealed_elsewhere(signed()), "nj", OPENS, {"yz": YZ}, NOW)
    assert (body.kind, body.case, body.note) == ("more", "YZ-2026-000001", "缺结婚证")


def test_each_check_can_fail() -> None:
    _, text = close(BODY, SENDER, "yz", NJ, NOW)
    assert opened(text)
    stranger = replace(YZ, signs=SigningKey.generate().public)
    other_kind = SENDER.token("consent+jwt", {"iss": "yz"} | BODY)
    cases: dict[str, tuple[str, dict[str, object]]] = {
        "another's key": (text, {"key": generate_private_key(SECP256R1())}),
        "not for us": (text, {"own": "hz"}),
        "no partner": (text, {"partners": {}}),
        "signed by somebody else": (text, {"partners": {"yz": stranger}}),
        "too old": (text, {"now": NOW + LIFE}),
        "from the future": (text, {"now": NOW - 3600}),
        "lives too long": (sealed_elsewhere(signed(exp=NOW + LIFE + 1)), {}),
        "another kind of token": (sealed_elsewhere(other_kind), {}),
        "another kind of parcel": (sealed_elsewhere(signed(kind="gift")), {}),
        "an unknown member": (sealed_elsewhere(signed(answers=[1])), {}),
        "not signed at all": (sealed_elsewhere(json.dumps(BODY)), {}),
    }
    for name, (given, changed) in cases.items():
        with pytest.raises(Refused) as caught:
            opened(given, **changed)
        assert caught.value.why is Why.BAD_PARCEL, name
        assert caught.value.member == "", "it is not said which check failed"
