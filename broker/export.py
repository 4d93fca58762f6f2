"""Everything about one person, for herself: one JSON object, written piece by piece, so that memory stays bounded.

| member | what it holds |
| --- | --- |
| `format` | `consent-broker/export/1` |
| `taken_at`, `issuer`, `log_key` | when, from whom, and the log's verifier key (C2SP vkey), for the receipts |
| `entry` | the index of this copy's own entry in the log; what came after it is in the next copy |
| `person` | name and id number, as the broker holds them |
| `devices` | the keys that sign or signed for her |
| `consents` | each with where it stands and the signed token |
| `requests` | each with the words that were shown, and what it asked |
| `accesses` | each call, as in GET /v1/me/accesses: `entry` and `proof` are its receipt |
| `questions`, `corrections` | with their answers |
| `notices` | her inbox, in Chinese |
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final, TypeAlias

import msgspec
from sqlalchemy import Connection

from audit import events
from audit.search import Cursor, Wanted, newest
from broker.accesses import accesses_of
from broker.inquiring import members as inquiry_members
from broker.moments import rfc3339
from broker.names import Names
from broker.notices import notices_of
from broker.own_entries import entries
from broker.wiring import Broker
from consent import asking, grants, subjects
from consent.asking import AuthorizationRequest
from consent.inquiries import Kind, inquiries_of
from policies.refusals import Code, Refused

FORMAT: Final = "consent-broker/export/1"
AT_ONCE: Final = 100
_ASKED: Final = (events.ConsentAsked.NAME, events.ConsentShown.NAME)

Part: TypeAlias = tuple[Iterable[Any], int | None]
"""Some of a list's members, and below which index the next part begins; None after the last."""
Reading: TypeAlias = Callable[[Connection, Cursor], Part]


async def written(broker: Broker, subject_ref: str, entry: int) -> AsyncIterator[bytes]:
    """The whole object. `entry` is the index under which taking it was recorded.

    Each part is read in a transaction of its own: what is appended meanwhile lies above `entry` and is left out.
    """
    head = await broker.storage.read(lambda connection: _head(connection, broker, subject_ref, entry))
    yield msgspec.json.encode(head)[:-1]
    for name, reading in _lists(broker, subject_ref).items():
        yield b',"' + name.encode() + b'":['
        async for piece in _pieces(broker, reading, entry):
            yield piece
        yield b"]"
    yield b"}\n"


async def _pieces(broker: Broker, reading: Reading, below: int) -> AsyncIterator[bytes]:
    following: int | None = below
    between = b""
    while following is not None:
        part, following = await broker.storage.read(_at(reading, Cursor(following)))
        for one in part:
            yield between + msgspec.json.encode(one)
            between = b",\n"


def _at(reading: Reading, cursor: Cursor) -> Callable[[Connection], Part]:
    return lambda connection: reading(connection, cursor)


def _head(connection: Connection, broker: Broker, subject_ref: str, entry: int) -> Mapping[str, Any]:
    person = subjects.read_person(connection, broker.keys.subjects, subject_ref)
    if person is None:
        raise Refused(Code.NOT_SIGNED_IN)
    return {
        "format": FORMAT,
        "taken_at": rfc3339(int(broker.now())),
        "issuer": broker.settings.issuer,
        "log_key": broker.keys.log.vkey,
        "entry": entry,
        "person": {"name": person.name, "id_number": person.id_number},
    }


def _lists(broker: Broker, subject_ref: str) -> Mapping[str, Reading]:
    def of_kind(kind: Kind) -> Reading:
        return lambda connection, _: (_inquiries(connection, broker, subject_ref, kind), None)

    seen: set[str] = set()
    return {
        "devices": lambda connection, _: (_devices(connection, subject_ref), None),
        "consents": lambda connection, _: (_consents(connection, subject_ref, broker.now()), None),
        "requests": lambda connection, cursor: _requests(connection, subject_ref, cursor, seen),
        "accesses": lambda connection, cursor: _accesses(connection, subject_ref, cursor),
        "questions": of_kind(Kind.QUESTION),
        "corrections": of_kind(Kind.CORRECTION),
        "notices": lambda connection, cursor: _notices(connection, broker, subject_ref, cursor),
    }


def _devices(connection: Connection, subject_ref: str) -> list[Mapping[str, Any]]:
    return [
        {
            "kid": row.kid,
            "jwk": msgspec.Raw(row.jwk.encode()),
            "label": row.label,
            "enrolled_at": rfc3339(row.enrolled_at),
            "removed_at": rfc3339(row.removed_at) if row.removed_at is not None else None,
        }
        for row in subjects.devices_of(connection, subject_ref)
    ]


def _consents(connection: Connection, subject_ref: str, now: float) -> list[Mapping[str, Any]]:
    return [
        {
            "jti": granted.jti,
            "request": granted.request,
            "requester": granted.requester,
            "matter": granted.matter,
            "case": granted.case,
            "party": granted.party,
            "status": granted.state(now),
            "uses": granted.uses,
            "left": granted.left,
            "granted_at": rfc3339(granted.granted_at),
            "expires_at": rfc3339(granted.expires),
            "ended_at": rfc3339(granted.ended_at) if granted.ended_at is not None else None,
            "consent": granted.token,
        }
        for granted in grants.grants_of(connection, subject_ref)
    ]


def _requests(connection: Connection, subject_ref: str, cursor: Cursor, seen: set[str]) -> Part:
    """Found by the entries that say she was asked or shown it; `seen` keeps one that has both from coming twice."""
    found = newest(connection, Wanted(subject_ref=subject_ref, events=_ASKED), AT_ONCE, cursor)
    named = [entry["body"]["request"] for _, entry in sorted(entries(connection, found).items(), reverse=True)]
    fresh = [name for name in dict.fromkeys(named) if name not in seen]
    seen.update(fresh)
    asked = (asking.find(connection, name) for name in fresh)
    told = [_request_members(one) for one in asked if one is not None and one.subject_ref == subject_ref]
    return told, found[-1] if len(found) == AT_ONCE else None


def _request_members(asked: AuthorizationRequest) -> Mapping[str, Any]:
    return {
        "id": asked.id,
        "requester": asked.requester,
        "matter": asked.matter,
        "matter_version": asked.matter_version,
        "case": asked.case,
        "party": asked.party,
        "mode": asked.mode,
        "status": asked.status,
        "uses": asked.uses,
        "valid_for": asked.valid_for,
        "items": [
            {"item": one.item, "fields": one.fields, "params": dict(one.params), "expect": dict(one.expect)}
            for one in asked.items
        ],
        "notice": {"lang": asked.notice_lang, "text": asked.notice_text},
    }


def _accesses(connection: Connection, subject_ref: str, cursor: Cursor) -> Part:
    page = accesses_of(connection, subject_ref, cursor)
    return page.accesses, page.following


def _inquiries(connection: Connection, broker: Broker, subject_ref: str, kind: Kind) -> list[Mapping[str, Any]]:
    mine = [one for one in inquiries_of(connection, subject_ref) if one.asking.kind is kind]
    return [inquiry_members(connection, broker.keys.subjects, one, broker.now()) for one in mine]


def _notices(connection: Connection, broker: Broker, subject_ref: str, cursor: Cursor) -> Part:
    names = Names.read(connection, broker.catalogue, english=False)
    page = notices_of(connection, names, subject_ref, cursor)
    return map(asdict, page.notices), page.following
