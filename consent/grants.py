"""Granted consents: found, spent, paused, resumed, withdrawn. The only file that reads or changes a grant's state."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, insert, select, update

from audit.batch import Transaction
from audit.events import ConsentPaused, ConsentResumed, ConsentWithdrawn
from audit.parts import Consent
from audit.prepared import Prepared
from consent import kept, tables
from consent.asking import AuthorizationRequest
from consent.keys import strict_base64url
from consent.token import VerifiedConsent
from policies.refusals import Code, Refusal, Refused, TokenRole
from policies.vocabulary import SubjectKind

ACTIVE: Final = "active"
PAUSED: Final = "paused"
WITHDRAWN: Final = "withdrawn"

_TABLE: Final = tables.grant
_BY_ID: Final = Prepared(select(_TABLE).where(_TABLE.c.iss == bindparam("iss"), _TABLE.c.jti == bindparam("jti")))
_SPEND: Final = Prepared(
    update(_TABLE)
    .where(_TABLE.c.iss == bindparam("of_iss"), _TABLE.c.jti == bindparam("of_jti"), _TABLE.c.used < _TABLE.c.uses)
    .values(used=_TABLE.c.used + 1)
)


@dataclass(frozen=True, slots=True)
class Granted:
    """A grant's row at one moment: true only inside the transaction or page that read it."""

    iss: str
    jti: str
    request: str
    requester: str
    subject_ref: str
    matter: str
    case: str
    party: str
    assurance: int
    """How surely the person was identified when signing."""
    token: str = field(repr=False)
    uses: int
    used: int
    expires: int
    status: str
    granted_at: int
    ended_at: int | None
    actor_ref: str | None
    """Who signed for the subject; None where she signed herself."""
    subject_kind: SubjectKind

    @property
    def left(self) -> int:
        return self.uses - self.used

    def state(self, now: float) -> str:
        """The word the person reads: active, paused, used_up, expired or withdrawn."""
        if self.status == WITHDRAWN:
            return WITHDRAWN
        if self.expires <= now:
            return "expired"
        return self.status if self.left > 0 else "used_up"

    def refusal(self, now: float) -> Refusal | None:
        """Why it does not stand now; a used-up one stands, for a repeat is the same use."""
        codes = {WITHDRAWN: Code.CONSENT_WITHDRAWN, PAUSED: Code.CONSENT_PAUSED}
        code = codes.get(self.status) or (Code.CONSENT_EXPIRED if self.expires <= now else None)
        return Refusal(code, TokenRole.CONSENT) if code is not None else None


def record_grant(
    transaction: Transaction, consent: VerifiedConsent, asked: AuthorizationRequest, *, subject_ref: str, assurance: int
) -> None:
    """Keep a consent that answers this request; the caller appends `consent.granted` in the same unit."""
    claims = consent.claims
    transaction.connection.execute(
        insert(tables.grant).values(
            iss=claims.iss,
            jti=claims.jti,
            request=claims.req,
            requester=claims.client_id,
            subject_ref=subject_ref,
            matter=claims.matter,
            case=claims.case,
            party=claims.party,
            assurance=assurance,
            token=consent.text.encode(),
            uses=claims.uses,
            used=0,
            expires=claims.exp,
            status=ACTIVE,
            granted_at=transaction.time // 1_000_000,
            actor_ref=asked.actor_ref,
            subject_kind=asked.subject_kind,
        )
    )


def find_granted(connection: Connection, iss: str, jti: str) -> Granted | None:
    row = _BY_ID.one(connection, iss=iss, jti=jti)
    return _granted(row) if row is not None else None


def granted_to(connection: Connection, consent: VerifiedConsent) -> Granted:
    """The grant that this token is: the stored payload equals it member by member. Refused otherwise."""
    granted = find_granted(connection, *consent.id)
    if granted is None:
        raise Refused(Code.CONSENT_UNKNOWN, TokenRole.CONSENT)
    same = granted.token == consent.text or canonical(payload_of(granted.token)) == canonical(payload_of(consent.text))
    if not same:
        raise Refused(Code.CONSENT_MISMATCH, TokenRole.CONSENT)
    return granted


def grants_of(connection: Connection, subject_ref: str) -> Sequence[Granted]:
    """What concerns this person's own data, whoever signed it, the newest first."""
    return _newest(connection, _TABLE.c.subject_ref == subject_ref)


def signed_for_others(connection: Connection, actor_ref: str) -> Sequence[Granted]:
    """What this person signed for somebody else, the newest first."""
    return _newest(connection, _TABLE.c.actor_ref == actor_ref)


def _newest(connection: Connection, condition: ColumnElement[bool]) -> Sequence[Granted]:
    rows = connection.execute(select(_TABLE).where(condition).order_by(_TABLE.c.granted_at.desc()))
    return [_granted(row) for row in rows]


def requests_of(connection: Connection, consents: Sequence[str]) -> dict[str, str]:
    """By a consent's `jti`, the authorization request it answered."""
    table = tables.grant
    rows = connection.execute(select(table.c.jti, table.c.request).where(table.c.jti.in_(consents)))
    return {row.jti: row.request for row in rows}


def channels_of(connection: Connection, consents: Sequence[str]) -> dict[str, str]:
    """By a consent's `jti`, through which channel it came about."""
    table = tables.grant
    rows = connection.execute(select(table.c.jti, table.c.token).where(table.c.jti.in_(consents)))
    return {row.jti: payload_of(row.token.decode())["channel"]["mode"] for row in rows}


def late_of_ended(connection: Connection, now: float, late: str | None = None) -> Sequence[str]:
    """The ids of late answers (consent/kept.py) of which a consent has ended; with `late`, that one's if so."""
    awaited = tables.awaited
    joined = awaited.join(_TABLE, (_TABLE.c.iss == awaited.c.iss) & (_TABLE.c.jti == awaited.c.jti))
    ended = (_TABLE.c.status == WITHDRAWN) | (_TABLE.c.expires <= int(now))
    query = select(awaited.c.id).distinct().select_from(joined).where(ended)
    return connection.execute(query if late is None else query.where(awaited.c.id == late)).scalars().all()


def ended_or_paused(connection: Connection, status_list: int) -> Sequence[tuple[int, str]]:
    """Of one public status list, place and state of each grant that is withdrawn or paused."""
    grant, status = tables.grant, tables.status
    joined = status.join(grant, grant.c.request == status.c.request)
    rows = connection.execute(
        select(status.c.idx, grant.c.status)
        .select_from(joined)
        .where(status.c.list == status_list, grant.c.status != ACTIVE)
    )
    return [(row.idx, row.status) for row in rows]


def spend(transaction: Transaction, granted: Granted) -> int:
    """Consume one use; its number. The caller saw in the same transaction that one is left."""
    if _SPEND.change(transaction.connection, of_iss=granted.iss, of_jti=granted.jti) != 1:
        raise Refused(Code.CONSENT_USED_UP, TokenRole.CONSENT)
    return granted.used + 1


def withdraw(transaction: Transaction, granted: Granted, *, by: str, withdrawal_jti: str, actor_ref: str = "") -> None:
    """End it, for good, from this commit on, and destroy the late answers that rest on it.

    `actor_ref` is who does so in the subject's stead.

    Raises Refused(consent_withdrawn) where it already is.
    """
    if granted.status == WITHDRAWN:
        raise Refused(Code.CONSENT_WITHDRAWN)
    kept.destroy_of_grant(transaction, granted.iss, granted.jti)
    _set(transaction, granted, status=WITHDRAWN, ended_at=transaction.time // 1_000_000)
    transaction.append(ConsentWithdrawn(**_names(granted), by=by, withdrawal_jti=withdrawal_jti, actor_ref=actor_ref))


def pause(transaction: Transaction, granted: Granted) -> None:
    _change(transaction, granted, ACTIVE, PAUSED)
    transaction.append(ConsentPaused(**_names(granted)))


def resume(transaction: Transaction, granted: Granted) -> None:
    _change(transaction, granted, PAUSED, ACTIVE)
    transaction.append(ConsentResumed(**_names(granted)))


def _change(transaction: Transaction, granted: Granted, before: str, after: str) -> None:
    refusal = granted.refusal(transaction.time / 1_000_000)
    if granted.status != before:
        raise Refused(refusal.code if refusal is not None else Code.ALREADY_DECIDED)
    if granted.expires <= transaction.time / 1_000_000:
        raise Refused(Code.CONSENT_EXPIRED)
    _set(transaction, granted, status=after)


def _set(transaction: Transaction, granted: Granted, **values: Any) -> None:
    table = tables.grant
    transaction.connection.execute(
        update(table).where(table.c.iss == granted.iss, table.c.jti == granted.jti).values(**values)
    )


def _names(granted: Granted) -> dict[str, Any]:
    return {
        "consent": Consent(granted.iss, granted.jti),
        "requester": granted.requester,
        "subject_ref": granted.subject_ref,
        "matter": granted.matter,
        "case": granted.case,
    }


def canonical(payload: Any) -> bytes:
    """A payload in the one form that equality is judged in: Python alone would take `true` for `1`."""
    return msgspec.json.encode(payload, order="sorted")


def payload_of(token: str) -> dict[str, Any]:
    """The payload of a token that this broker has verified before."""
    payload: dict[str, Any] = json.loads(strict_base64url(token.split(".")[1]))
    return payload


def _granted(row: Any) -> Granted:
    members = row._asdict()
    members["token"] = row.token.decode()
    members["subject_kind"] = SubjectKind(row.subject_kind)
    return Granted(**members)
