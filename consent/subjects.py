"""Subjects and their devices: found by a keyed hash, kept under a key of their own, named by a random reference."""

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
from audit.events import SubjectRegistered
from audit.identity_events import DeviceEnrolled, DeviceRemoved
from audit.prepared import Prepared
from consent import tables
from consent.keys import PublicKey, read_jwk
from policies.refusals import Code, Refused, TokenRole
from policies.vocabulary import Organisation, Person, Subject

NONCE_SIZE: Final = 12

_SUBJECT: Final = Prepared(
    select(tables.subject).where(
        tables.subject.c.subject_ref == bindparam("of"), tables.subject.c.wrapped_key.is_not(None)
    )
)
_DEVICE: Final = Prepared(select(tables.device).where(tables.device.c.kid == bindparam("kid")))


@dataclass(frozen=True, slots=True)
class SubjectKeys:
    """The broker's two secrets about subjects: one finds a subject by number, one wraps each subject's own key."""

    lookup: bytes = field(repr=False)
    wrapping: bytes = field(repr=False)

    def find(self, id_number: str) -> bytes:
        return hmac.digest(self.lookup, b"id-number\n" + id_number.encode(), hashlib.sha256)

    def find_organisation(self, uscc: str) -> bytes:
        """Apart from people: a code of digits alone can be somebody's id number."""
        return hmac.digest(self.lookup, b"uscc\n" + uscc.encode(), hashlib.sha256)

    def name_check(self, request: str, name: str) -> bytes:
        """A name bound to one request, so that equal names of two requests do not show as equal."""
        return hmac.digest(self.lookup, f"name\n{request}\n{name}".encode(), hashlib.sha256)


def ask_for(transaction: Transaction, keys: SubjectKeys, subject: Subject) -> str:
    """The reference of whom a requester names. The name is only the requester's word: a known one stays."""
    found = _find(transaction.connection, keys, subject)
    return found.subject_ref if found is not None else _register(transaction, keys, subject)


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


def read_subjects(connection: Connection, keys: SubjectKeys, subject_refs: Sequence[str]) -> Mapping[str, Subject]:
    """Who they are, for the departments that are asked. An erased one is absent."""
    rows = [_SUBJECT.one(connection, of=subject_ref) for subject_ref in dict.fromkeys(subject_refs)]
    return {row.subject_ref: _open(keys, row) for row in rows if row is not None}


def read_person(connection: Connection, keys: SubjectKeys, subject_ref: str) -> Person | None:
    """Who this person is; None once she is erased, and of an organisation."""
    subject = read_subjects(connection, keys, [subject_ref]).get(subject_ref)
    return subject if isinstance(subject, Person) else None


def seal_words(connection: Connection, keys: SubjectKeys, subject_ref: str, place: str, words: str) -> bytes:
    """Words that only this person's key opens, and only in the same place. Raises Refused(not_found) once erased."""
    return _encrypt(_key_of(connection, keys, subject_ref), words.encode(), f"{subject_ref}\n{place}")


def open_words(connection: Connection, keys: SubjectKeys, subject_ref: str, place: str, sealed: bytes) -> str:
    """Undo `seal_words`. Raises Refused(not_found) once the person is erased."""
    return _decrypt(_key_of(connection, keys, subject_ref), sealed, f"{subject_ref}\n{place}").decode()


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


@dataclass(frozen=True, slots=True)
class Approval:
    """Why a device may be enrolled: `first`, or a further one by `sign_in` or by a `passkey` (its id)."""

    by: str
    passkey: str = ""


def enrol_device(transaction: Transaction, subject_ref: str, key: PublicKey, label: str, approval: Approval) -> None:
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
    transaction.append(
        DeviceEnrolled(
            subject_ref=subject_ref, kid=key.kid, alg=key.alg, approved_by=approval.by, passkey=approval.passkey
        )
    )


def remove_device(transaction: Transaction, subject_ref: str, kid: str) -> None:
    """From here on the device signs nothing new. Raises Refused(not_found)."""
    end_device(transaction, subject_ref, kid)
    transaction.append(DeviceRemoved(subject_ref=subject_ref, kid=kid))


def end_device(transaction: Transaction, subject_ref: str, kid: str) -> None:
    """Mark it removed; the caller says why. Raises Refused(not_found)."""
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


def find_device(connection: Connection, kid: str) -> Any | None:
    return _DEVICE.one(connection, kid=kid)


def devices_of(connection: Connection, subject_ref: str) -> Sequence[Row[Any]]:
    table = tables.device
    return connection.execute(
        select(table).where(table.c.subject_ref == subject_ref).order_by(table.c.enrolled_at)
    ).all()


def device_key(row: Any) -> PublicKey:
    return read_jwk(json.loads(row.jwk))


def seal_for(connection: Connection, keys: SubjectKeys, subject_ref: str, clear: bytes, bound_to: str) -> bytes | None:
    """AES-256-GCM under the person's own key, good for this purpose only; None of an erased person."""
    own = _own_key(connection, keys, subject_ref)
    return _encrypt(own, clear, f"{subject_ref}\n{bound_to}") if own is not None else None


def open_for(connection: Connection, keys: SubjectKeys, subject_ref: str, sealed: bytes, bound_to: str) -> bytes | None:
    """What was sealed for this purpose; None of an erased person. Raises InvalidTag where it was changed or moved."""
    own = _own_key(connection, keys, subject_ref)
    return _decrypt(own, sealed, f"{subject_ref}\n{bound_to}") if own is not None else None


class DeviceKeys:
    """Device keys by thumbprint. A key's record never changes, so it is remembered; what it may still sign never is."""

    def __init__(self, limit: int = 4096) -> None:
        self._limit = limit
        self._known: dict[str, PublicKey] = {}

    def remembered(self, kid: str) -> PublicKey:
        """A device's key that this process has read before. KeyError for any other."""
        return self._known[kid]

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


def _find(connection: Connection, keys: SubjectKeys, subject: Subject) -> Row[Any] | None:
    lookup = _lookup(keys, subject)
    return connection.execute(select(tables.subject).where(tables.subject.c.lookup == lookup)).one_or_none()


def _lookup(keys: SubjectKeys, subject: Subject) -> bytes:
    return keys.find_organisation(subject.uscc) if isinstance(subject, Organisation) else keys.find(subject.id_number)


def _register(transaction: Transaction, keys: SubjectKeys, subject: Subject) -> str:
    subject_ref = secrets.token_hex(16)
    own = AESGCM.generate_key(256)
    transaction.connection.execute(
        insert(tables.subject).values(
            subject_ref=subject_ref,
            lookup=_lookup(keys, subject),
            wrapped_key=_encrypt(keys.wrapping, own, subject_ref),
            details=_seal(own, subject_ref, subject),
            registered_at=transaction.time // 1_000_000,
        )
    )
    transaction.append(SubjectRegistered(subject_ref=subject_ref))
    return subject_ref


def _key_of(connection: Connection, keys: SubjectKeys, subject_ref: str) -> bytes:
    row = _SUBJECT.one(connection, of=subject_ref)
    if row is None:
        raise Refused(Code.NOT_FOUND)
    return _unwrap(keys, row)


def _seal(own: bytes, subject_ref: str, subject: Subject) -> bytes:
    kind = [str(subject.kind)] if isinstance(subject, Organisation) else []
    return _encrypt(own, json.dumps([subject.name, subject.number, *kind]).encode(), subject_ref)


def _open(keys: SubjectKeys, row: Any) -> Subject:
    name, number, *kind = json.loads(_decrypt(_unwrap(keys, row), row.details, row.subject_ref))
    return Organisation(name, number) if kind else Person(name, number)


def _unwrap(keys: SubjectKeys, row: Any) -> bytes:
    return _decrypt(keys.wrapping, row.wrapped_key, row.subject_ref)


def _own_key(connection: Connection, keys: SubjectKeys, subject_ref: str) -> bytes | None:
    row = _SUBJECT.one(connection, of=subject_ref)
    return _unwrap(keys, row) if row is not None else None


def _encrypt(key: bytes, clear: bytes, bound_to: str) -> bytes:
    nonce = secrets.token_bytes(NONCE_SIZE)
    return nonce + AESGCM(key).encrypt(nonce, clear, bound_to.encode())


def _decrypt(key: bytes, sealed: bytes, bound_to: str) -> bytes:
    return AESGCM(key).decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], bound_to.encode())
