"""Ways in which a token's form can be wrong. Each is truly signed where it can be, so only the form is at fault."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from broker.signing import SigningKey
from consent.keys import strict_base64url, to_base64url
from tests.forging import encode, sign_parts, sign_text

Form = Callable[[SigningKey, Mapping[str, Any], Mapping[str, Any]], str]
"""From a key, a good header and good claims to a token."""


def good(key: SigningKey, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    return sign_parts(key, header, _json(claims).encode())


def _json(members: Mapping[str, Any]) -> str:
    return json.dumps(dict(members), ensure_ascii=False)


def _text(change: Callable[[str], str]) -> Form:
    return lambda key, header, claims: change(good(key, header, claims))


def _signature(change: Callable[[bytes], bytes]) -> Form:
    def changed(key: SigningKey, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
        signed, _, signature = good(key, header, claims).rpartition(".")
        return f"{signed}.{to_base64url(change(strict_base64url(signature)))}"

    return changed


def _header(**changed: Any) -> Form:
    def with_header(key: SigningKey, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
        members = {name: value for name, value in (dict(header) | changed).items() if value is not ...}
        return good(key, members, claims)

    return with_header


def _header_text(change: Callable[[str], str]) -> Form:
    return lambda key, header, claims: sign_text(key, f"{_part(change(_json(header)))}.{encode(dict(claims))}")


def _payload(change: Callable[[str], str]) -> Form:
    return lambda key, header, claims: sign_parts(key, header, change(_json(claims)).encode("utf-8", "surrogatepass"))


def _part(text: str) -> str:
    return to_base64url(text.encode("utf-8", "surrogatepass"))


def _stray_bits(position: int) -> Callable[[str], str]:
    def changed(token: str) -> str:
        parts = token.split(".")
        part = parts[position]
        if len(part) % 4 == 0:
            return f"{token}="  # such a part has no unused bits; padding is as wrong
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        parts[position] = part[:-1] + alphabet[alphabet.index(part[-1]) | 1]
        return ".".join(parts)

    return changed


def _padded(token: str) -> str:
    return ".".join(part + "=" * (-len(part) % 4) for part in token.split(".")) + "="


def _standard_alphabet(token: str) -> str:
    # 64 bytes whose text holds + and never its like of the other alphabet
    return f"{token.rpartition('.')[0]}.{base64.b64encode(b'~' * 64).decode().rstrip('=')}"


def _json_serialization(token: str) -> str:
    protected, payload, signature = token.split(".")
    return json.dumps({"payload": payload, "protected": protected, "signature": signature})


def _first_member(member: str) -> Callable[[str], str]:
    return lambda text: "{" + member + ", " + text[1:]


DEEP = '"deep": ' + '{"a": ' * 8 + "1" + "}" * 8

FORMS: Mapping[str, Form] = {
    "empty": _text(lambda _: ""),
    "a dot": _text(lambda _: "."),
    "two dots": _text(lambda _: ".."),
    "two parts": _text(lambda token: token.rpartition(".")[0]),
    "four parts": _text(lambda token: f"{token}.AAAA"),
    "an empty fourth part": _text(lambda token: f"{token}."),
    "five parts, as if encrypted": _text(lambda token: f"{token}.AAAA.AAAA"),
    "no header": _text(lambda token: "." + token.partition(".")[2]),
    "no payload": _text(lambda token: token.split(".")[0] + ".." + token.split(".")[2]),
    "no signature": _text(lambda token: token.rpartition(".")[0] + "."),
    "a line end": _text(lambda token: f"{token}\n"),
    "a space inside": _text(lambda token: token.replace(".", " .", 1)),
    "a question mark inside": _text(lambda token: token.replace(".", "?.", 1)),
    "padding": _text(_padded),
    "the other base64 alphabet": _text(
        lambda token: _standard_alphabet(f"{token.rpartition('.')[0]}.{to_base64url(b'~' * 64)}")
    ),
    "stray bits in the header or padding": _text(_stray_bits(0)),
    "stray bits in the payload or padding": _text(_stray_bits(1)),
    "stray bits in the signature": _text(_stray_bits(2)),
    "JSON serialization": _text(_json_serialization),
    "a signature of 63 bytes": _signature(lambda signature: signature[:-1]),
    "a signature of 65 bytes": _signature(lambda signature: signature + b"\0"),
    "a signature of 128 bytes": _signature(lambda signature: signature * 2),
    "a DER signature": _signature(
        lambda signature: b"\x30\x44\x02\x20" + signature[:32] + b"\x02\x20" + signature[32:]
    ),
    "header with jwk": _header(jwk={"kty": "EC"}),
    "header with jku": _header(jku="https://keys.invalid/jwks"),
    "header with x5u": _header(x5u="https://keys.invalid/cert"),
    "header with x5c": _header(x5c=["AAAA"]),
    "header with x5t": _header(x5t="AAAA"),
    "header with crit": _header(crit=["exp"]),
    "header with an empty crit": _header(crit=[]),
    "header with b64": _header(b64=False),
    "header with cty": _header(cty="JWT"),
    "header with zip": _header(zip="DEF"),
    "header with an unknown member": _header(x=""),
    "header without typ": _header(typ=...),
    "header without kid": _header(kid=...),
    "header without alg": _header(alg=...),
    "alg is a list": _header(alg=["ES256"]),
    "alg is null": _header(alg=None),
    "kid is a number": _header(kid=1),
    "kid is an object": _header(kid={}),
    "typ is true": _header(typ=True),
    "header with alg twice": _header_text(_first_member('"alg": "none"')),
    "header with kid twice": _header_text(_first_member('"kid": "other"')),
    "header is a list": _header_text(lambda text: f"[{text}]"),
    "header is text": _header_text(json.dumps),
    "header is null": _header_text(lambda _: "null"),
    "header with a byte order mark": _header_text(lambda text: f"\ufeff{text}"),
    "header with a comment": _header_text(lambda text: f"{text}//"),
    "header in two objects": _header_text(lambda text: f"{text}{text}"),
    "header with a lone surrogate": _header_text(lambda text: text.replace('"typ": "', '"typ": "\\ud800')),
    "payload is empty": _payload(lambda _: ""),
    "payload is a list": _payload(lambda text: f"[{text}]"),
    "payload is null": _payload(lambda _: "null"),
    "payload is a number": _payload(lambda _: "1"),
    "payload with iss twice": _payload(_first_member('"iss": "other"')),
    "payload with a member twice, deep": _payload(_first_member('"deep": {"a": 1, "a": 1}')),
    "payload with NaN": _payload(_first_member('"deep": NaN')),
    "payload with Infinity": _payload(_first_member('"deep": -Infinity')),
    "payload with a float": _payload(_first_member('"deep": 1.0')),
    "payload with an exponent": _payload(_first_member('"deep": 1e3')),
    "payload with 20 digits": _payload(_first_member('"deep": 12345678901234567890')),
    "payload with 5000 digits": _payload(_first_member('"deep": ' + "9" * 5000)),
    "payload nine deep": _payload(_first_member(DEEP)),
    "payload lists nine deep": _payload(_first_member('"deep": ' + "[" * 8 + "]" * 8)),
    "payload 2000 deep": _payload(_first_member('"deep": ' + "[" * 2000 + "]" * 2000)),
    "payload with a lone surrogate": _payload(_first_member('"deep": "\\udc00"')),
    "payload with a raw surrogate": _payload(_first_member('"deep": "\ud800"')),
    "payload with a byte order mark": _payload(lambda text: f"\ufeff{text}"),
    "payload cut short": _payload(lambda text: text[:-1]),
    "payload in single quotes": _payload(lambda text: text.replace('"', "'")),
    "payload with a control character": _payload(_first_member('"deep": "\t"')),
    "iss is left out": lambda key, header, claims: good(key, header, _without(claims, "iss")),
    "iat is left out": lambda key, header, claims: good(key, header, _without(claims, "iat")),
    "exp is left out": lambda key, header, claims: good(key, header, _without(claims, "exp")),
    "jti is left out": lambda key, header, claims: good(key, header, _without(claims, "jti")),
    "iat is true": lambda key, header, claims: good(key, header, {**claims, "iat": True}),
    "exp is text": lambda key, header, claims: good(key, header, {**claims, "exp": str(claims["exp"])}),
    "exp is null": lambda key, header, claims: good(key, header, {**claims, "exp": None}),
    "iss is a list": lambda key, header, claims: good(key, header, {**claims, "iss": [claims["iss"]]}),
    "jti is a number": lambda key, header, claims: good(key, header, {**claims, "jti": 10**18}),
    "nbf is text": lambda key, header, claims: good(key, header, {**claims, "nbf": "0"}),
}
"""Each is `malformed_token`, wherever a token is taken."""


def _without(claims: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {member: value for member, value in claims.items() if member != name}
