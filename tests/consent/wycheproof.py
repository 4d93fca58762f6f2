"""Project Wycheproof's cases, read in place: each with its group's key, and never copied into the project."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from consent.keys import to_base64url
from tests.vectors_folder import vectors


@dataclass(frozen=True, slots=True)
class Case:
    """One case and the key it is to be judged under."""

    id: int
    comment: str
    valid: bool
    key: Mapping[str, Any]
    text: str
    """The compact JWS; empty for a raw signature."""
    message: bytes = b""
    signature: bytes = b""
    private: Mapping[str, Any] = field(default_factory=dict)
    """The JWK with its private member, where it is published."""


def jws_cases() -> list[Case]:
    """Every JSON Web Signature case; `key` is the JWK, public where there is a public one."""
    return [
        Case(
            test["tcId"],
            test["comment"],
            test["result"] == "valid",
            _key(group),
            test["jws"],
            private=group.get("private", {}),
        )
        for group in _groups("json_web_signature_test.json")
        for test in group["tests"]
    ]


def jwk_set_cases() -> list[Case]:
    """Every JSON Web Key case; `key` is a JWK set."""
    return [
        Case(test["tcId"], test["comment"], test["result"] == "valid", _key(group), test["jws"])
        for group in _groups("json_web_key_test.json")
        for test in group["tests"]
    ]


def raw_cases(name: str) -> list[Case]:
    """Every case of raw signatures over bytes, with the group's JWK."""
    return [
        Case(
            test["tcId"],
            test["comment"],
            test["result"] == "valid",
            _raw_key(group["publicKey"]),
            "",
            bytes.fromhex(test["msg"]),
            bytes.fromhex(test["sig"]),
        )
        for group in _groups(name)
        for test in group["tests"]
    ]


def header_of(text: str) -> Mapping[str, Any]:
    """The header as a lenient reader would see it; empty where there is none."""
    part = text.split(".", maxsplit=1)[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return {}
    return header if isinstance(header, dict) else {}


def _groups(name: str) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = json.loads(vectors("token", "wycheproof", name).read_bytes())["testGroups"]
    return groups


def _raw_key(public: Mapping[str, str]) -> Mapping[str, str]:
    if public["type"] == "EDDSAPublicKey":
        return {"kty": "OKP", "crv": "Ed25519", "x": to_base64url(bytes.fromhex(public["pk"]))}
    point = bytes.fromhex(public["uncompressed"])[1:]
    return {"kty": "EC", "crv": "P-256", "x": to_base64url(point[:32]), "y": to_base64url(point[32:])}


def _key(group: Mapping[str, Any]) -> Mapping[str, Any]:
    key: Mapping[str, Any] = group.get("public") or group["private"]
    return key
