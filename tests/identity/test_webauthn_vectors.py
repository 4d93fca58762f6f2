"""The W3C's own WebAuthn test vectors, under our rules; each difference by name and with its reason."""

import json
from typing import Any

import pytest
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import parse_attestation_object

from consent import assertions
from consent.assertions import NewPasskey, Site
from consent.keys import to_base64url
from consent.passkeys import Passkey, name_of
from policies.refusals import Code, Refused
from tests.vectors_folder import vectors

SUBJECT = "0" * 32


def load() -> dict[str, dict[str, Any]]:
    whole = json.loads(vectors("token", "webauthn", "webauthn_l3_vectors.json").read_text(encoding="utf-8"))
    assert (whole["rp_id"], whole["origin_value"]) == ("example.org", "https://example.org")
    found = {one["name"]: one for one in whole["vectors"] if "registration" in one}
    assert len(found) == 15
    return found


SITE = Site("example.org", "https://example.org")


def credential(vector: dict[str, Any], ceremony: str, members: tuple[str, ...]) -> dict[str, Any]:
    name = to_base64url(bytes.fromhex(vector["registration"]["credential_id"]))
    response = {member: to_base64url(bytes.fromhex(vector[ceremony][member])) for member in members}
    return {"id": name, "rawId": name, "type": "public-key", "response": response}


def registered(vector: dict[str, Any]) -> NewPasskey | Code:
    challenge = bytes.fromhex(vector["registration"]["challenge"])
    given = credential(vector, "registration", ("clientDataJSON", "attestationObject"))
    try:
        return assertions.verify_registration(given, SITE, challenge)
    except Refused as error:
        return error.refusal.code


def answered(vector: dict[str, Any], public_key: bytes) -> Code | None:
    """None where the assertion is taken."""
    raw = bytes.fromhex(vector["registration"]["credential_id"])
    passkey = Passkey(
        id=name_of(raw),
        subject_ref=SUBJECT,
        credential=raw,
        public_key=public_key,
        sign_count=0,
        assurance=3,
        label="",
        registered_at=0,
        removed_at=None,
    )
    given = credential(vector, "authentication", ("clientDataJSON", "authenticatorData", "signature"))
    try:
        assertions.verify_assertion(given, passkey, SITE, bytes.fromhex(vector["authentication"]["challenge"]))
    except Refused as error:
        return error.refusal.code
    return None


TAKEN = "taken"
NO_LOCK = "forbidden: made without the user's lock (UV), which we require"
FRAMED = "wrong_audience: made inside another site's page, which the standard leaves to us"
NOT_OURS = "bad_signature: not one of the algorithms that we ask for"
NO_LOCK_NOR_ROOT = f"{NO_LOCK}; and the library does not take its made-up maker's attestation"
NO_SUCH_MAKER = "bad_signature: a made-up manufacturer, which the library does not know"
CHAIN_CUT = "bad_signature: its certificate chain lacks the root, which the library wants there"
VERDICTS = {
    "ES256 Credential with No Attestation": (NO_LOCK, NO_LOCK),
    "ES256 Credential with Self Attestation": (TAKEN, NO_LOCK),
    'ES256 Credential with "crossOrigin": true in clientDataJSON': (FRAMED, FRAMED),
    'ES256 Credential with "topOrigin" in clientDataJSON': (FRAMED, FRAMED),
    "ES256 Credential with very long credential ID": (NO_LOCK, TAKEN),
    "Packed Attestation with ES256 Credential": (TAKEN, TAKEN),
    "Packed Attestation with ES384 Credential": (NO_LOCK, NOT_OURS),
    "Packed Attestation with ES512 Credential": (NOT_OURS, NO_LOCK),
    "Packed Attestation with RS256 Credential": (TAKEN, NO_LOCK),
    "Packed Attestation with Ed25519 Credential": (NO_LOCK, NO_LOCK),
    "Packed Attestation with Ed448 Credential": (NO_LOCK, NOT_OURS),
    "TPM Attestation with ES256 Credential": (NO_SUCH_MAKER, TAKEN),
    "Android Key Attestation with ES256 Credential": (CHAIN_CUT, NO_LOCK),
    "Apple Anonymous Attestation with ES256 Credential": (NO_LOCK_NOR_ROOT, NO_LOCK),
    "FIDO U2F Attestation with ES256 Credential": (NO_LOCK_NOR_ROOT, NO_LOCK),
}
"""Of registration and authentication. All are valid by the standard; whatever is not taken, our own rules refuse."""


@pytest.mark.parametrize("name", VERDICTS)
def test_each_vector(name: str) -> None:
    found = load()
    assert set(found) == set(VERDICTS)
    vector = found[name]
    made = registered(vector)
    verdicts = [verdict.partition(":")[0] for verdict in VERDICTS[name]]
    assert (str(made) if isinstance(made, Code) else TAKEN) == verdicts[0]
    assert str(answered(vector, public_key_of(vector)) or TAKEN) == verdicts[1]


@pytest.mark.parametrize("name", [name for name, verdicts in VERDICTS.items() if NO_LOCK in verdicts])
def test_it_is_the_lock_alone_that_is_missing(name: str) -> None:
    """What we refuse for want of the lock, the library takes where it does not ask for one."""
    vector, verdicts = load()[name], VERDICTS[name]
    if verdicts[1] == NO_LOCK and NOT_OURS not in verdicts:
        verify_authentication_response(
            credential=credential(vector, "authentication", ("clientDataJSON", "authenticatorData", "signature")),
            expected_challenge=bytes.fromhex(vector["authentication"]["challenge"]),
            expected_rp_id=SITE.rp_id,
            expected_origin=SITE.origin,
            credential_public_key=public_key_of(vector),
            credential_current_sign_count=0,
        )
    if verdicts[0] == NO_LOCK and NOT_OURS not in verdicts:
        verify_registration_response(
            credential=credential(vector, "registration", ("clientDataJSON", "attestationObject")),
            expected_challenge=bytes.fromhex(vector["registration"]["challenge"]),
            expected_rp_id=SITE.rp_id,
            expected_origin=SITE.origin,
        )


def public_key_of(vector: dict[str, Any]) -> bytes:
    made = parse_attestation_object(bytes.fromhex(vector["registration"]["attestationObject"])).auth_data
    assert made.attested_credential_data is not None
    return made.attested_credential_data.credential_public_key
