"""Whether a person may sign what she chose: sure enough of herself, or with a passkey's word over the very text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from audit.batch import Transaction
from broker import passkeys
from broker.login import Session, require, step_up_to
from broker.settings import Settings
from consent import evidence
from consent.assertions import VerifiedAssertion
from consent.token import ConsentClaims, VerifiedConsent
from policies.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Authority:
    """How surely the signer was identified, and the assertion that says so where the session alone did not."""

    assurance: int
    assertion: VerifiedAssertion | None = None

    @property
    def sha256(self) -> str:
        return self.assertion.sha256 if self.assertion is not None else ""

    def keep(self, transaction: Transaction, consent: VerifiedConsent) -> None:
        """In the unit that grants. Raises Refused."""
        if self.assertion is not None:
            evidence.keep(transaction, consent, self.assertion)


def evidence_needed(
    connection: Connection, settings: Settings, session: Session, signing_input: str, *, sensitive: bool
) -> dict[str, Any] | None:
    """What a passkey is to be asked before this text is sent back signed; None where the session suffices.

    Raises Refused(step_up_required) where she would need a passkey and has none.
    """
    needed = settings.assurance
    require(session, needed.sign)
    if not sensitive or session.assurance >= needed.sign_sensitive:
        return None
    if not passkeys.possible(settings):
        require(session, needed.sign_sensitive)
    allowed = passkeys.hers(connection, session.subject_ref, needed.sign_sensitive)
    return passkeys.request_options(passkeys.site_of(settings), evidence.challenge_of(signing_input), allowed)


def authority_to_sign(
    connection: Connection,
    settings: Settings,
    catalogue: Catalogue,
    session: Session,
    consent: VerifiedConsent,
    assertion: Mapping[str, Any] | None,
) -> Authority:
    """The signer's authority for this consent. Raises Refused."""
    needed = settings.assurance
    require(session, needed.sign)
    authority = Authority(session.assurance)
    if assertion is not None:
        challenge = evidence.challenge_of(evidence.signing_input_of(consent))
        verified = passkeys.verify_hers(connection, passkeys.site_of(settings), session, assertion, challenge)
        authority = Authority(max(session.assurance, verified.passkey.assurance), verified)
    if is_sensitive(consent.claims, catalogue) and authority.assurance < needed.sign_sensitive:
        raise step_up_to(needed.sign_sensitive)
    return authority


def is_sensitive(claims: ConsentClaims, catalogue: Catalogue) -> bool:
    """Whether any field agreed to is one that the catalogue marks sensitive; one it does not know is."""
    return any(
        field not in known or known[field].sensitive
        for detail in claims.authorization_details
        for known in [catalogue.items[detail.item].fields if detail.item in catalogue.items else {}]
        for field in detail.fields
    )
