"""Registered fund centres: who they are, their keys, and what their signed tokens prove.

 1 form, type, key, signature   consent/jws.py, under the key's own record
 2 claims                       `iss` owns the key, `aud` is this broker, at most 60 s, `jti` well-formed
 3 body                         exactly the members of that kind of request

The caller must still spend the `jti` in the unit of work that acts on the request.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import msgspec
from sqlalchemy import Connection, Engine, Row, bindparam, delete, insert, select, update

from audit.batch import Transaction
from audit.events import KeyAdded, RequesterRegistered, RequesterResumed, RequesterSuspended
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


# Statements of the exchange path are built once: building one anew costs several times what running it does
_REQUESTER: Final = select(tables.requester).where(tables.requester.c.id == bindparam("id"))
_REMOVED_AT: Final = select(tables.requester_key.c.removed_at).where(tables.requester_key.c.kid == bindparam("kid"))
_SPEND: Final = insert(tables.spent_token).ext(DoNothing()).execution_options(preserve_rowcount=True)


@dataclass(frozen=True, slots=True)
class Requester:
    """A registered fund centre at one moment."""

    id: str
    name_zh: str
    name_en: str
    matters: frozenset[str]
    suspended: bool


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
    members = {
        "issuer": request.requester,
        "jti": request.claims.jti,
        "forget_at": request.claims.exp + SPENT_FOR,
    }
    return transaction.connection.execute(_SPEND, members).rowcount == 1


def forget_spent(transaction: Transaction) -> None:
    """Clear ids of tokens that ended long ago."""
    table = tables.spent_token
    transaction.connection.execute(delete(table).where(table.c.forget_at < transaction.time // 1_000_000))


def register(transaction: Transaction, requester: Requester) -> None:
    """Raises Refused(already_decided) where the id is taken."""
    if find(transaction.connection, requester.id) is not None:
        raise Refused(Code.ALREADY_DECIDED)
    matters = sorted(requester.matters)
    transaction.connection.execute(
        insert(tables.requester).values(
            id=requester.id,
            name_zh=requester.name_zh,
            name_en=requester.name_en,
            matters=json.dumps(matters).encode(),
            status="active",
            registered_at=transaction.time // 1_000_000,
        )
    )
    transaction.append(RequesterRegistered(requester=requester.id, name=requester.name_zh, matters=matters))


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
    row = connection.execute(_REQUESTER, {"id": requester}).one_or_none()
    return _requester(row) if row is not None else None


def may_call(connection: Connection, requester: str, kid: str) -> Requester | Refusal:
    """The requester as it stands now, or why its key opens nothing: asked by every call, never remembered."""
    known = find(connection, requester)
    if known is None or known.suspended:
        return Refusal(Code.REQUESTER_SUSPENDED)
    if connection.execute(_REMOVED_AT, {"kid": kid}).scalar_one_or_none() is not None:
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


def _requester(row: Row[Any]) -> Requester:
    return Requester(row.id, row.name_zh, row.name_en, frozenset(json.loads(row.matters)), row.status == "suspended")
