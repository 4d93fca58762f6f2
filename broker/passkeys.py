"""Passkeys at this address: what a browser is asked for, and what it answered read and verified."""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import Connection

from broker.login import Assurance, Session, step_up_to
from broker.settings import Settings
from consent import assertions, passkeys
from consent.assertions import Site, VerifiedAssertion
from consent.keys import to_base64url
from consent.passkeys import Passkey
from policies.refusals import Code, Refused, TokenRole

SITE_NAME: Final = "便利桥 Consent Broker"
ANSWER_WITHIN: Final = 5 * 60 * 1000
"""Milliseconds, as the browser counts; what counts is the ceremony's own life."""
ALGORITHMS: Final = (-8, -7, -257)
"""COSE: EdDSA, ES256, RS256 (Windows Hello makes no other)."""


def possible(settings: Settings) -> bool:
    """Whether browsers keep passkeys for this address: a bare IP address has none (WebAuthn, section 5.1.3)."""
    host = urlsplit(settings.citizens).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return False


def site_of(settings: Settings) -> Site:
    """Raises Refused(not_found) where there can be no passkeys."""
    if not possible(settings):
        raise Refused(Code.NOT_FOUND)
    return Site(urlsplit(settings.citizens).hostname or "", settings.citizens)


def creation_options(
    site: Site, session: Session, challenge: bytes, name: str, known: Sequence[Passkey]
) -> dict[str, Any]:
    """PublicKeyCredentialCreationOptionsJSON: kept by the device itself, and opened only by its user's own lock."""
    return {
        "rp": {"id": site.rp_id, "name": SITE_NAME},
        "user": {
            "id": to_base64url(passkeys.user_handle_of(session.subject_ref)),
            "name": name,
            "displayName": name,
        },
        "challenge": to_base64url(challenge),
        "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in ALGORITHMS],
        "timeout": ANSWER_WITHIN,
        "excludeCredentials": _descriptors(known),
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "none",
    }


def request_options(site: Site, challenge: bytes, allowed: Sequence[Passkey] = ()) -> dict[str, Any]:
    """PublicKeyCredentialRequestOptionsJSON; without `allowed`, whichever the person picks."""
    return {
        "rpId": site.rp_id,
        "challenge": to_base64url(challenge),
        "timeout": ANSWER_WITHIN,
        "allowCredentials": _descriptors(allowed),
        "userVerification": "required",
    }


def hers(connection: Connection, subject_ref: str, least: Assurance = Assurance.LOW) -> Sequence[Passkey]:
    """A person's passkeys that can vouch for so much. Refused(step_up_required) for none: another way is needed."""
    found = [one for one in passkeys.standing_of(connection, subject_ref) if one.assurance >= least]
    if not found:
        raise step_up_to(least)
    return found


def verify_hers(
    connection: Connection, site: Site, session: Session, unverified: Mapping[str, Any], challenge: bytes
) -> VerifiedAssertion:
    """An assertion of the signed-in person's own passkey over this challenge. Raises Refused."""
    passkey = passkeys.find(connection, assertions.unverified_credential(unverified))
    if passkey.subject_ref != session.subject_ref:
        raise Refused(Code.UNKNOWN_KEY, TokenRole.PASSKEY)
    return assertions.verify_assertion(unverified, passkey, site, challenge)


def verify_anybodys(
    connection: Connection, site: Site, unverified: Mapping[str, Any], challenge: bytes
) -> VerifiedAssertion:
    """An assertion that says whose it is, for signing in. Raises Refused."""
    passkey = passkeys.find(connection, assertions.unverified_credential(unverified))
    if assertions.unverified_user_handle(unverified) is None:
        raise Refused(Code.UNKNOWN_KEY, TokenRole.PASSKEY)
    return assertions.verify_assertion(unverified, passkey, site, challenge)


def _descriptors(known: Sequence[Passkey]) -> list[dict[str, str]]:
    return [{"type": "public-key", "id": to_base64url(one.credential)} for one in known]
