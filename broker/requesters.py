"""Registered requesters, fund centres and departments: who they are, their keys, and what their signed tokens prove.

 1 form, type, key, signature   consent/jws.py, under the key's own record
 2 claims                       `iss` owns the key, `aud` is this broker, at most 60 s, `jti` well-formed
 3 body                         exactly the members of that kind of request

The caller must still spend the `jti` in the unit of work that acts on the request.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar

import msgspec
from sqlalchemy import Connection, Engine, bindparam, delete, insert, select, update

from audit.batch import Transaction
from audit.events import KeyAdded, RequesterRegistered, RequesterResumed, RequesterSuspended
from audit.prepared import Prepared
from broker import tables
from broker.on_conflict import DoNothing
from consent import jws
from consent.claims import Claims, verify_claims
from consent.keys import PublicKey, read_jwk
from policies.refusals import Code, Refusal, Refused, TokenRole

T = TypeVar("T")

SPENT_FOR = 300
"""Seconds that a spent `jti` is remembered: far past the 60 s that its token can live."""
_REGISTERED = frozenset({"iss", "aud", "iat", "exp", "nbf", "jti"})


_REQUESTER: Final = Prepared(select(tables.requester).where(tables.requester.c.id == bindparam("id")))
_REMOVED_AT: Final = Prepared(
    select(tables.requester_key.c.removed_at).where(tables.requester_key.c.kid == bindparam("kid"))
)
_SPEND: Final = Prepared(insert(tables.spent_token).ext(DoNothing()))


@dataclass(frozen=True, slots=True)
class Requester:
    """A registered fund centre, or a department that receives data itself, at one moment."""

    id: str
    name_zh: str
    name_en: str
    matters: frozenset[str]
    suspended: bool
    department: str = ""
    """The catalogue's department that it is; empty for a fund centre."""
    agreed: frozenset[str] | None = None
    """The items for which an agreement is in force; None where none is needed."""

    def has_agreed(self, item: str) -> bool:
        return self.agreed is not None and item in self.agreed


@dataclass(frozen=True, slots=True)
class VerifiedRequest(Generic[T]):
    """A requester's own word: its key signed exactly this body, for this broker, within the last minute."""

    requester: str
    kid: str
    claims: Claims
    body: T
    sha256: str
    """Of the token's ASCII."""


class RequesterKeys:
    """Keys by thumbprint. A key's record never changes, so it is remembered; whether it still stands never is."""

    def __init__(self, reader: Engine) -> None:
        self._reader = reader
        self._known: dict[str, tuple[str, PublicKey]] = {}

    def find(self, kid: str) -> tuple[str, PublicKey] | None:
        """The requester that the key belongs to, and the key."""
        known = self._known.get(kid)
        if known is None:
            with self._reader.begin() as connection:
                row = connection.execute(
                    select(tables.requester_key).where(tables.requester_key.c.kid == kid)
                ).one_or_none()
            if row is not None:
                known = self._known[kid] = (row.requester, read_jwk(json.loads(row.jwk)))
        return known

    def unverified_requester(self, text: str) -> str:
        """Who is meant by a token, of those known by now; empty where nobody is. Only to refuse by."""
        known = self._known.get(jws.unverified_kid(text))
        return known[0] if known is not None else ""

    def verify(
        self, text: str, *, profile: jws.Profile, typ: str, body: type[T], audience: str, now: float
    ) -> VerifiedRequest[T]:
        """Steps 1 to 3. Raises Refused."""
        token, unverified = jws.read_token(text, profile, typ)  # 1
        found = self.find(token.header["kid"])
        jws.verify_signature(token, found[1] if found is not None else None)
        claims = verify_claims(unverified, profile=profile, audience=audience, now=now)  # 2
        if found is None or claims.iss != found[0]:
            raise Refused(Code.UNKNOWN_REQUESTER, profile.role)
        members = {name: value for name, value in unverified.items() if name not in _REGISTERED}
        try:
            read = msgspec.convert(members, body)  # 3
        except msgspec.ValidationError as error:
            raise Refused(Code.INVALID_REQUEST, TokenRole.REQUEST, member=member_of(error)) from error
        digest = hashlib.sha256(text.encode()).hexdigest()
        return VerifiedRequest(claims.iss, found[1].kid, claims, read, digest)


def spend_jti(transaction: Transaction, request: VerifiedRequest[Any]) -> bool:
    """Whether the token's id was still unspent; it is spent from this commit on."""
    claims = request.claims
    until = claims.exp + SPENT_FOR
    return _SPEND.change(transaction.connection, issuer=request.requester, jti=claims.jti, forget_at=until) == 1


def forget_spent(transaction: Transaction) -> None:
    """Clear ids of tokens that ended long ago."""
    table = tables.spent_token
    transaction.connection.execute(delete(table).where(table.c.forget_at < transaction.time // 1_000_000))


def register(transaction: Transaction, requester: Requester) -> None:
    """Raises Refused(already_decided) where the id is taken, or another speaks for its department."""
    if find(transaction.connection, requester.id) is not None:
        raise Refused(Code.ALREADY_DECIDED)
    if requester.department and requester.department in {one.department for one in read_all(transaction.connection)}:
        raise Refused(Code.ALREADY_DECIDED)
    matters = sorted(requester.matters)
    transaction.connection.execute(
        insert(tables.requester).values(
            id=requester.id,
            name_zh=requester.name_zh,
            name_en=requester.name_en,
            matters=json.dumps(matters).encode(),
            department=requester.department or None,
            status="active",
            registered_at=transaction.time // 1_000_000,
        )
    )
    transaction.append(
        RequesterRegistered(
            requester=requester.id, name=requester.name_zh, matters=matters, department=requester.department
        )
    )


def add_key(transaction: Transaction, requester: str, key: PublicKey) -> None:
    """Raises Refused(already_decided) where the key is registered, to whomever: a key speaks for one requester."""
    table = tables.requester_key
    if transaction.connection.execute(select(table.c.kid).where(table.c.kid == key.kid)).one_or_none() is not None:
        raise Refused(Code.ALREADY_DECIDED)
    transaction.connection.execute(
        insert(table).values(
            kid=key.kid,
            requester=requester,
            alg=key.alg,
            jwk=json.dumps(dict(key.jwk)),
            added_at=transaction.time // 1_000_000,
        )
    )
    transaction.append(KeyAdded(requester=requester, kid=key.kid, alg=key.alg))


def suspend(transaction: Transaction, requester: str) -> None:
    _set_status(transaction, requester, "suspended")
    transaction.append(RequesterSuspended(requester=requester))


def resume(transaction: Transaction, requester: str) -> None:
    _set_status(transaction, requester, "active")
    transaction.append(RequesterResumed(requester=requester))


def find(connection: Connection, requester: str) -> Requester | None:
    row = _REQUESTER.one(connection, id=requester)
    return _requester(row) if row is not None else None


def may_call(connection: Connection, requester: str, kid: str) -> Requester | Refusal:
    """The requester as it stands now, or why its key opens nothing: asked by every call, never remembered."""
    known = find(connection, requester)
    if known is None or known.suspended:
        return Refusal(Code.REQUESTER_SUSPENDED)
    key = _REMOVED_AT.one(connection, kid=kid)
    if key is None or key.removed_at is not None:
        return Refusal(Code.UNKNOWN_KEY, TokenRole.REQUEST)
    return known


def read_all(connection: Connection) -> Iterable[Requester]:
    return [_requester(row) for row in connection.execute(select(tables.requester).order_by(tables.requester.c.id))]


def member_of(error: msgspec.ValidationError) -> str:
    """Which member was wrong, by path; msgspec's own text may quote a value, so it goes nowhere."""
    return str(error).partition(" - at `$.")[2].rstrip("`")


def _set_status(transaction: Transaction, requester: str, status: str) -> None:
    table = tables.requester
    changed = transaction.connection.execute(update(table).where(table.c.id == requester).values(status=status))
    if changed.rowcount == 0:
        raise Refused(Code.NOT_FOUND)


def _requester(row: Any) -> Requester:
    suspended = row.status == "suspended"
    return Requester(row.id, row.name_zh, row.name_en, _matters(row.matters), suspended, row.department or "")


@lru_cache(1024)
def _matters(written: bytes) -> frozenset[str]:
    return frozenset(json.loads(written))
