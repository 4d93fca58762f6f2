"""Every reason for which something is refused, as a value; the edge turns it into a problem with words and a status."""

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """The closed list of the protocol (version 1, Errors). A code's status and words live in broker/problems.py."""

    MALFORMED_TOKEN = "malformed_token"  # noqa: S105 - a code, not a secret
    WRONG_TOKEN_TYPE = "wrong_token_type"  # noqa: S105 - a code, not a secret
    UNKNOWN_KEY = "unknown_key"
    ALGORITHM_MISMATCH = "algorithm_mismatch"
    BAD_SIGNATURE = "bad_signature"
    WRONG_AUDIENCE = "wrong_audience"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a code, not a secret
    TOKEN_NOT_YET_VALID = "token_not_yet_valid"  # noqa: S105 - a code, not a secret
    LIFETIME_TOO_LONG = "lifetime_too_long"
    UNKNOWN_REQUESTER = "unknown_requester"
    NOT_SIGNED_IN = "not_signed_in"
    SIGN_IN_DENIED = "sign_in_denied"
    SIGN_IN_EXPIRED = "sign_in_expired"
    SIGN_IN_FAILED = "sign_in_failed"
    IDENTITY_INCOMPLETE = "identity_incomplete"
    PROVIDER_UNAVAILABLE = "identity_provider_unavailable"

    CONSENT_UNKNOWN = "consent_unknown"
    CONSENT_MISMATCH = "consent_mismatch"
    INVALID_REQUEST = "invalid_request"
    UNKNOWN_MATTER = "unknown_matter"
    UNKNOWN_ITEM = "unknown_item"

    NOT_THE_REQUESTER = "not_the_requester"
    NOT_THE_SUBJECT = "not_the_subject"
    CASE_MISMATCH = "case_mismatch"
    MATTER_MISMATCH = "matter_mismatch"
    ITEM_NOT_GRANTED = "item_not_granted"
    FIELD_NOT_GRANTED = "field_not_granted"
    POLICY_REFUSED = "policy_refused"
    REQUESTER_SUSPENDED = "requester_suspended"
    FORBIDDEN = "forbidden"
    STEP_UP_REQUIRED = "step_up_required"

    REPLAYED = "replayed"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    CONSENT_PAUSED = "consent_paused"
    CONSENT_USED_UP = "consent_used_up"
    CONSENT_EXPIRED = "consent_expired"
    REQUEST_EXPIRED = "request_expired"
    ALREADY_DECIDED = "already_decided"
    EXCHANGE_CONFLICT = "exchange_conflict"
    EXCHANGE_RUNNING = "exchange_running"

    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    RATE_LIMITED = "rate_limited"

    BUSY = "busy"
    LEDGER_UNAVAILABLE = "ledger_unavailable"
    RELEASES_STOPPED = "releases_stopped"


class TokenRole(StrEnum):
    """Which of a call's tokens is at fault."""

    REQUEST = "request"
    CONSENT = "consent"
    WITHDRAWAL = "withdrawal"
    DEVICE = "device"
    PASSKEY = "passkey"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something was refused. `member` names the member at fault and `reasons` the policies; never a value.

    Of step_up_required, `member` is the level of assurance needed; of releases_stopped, `stopped` is each item that is,
    and which side has stopped it.
    """

    code: Code
    token: TokenRole | None = None
    member: str = ""
    reasons: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()


class Refused(Exception):
    """Raised by verification and by reads; inside a unit of work a Refusal is returned, or its entry would be lost."""

    def __init__(self, code: Code, token: TokenRole | None = None, *, member: str = "") -> None:
        super().__init__(code)
        self.refusal = Refusal(code, token, member)

    @classmethod
    def because(cls, refusal: Refusal) -> "Refused":
        """A recorded refusal, on its way to the edge with all its reasons."""
        refused = cls(refusal.code)
        refused.refusal = refusal
        return refused
