"""What a passkey answered (WebAuthn Level 3): read strictly, then verified by py_webauthn.

 1 client data  strict JSON; of the expected type, our origin; not from inside another site's page: py_webauthn never
                looks at crossOrigin and topOrigin
 2 challenge    the one that the caller knows to have given out
 3 device data  our relying party, the person present and verified by the device's own lock
 4 counter      never goes backwards: a copied passkey shows
 5 signature    by the library, with the key that was registered

Left to the caller: that the challenge is spent once, and that the passkey is still this person's when it is used.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import msgspec
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import parse_attestation_object, parse_authenticator_data
from webauthn.helpers.structs import AuthenticatorData

from consent.jws import read_object
from consent.keys import strict_base64url
from consent.passkeys import Passkey
from policies.refusals import Code, Refused, TokenRole

CREATE: Final = "webauthn.create"
GET: Final = "webauthn.get"
LONGEST_CREDENTIAL: Final = 1023
"""Bytes (WebAuthn Level 3, section 5.1.3)."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where our ceremonies take place."""

    rp_id: str
    origin: str


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A credential that was made for our challenge, its user verified."""

    credential: bytes = field(repr=False)
    public_key: bytes = field(repr=False)
    sign_count: int


@dataclass(frozen=True, slots=True)
class VerifiedAssertion:
    """The word of a passkey's holder over a challenge of ours."""

    passkey: Passkey
    sign_count: int
    text: bytes = field(repr=False)
    """What was verified, as JSON that others can verify again."""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text).hexdigest()


def unverified_challenge(unverified: Mapping[str, Any]) -> bytes:
    """The challenge that an answer claims to answer: enough to look it up. Raises Refused(malformed_token)."""
    return _base64url(_client_data(unverified).get("challenge"))


def unverified_credential(unverified: Mapping[str, Any]) -> bytes:
    """The credential that an answer claims to come from. Raises Refused(malformed_token)."""
    credential = _base64url(unverified.get("id"))
    if len(credential) > LONGEST_CREDENTIAL:
        _malformed()
    return credential


def unverified_user_handle(unverified: Mapping[str, Any]) -> bytes | None:
    """Whose credential it says it is, where it says so. Raises Refused(malformed_token)."""
    given = _response(unverified).get("userHandle")
    return None if given is None else _base64url(given)


def verify_registration(unverified: Mapping[str, Any], site: Site, challenge: bytes) -> NewPasskey:
    """Steps 1 to 5. Raises Refused."""
    _check_client_data(unverified, CREATE, site, challenge)
    _check_device_data(_made_by(unverified), site)
    try:
        verified = verify_registration_response(
            credential=dict(unverified),
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except Exception as error:  # the library lets through whatever its parsers raise
        raise _refused(Code.BAD_SIGNATURE) from error
    if len(verified.credential_id) > LONGEST_CREDENTIAL:
        _malformed()
    return NewPasskey(verified.credential_id, verified.credential_public_key, verified.sign_count)


def verify_assertion(
    unverified: Mapping[str, Any], passkey: Passkey, site: Site, challenge: bytes
) -> VerifiedAssertion:
    """Steps 1 to 5. Raises Refused."""
    _check_client_data(unverified, GET, site, challenge)
    if unverified_user_handle(unverified) not in (None, passkey.user_handle):
        raise _refused(Code.UNKNOWN_KEY)
    said = _said_by(_base64url(_response(unverified).get("authenticatorData")))
    _check_device_data(said, site)
    if not passkey.counts_on(said.sign_count):
        raise _refused(Code.REPLAYED)
    try:
        verified = verify_authentication_response(
            credential=dict(unverified),
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except Exception as error:  # the library lets through whatever its parsers raise
        raise _refused(Code.BAD_SIGNATURE) from error
    if verified.credential_id != passkey.credential:
        raise _refused(Code.UNKNOWN_KEY)
    return VerifiedAssertion(passkey, verified.new_sign_count, _kept(unverified))


def _check_client_data(unverified: Mapping[str, Any], kind: str, site: Site, challenge: bytes) -> None:
    members = _client_data(unverified)
    if members.get("type") != kind:
        raise _refused(Code.WRONG_TOKEN_TYPE)
    if members.get("origin") != site.origin or members.get("crossOrigin", False) is not False:
        raise _refused(Code.WRONG_AUDIENCE)
    if "topOrigin" in members:
        raise _refused(Code.WRONG_AUDIENCE)
    if _base64url(members.get("challenge")) != challenge:
        raise _refused(Code.REPLAYED)


def _check_device_data(said: AuthenticatorData, site: Site) -> None:
    if said.rp_id_hash != hashlib.sha256(site.rp_id.encode()).digest():
        raise _refused(Code.WRONG_AUDIENCE)
    if not (said.flags.up and said.flags.uv):
        raise _refused(Code.FORBIDDEN)


def _made_by(unverified: Mapping[str, Any]) -> AuthenticatorData:
    raw = _base64url(_response(unverified).get("attestationObject"))
    try:
        return parse_attestation_object(raw).auth_data
    except Exception as error:  # the library lets through whatever its parsers raise
        raise _refused(Code.MALFORMED_TOKEN) from error


def _said_by(raw: bytes) -> AuthenticatorData:
    try:
        return parse_authenticator_data(raw)
    except Exception as error:  # the library lets through whatever its parsers raise
        raise _refused(Code.MALFORMED_TOKEN) from error


def _client_data(unverified: Mapping[str, Any]) -> dict[str, Any]:
    return read_object(_base64url(_response(unverified).get("clientDataJSON")), _malformed)


def _response(unverified: Mapping[str, Any]) -> Mapping[str, Any]:
    response = unverified.get("response")
    if not isinstance(response, dict):
        _malformed()
    return response


def _kept(unverified: Mapping[str, Any]) -> bytes:
    response = _response(unverified)
    members = {name: response[name] for name in ("clientDataJSON", "authenticatorData", "signature")}
    return msgspec.json.encode({"id": unverified["id"], **members}, order="sorted")


def _base64url(text: Any) -> bytes:
    try:
        return strict_base64url(text) if isinstance(text, str) else _malformed()
    except ValueError:
        _malformed()


def _malformed() -> NoReturn:
    raise _refused(Code.MALFORMED_TOKEN)


def _refused(code: Code) -> Refused:
    return Refused(code, TokenRole.PASSKEY)
