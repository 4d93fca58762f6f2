"""Known attacks on signed tokens, each as the tokens an attacker would send in place of a good one."""

import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from broker.signing import SigningKey
from consent.keys import to_base64url
from tests.forging import encode, forge, header_for
from tests.gate.carriers import CARRIERS, Carrier
from tests.gate.scene import Scene

Attack = Callable[[Scene, Carrier], Mapping[str, str]]
"""The tokens of one attack, by a name each."""

HOSTILE: tuple[Any, ...] = (None, "", 0, True, [], {}, "A" * 3000, "https://attacker.invalid/x")
URLS = ("https://attacker.invalid/x", "http://127.0.0.1:1/x", "file:///etc/passwd")
COMMON_HEADERS = ("jwk", "jku", "x5u", "x5c", "x5t", "crit", "zip", "cty", "b64", "url", "nonce", "enc", "epk", "key")
COMMON_CLAIMS = ("admin", "role", "scope", "user", "cnf", "nonce", "azp", "groups", "_claims", "__proto__")
WEAK = ("", "secret", "password", "123456", "changeme", "your-256-bit-secret", "jwt", "key")


def _hmac(scene: Scene, carrier: Carrier, secret: bytes, **changed: Any) -> str:
    header = header_for(carrier.key(scene), carrier.typ, alg="HS256", **changed)
    signed = f"{encode(header)}.{encode(carrier.claims(scene))}"
    return f"{signed}.{to_base64url(hmac.digest(secret, signed.encode(), 'sha256'))}"


def _unsigned(scene: Scene, carrier: Carrier, signature: str = "", **changed: Any) -> str:
    header = header_for(carrier.key(scene), carrier.typ, **changed)
    return f"{encode(header)}.{encode(carrier.claims(scene))}.{signature}"


def _with_header(scene: Scene, carrier: Carrier, changed: Mapping[str, Any], key: SigningKey | None = None) -> str:
    signer = carrier.key(scene)
    return forge(key or signer, header_for(signer, carrier.typ) | dict(changed), carrier.claims(scene))


def _with_claim(scene: Scene, carrier: Carrier, name: str, value: Any) -> str:
    signer = carrier.key(scene)
    return forge(signer, header_for(signer, carrier.typ), carrier.claims(scene) | {name: value})


def broken_signature(scene: Scene, carrier: Carrier) -> Mapping[str, str]:
    good = carrier.make(scene)
    ends = {"last": good[:-1] + ("A" if good[-1] != "A" else "B"), "four": good[:-4] + "AAAA", "short": good[:-2]}
    return ends | {"middle": good[:-40] + ("A" if good[-40] != "A" else "B") + good[-39:]}


def hmac_with_no_secret(scene: Scene, carrier: Carrier) -> Mapping[str, str]:
    return {"empty": _hmac(scene, carrier, b""), "zeros": _hmac(scene, carrier, bytes(32))}


def no_signature(scene: Scene, carrier: Carrier) -> Mapping[str, str]:
    return {"ES256": _unsigned(scene, carrier), "zeros": _unsigned(scene, carrier, to_base64url(bytes(64)))}


def alg_none(scene: Scene, carrier: Carrier) -> Mapping[str, str]:
    names = ("none", "None", "NONE", "nOnE", "")
    long = to_base64url(bytes(64))
    return {f"{name}{len(end)}": _unsigned(scene, carrier, end, alg=name) for name in names for end in ("", long)}


def public_key_as_secret(scene: Scene, carrier: Carrier) -> Mapping[str, str]:
    public = carrier.key(scene).public
    spki = PublicFormat.SubjectPublicKeyInfo
    secrets = {
        "PEM": public.verifier.public_bytes(Encoding.PEM, spki),
        "PEM without its line end": public.verifier.public_bytes(Encoding.PEM, spki).strip(),
        "DER": public.verifier.public_bytes(Encoding.DER, spki),
        "JWK": json.dumps(dict(public.jwk)).encode(),
        "kid": public.kid.encode(),
    }
    return {name: _hmac(scene, carrier, secret) for name, secret in secrets.items()}


def embedded_key(scene: Scene, carrier: Carrier) -> Mapping[str, str]:
    attacker = SigningKey.generate()
    jwk = dict(attacker.public.jwk)
    return {
        "under our kid": _with_header(scene, carrier, {"jwk": jwk}, attacker),
        "under its own kid": _with_header(scene, carrier, {"jwk": jwk, "kid": attacker.public.kid}, attacker),
        "truly signed, too": _with_header(scene, carrier, {"jwk": jwk}),
    }


def linked_keys(scene: Scene, carrier: Carrier) -> Mapping[str, str]:
    attacker = SigningKey.generate()
    return {url: _with_header(scene, carrier, {"jku": url, "kid": attacker.public.kid}, attacker) for url in URLS}


def linked_certificates(scene: Scene, carrier: Carrier) -> Mapping[str, str]:
    attacker = SigningKey.generate()
    members: dict[str, dict[str, Any]] = {"x5c": {"x5c": ["MIIB"]}} | {url: {"x5u": url} for url in URLS}
    return {name: _with_header(scene, carrier, changed, attacker) for name, changed in members.items()}


def kid_of_nothing(scene: Scene, carrier: Carrier) -> Mapping[str, str]:
    return {
        "empty": _unsigned(scene, carrier, kid=""),
        "empty, 64 zeros": _unsigned(scene, carrier, to_base64url(bytes(64)), kid=""),
        "empty, signed": _with_header(scene, carrier, {"kid": ""}),
    }


def _kids(*kids: str) -> Attack:
    def tokens(scene: Scene, carrier: Carrier) -> Mapping[str, str]:
        signed = {f"signed {kid}": _with_header(scene, carrier, {"kid": kid}) for kid in kids}
        return signed | {f"hmac {kid}": _hmac(scene, carrier, b"1", kid=kid) for kid in kids}

    return tokens


def hostile_members(scene: Scene, carrier: Carrier) -> Mapping[str, str]:
    tokens = {}
    for number, value in enumerate(HOSTILE):
        for name in ("alg", "kid", "typ"):
            tokens[f"header {name} {number}"] = _with_header(scene, carrier, {name: value})
        for name, good in carrier.claims(scene).items():
            if value != good:
                tokens[f"claim {name} {number}"] = _with_claim(scene, carrier, name, value)
    return tokens


def unknown_members(scene: Scene, carrier: Carrier) -> Mapping[str, str]:
    tokens = {name: _with_header(scene, carrier, {name: value}) for name in COMMON_HEADERS for value in ("x", True)}
    return tokens | {f"claim {name}": _with_claim(scene, carrier, name, True) for name in COMMON_CLAIMS}


def addresses_to_fetch(scene: Scene, carrier: Carrier) -> Mapping[str, str]:
    tokens = {f"iss {url}": carrier.make(scene, iss=url) for url in URLS}
    for name in ("jku", "x5u", "kid"):
        tokens |= {f"{name} {url}": _with_header(scene, carrier, {name: url}) for url in URLS}
    return tokens


def weak_secrets(scene: Scene, carrier: Carrier) -> Mapping[str, str]:
    return {secret: _hmac(scene, carrier, secret.encode()) for secret in WEAK}


def zero_signature(scene: Scene, carrier: Carrier) -> Mapping[str, str]:
    return {"zeros": carrier.make(scene).rpartition(".")[0] + "." + to_base64url(bytes(64))}


def wrong_times(scene: Scene, carrier: Carrier) -> Mapping[str, str]:
    now = scene.now
    changes: dict[str, dict[str, Any]] = {
        "ended": {"iat": now - 100, "exp": now - 40},
        "no end": {"exp": ...},
        "no beginning": {"iat": ...},
        "not yet": {"nbf": now + 1000},
        "issued tomorrow": {"iat": now + 86400, "exp": now + 86460},
    }
    return {name: carrier.make(scene, **changed) for name, changed in changes.items()}


def substitution(scene: Scene, carrier: Carrier) -> Mapping[str, str]:
    kinds = {f"a {other.name} token": other.make(scene) for other in CARRIERS if other.typ != carrier.typ}
    return kinds | {
        "for elsewhere": carrier.make(scene, aud="https://test.broker.example"),
        "by another": carrier.make(scene, iss="another"),
    }


def tried_elsewhere(_: Scene, __: Carrier) -> Mapping[str, str]:
    """An attack that is no single token: it has a test of its own."""
    return {}


ATTACKS: Mapping[str, Attack] = {
    "broken-signature": broken_signature,
    "persistence-1/2": tried_elsewhere,
    "blank-password -X b": hmac_with_no_secret,
    "null-signature -X n": no_signature,
    "alg-none -X a": alg_none,
    "key-confusion -X k": public_key_as_secret,
    "inline-jwks -X i": embedded_key,
    "spoof-jwks -X s": linked_keys,
    "x5u": linked_certificates,
    "kid blank": kid_of_nothing,
    "kid traversal": _kids("../../../../../../dev/null", "/dev/null", "..\\..\\nul"),
    "kid missing file": _kids("/invalid_path", "/etc/invalid", "C:\\invalid"),
    "kid os-command": _kids("x;sleep 10;", "x|curl https://attacker.invalid", "$(sleep 10)", "`sleep 10`"),
    "kid sqli": _kids("x' UNION SELECT '1';--", "' OR '1'='1", "x'; DROP TABLE broker_requester_key;--", "%"),
    "claim injection (existing)": hostile_members,
    "claim injection (common)": unknown_members,
    "external interaction": addresses_to_fetch,
    "weak hmac secret": weak_secrets,
    "cve-2022-21449 psychic": zero_signature,
    "expired/nbf/iat": wrong_times,
    "substitution": substitution,
    "jwks leakage": tried_elsewhere,
}
