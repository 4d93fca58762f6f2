"""People and their devices: found by a keyed hash, kept under a key of their own, named by a random reference."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, Row, bindparam, insert, select, update

from audit.batch import Transaction
from audit.events import DeviceEnrolled, DeviceRemoved, SubjectRegistered
from consent import tables
from consent.keys import PublicKey, read_jwk
from policies.refusals import Code, Refused, TokenRole
from policies.vocabulary import Person

NONCE_SIZE: Final = 12

# Statements of the exchange path are built once: building one anew costs several times what running it does
_PEOPLE: Final = select(tables.subject).where(
    tables.subject.c.subject_ref.in_(bindparam("subject_refs", expanding=True)),
    tables.subject.c.wrapped_key.is_not(None),
)
_DEVICE: Final = select(tables.device).where(tables.device.c.kid == bindparam("kid"))


@dataclass(frozen=True, slots=True)
class SubjectKeys:
    """The broker's two secrets about people: one finds a person by id number, one wraps each person's own key."""

    lookup: bytes = field(repr=False)
    wrapping: bytes = field(repr=False)

    def find(self, id_number: str) -> bytes:
        return hmac.digest(self.lookup, b"id-number\n" + id_number.encode(), hashlib.sha256)

    def name_check(self, request: str, name: str) -> bytes:
        """A name bound to one request, so that equal names of two requests do not show as equal."""
        return hmac.digest(self.lookup, f"name\n{request}\n{name}".encode(), hashlib.sha256)


def ask_for(transaction: Transaction, keys: SubjectKeys, person: Person) -> str:
    """The reference of the person a requester names. The name is only the requester's word: a known one stays."""
    found = _find(transaction.connection, keys, person)
    return found.subject_ref if found is not None else _register(transaction, keys, person)


def sign_in(transaction: Transaction, keys: SubjectKeys, person: Person) -> str:
    """The reference of a person whose identity was just proven; the proven name replaces a named one."""
    found = _find(transaction.connection, keys, person)
    if found is None:
        return _register(transaction, keys, person)
    if _open(keys, found) != person:
        own = _unwrap(keys, found)
        transaction.connection.execute(
            update(tables.subject)
            .where(tables.subject.c.subject_ref == found.subject_ref)
            .values(details=_seal(own, found.subject_ref, person))
        )
    return str(found.subject_ref)


def read_people(connection: Connection, keys: SubjectKeys, subject_refs: Sequence[str]) -> Mapping[str, Person]:
    """Who they are, for the departments that are asked. An erased person is absent."""
    rows = connection.execute(_PEOPLE, {"subject_refs": list(subject_refs)})
    return {row.subject_ref: _open(keys, row) for row in rows}


def pseudonym(transaction: Transaction, subject_ref: str, requester: str) -> str:
    """The person's opaque `sub` towards one requester, made at first need."""
    table = tables.pseudonym
    mine = (table.c.subject_ref == subject_ref, table.c.requester == requester)
    known = transaction.connection.execute(select(table.c.sub).where(*mine)).scalar_one_or_none()
    if known is not None:
        return str(known)
    sub = secrets.token_urlsafe(16)
    transaction.connection.execute(insert(table).values(subject_ref=subject_ref, requester=requester, sub=sub))
    return sub


def enrol_device(transaction: Transaction, subject_ref: str, key: PublicKey, label: str) -> None:
    """Record a device key that has proven itself. A key belongs to one person, for good."""
    known = find_device(transaction.connection, key.kid)
    if known is not None:
        if known.subject_ref != subject_ref or known.removed_at is not None:
            raise Refused(Code.FORBIDDEN, TokenRole.DEVICE)
        return
    transaction.connection.execute(
        insert(tables.device).values(
            kid=key.kid,
            subject_ref=subject_ref,
            alg=key.alg,
            jwk=json.dumps(dict(key.jwk)),
            label=label,
            enrolled_at=transaction.time // 1_000_000,
        )
    )
    transaction.append(DeviceEnrolled(subject_ref=subject_ref, kid=key.kid, alg=key.alg))


def remove_device(transaction: Transaction, subject_ref: str, kid: str) -> None:
    """From here on the device signs nothing new. Raises Refused(not_found)."""
    removed = transaction.connection.execute(
        update(tables.device)
        .where(
            tables.device.c.kid == kid,
            tables.device.c.subject_ref == subject_ref,
            tables.device.c.removed_at.is_(None),
        )
        .values(removed_at=transaction.time // 1_000_000)
    )
    if removed.rowcount == 0:
        raise Refused(Code.NOT_FOUND)
    transaction.append(DeviceRemoved(subject_ref=subject_ref, kid=kid))


def find_device(connection: Connection, kid: str) -> Row[Any] | None:
    return connection.execute(_DEVICE, {"kid": kid}).one_or_none()


def devices_of(connection: Connection, subject_ref: str) -> Sequence[Row[Any]]:
    table = tables.device
    return connection.execute(
        select(table).where(table.c.subject_ref == subject_ref).order_by(table.c.enrolled_at)
    ).all()


def device_key(row: Row[Any]) -> PublicKey:
    return read_jwk(json.loads(row.jwk))


class DeviceKeys:
    """Device keys by thumbprint. A key's record never changes, so it is remembered; what it may still sign never is."""

    def __init__(self, limit: int = 4096) -> None:
        self._limit = limit
        self._known: dict[str, PublicKey] = {}

    def find(self, connection: Connection, kid: str) -> PublicKey | None:
        """A device's key, removed devices included: what they signed before stands until it is withdrawn."""
        key = self._known.get(kid)
        if key is None:
            row = find_device(connection, kid)
            if row is None:
                return None
            if len(self._known) >= self._limit:
                self._known.clear()
            key = self._known[kid] = device_key(row)
        return key


def _find(connection: Connection, keys: SubjectKeys, person: Person) -> Row[Any] | None:
    return connection.execute(
        select(tables.subject).where(tables.subject.c.lookup == keys.find(person.id_number))
    ).one_or_none()


def _register(transaction: Transaction, keys: SubjectKeys, person: Person) -> str:
    subject_ref = secrets.token_hex(16)
    own = AESGCM.generate_key(256)
    transaction.connection.execute(
        insert(tables.subject).values(
            subject_ref=subject_ref,
            lookup=keys.find(person.id_number),
            wrapped_key=_encrypt(keys.wrapping, own, subject_ref),
            details=_seal(own, subject_ref, person),
            registered_at=transaction.time // 1_000_000,
        )
    )
    transaction.append(SubjectRegistered(subject_ref=subject_ref))
    return subject_ref


def _seal(own: bytes, subject_ref: str, person: Person) -> bytes:
    return _encrypt(own, json.dumps([person.name, person.id_number]).encode(), subject_ref)


def _open(keys: SubjectKeys, row: Row[Any]) -> Person:
    name, id_number = json.loads(_decrypt(_unwrap(keys, row), row.details, row.subject_ref))
    return Person(name, id_number)


def _unwrap(keys: SubjectKeys, row: Row[Any]) -> bytes:
    return _decrypt(keys.wrapping, row.wrapped_key, row.subject_ref)


def _encrypt(key: bytes, clear: bytes, bound_to: str) -> bytes:
    nonce = secrets.token_bytes(NONCE_SIZE)
    return nonce + AESGCM(key).encrypt(nonce, clear, bound_to.encode())


def _decrypt(key: bytes, sealed: bytes, bound_to: str) -> bytes:
    return AESGCM(key).decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], bound_to.encode())
