"""Years of use before anything is measured: made-up consents, exchanges and entries in the broker's own store and log.

Keys rise from chunk to chunk, so that filling is quick, and lie spread over the whole range of real ones, so that every
new consent finds its place between old ones.
"""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from sqlalchemy import insert

from audit.batch import Transaction
from bench.ledger.building import people_in
from bench.ledger.cases import BUSY, MATTER, REQUESTERS, VERSION, case, case_id, subject_ref_of
from bench.requester import NAME
from broker.founding import CONFIGURATION
from broker.keys import read_keys
from broker.settings import read_settings
from broker.tables import exchange
from broker.wiring import open_storage
from consent import tables

CHUNK: Final = 3000
"""Consents a unit of work, and as many entries."""
ENTRIES_OF_A_CASE: Final = 3
"""Asked, shown, granted. Released ones are counted at the end, and these were never answered."""
TOKEN: Final = 1700
"""Bytes, as of a real consent of three items."""
_SORTED: Final = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
PLACES: Final = 4


def fill(folder: Path, count: int, tell: Callable[[str], None]) -> None:
    """So many consents with an exchange each, and so many entries, beside the broker that runs there."""
    settings = read_settings(folder / CONFIGURATION)
    database, storage = open_storage(settings, read_keys(settings.secrets, settings.log_origin))
    try:
        for first in range(0, count, CHUNK):
            numbers = range(first, min(first + CHUNK, count))
            storage.ledger.record(_Older(numbers, count).record).result()
            if first % (CHUNK * 50) == 0:
                tell(f"{first:,} of {count:,} older consents")
    finally:
        storage.ledger.close()
        database.close()


class _Older:
    def __init__(self, numbers: range, count: int) -> None:
        self._numbers, self._count = numbers, count

    def record(self, transaction: Transaction) -> None:
        connection = transaction.connection
        rows = [self._rows(number) for number in self._numbers]
        for table, members in zip((tables.request, tables.grant, exchange), zip(*rows, strict=True), strict=True):
            connection.execute(insert(table), list(members))
        for number in range(self._numbers.start, self._numbers.stop, ENTRIES_OF_A_CASE):
            self._append(transaction, number)

    def _append(self, transaction: Transaction, number: int) -> None:
        running = case(number, people_in(self._count))
        transaction.append(next(running))
        for _ in range(ENTRIES_OF_A_CASE - 1):
            transaction.append(running.send(0))

    def _rows(self, number: int) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Of a request, its consent, and the exchange under it."""
        place = self._place(number)
        key, iss = f"{place}{number:x}", f"{place}{secrets.token_urlsafe(29)}"
        requester = NAME if number % 2 else REQUESTERS[number % len(BUSY)]
        names = {"requester": requester, "matter": MATTER, "case": case_id(number), "party": "applicant"}
        names |= {"subject_ref": subject_ref_of(number // 2)}
        ticket = place.encode() + secrets.token_bytes(28)
        return _request(key, iss, ticket) | names, _consent(key, iss) | names, _exchange(key, requester)

    def _place(self, number: int) -> str:
        """The first characters of a key, rising with the number over all that there are."""
        rest, letters = int(number / self._count * len(_SORTED) ** PLACES), bytearray()
        for _ in range(PLACES):
            rest, letter = divmod(rest, len(_SORTED))
            letters.append(_SORTED[letter])
        return bytes(reversed(letters)).decode()


def _request(key: str, iss: str, ticket: bytes) -> dict[str, Any]:
    return {
        "id": f"ar_{key}",
        "ticket_hash": ticket,
        "ticket_expires": 0,
        "user_code": "AAAA-AAAA",
        "matter_version": VERSION,
        "mode": "counter",
        "items": b"[]" + bytes(300),
        "uses": 1,
        "valid_for": 1,
        "operator_id": "clerk-07",
        "operator_desk": "window 7",
        "status": "granted",
        "filed_at": 0,
        "notice_lang": "zh",
        "notice_text": bytes(900),
        "consent_iss": iss,
    }


def _consent(key: str, iss: str) -> dict[str, Any]:
    return {
        "iss": iss,
        "jti": key,
        "request": f"ar_{key}",
        "assurance": 3,
        "token": bytes(TOKEN),
        "uses": 1,
        "used": 1,
        "expires": 1_900_000_000,
        "status": "active",
        "granted_at": 0,
        "subject_kind": "person",
    }


def _exchange(key: str, requester: str) -> dict[str, Any]:
    return {
        "requester": requester,
        "exchange": key,
        "fingerprint": bytes(32),
        "call": f"ex_{key}",
        "attempt": 1,
        "status": "released",
        "process": "earlier",
        "admitted": 0,
        "uses": b"{}",
        "first_released_at": 0,
        "answered": b"{}",
    }
