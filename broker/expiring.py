"""Certificates in the broker's folders of secrets, and requesters' keys: what ends when, and what is old."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from sqlalchemy import Connection, select

from broker import tables

SOON_DAYS: Final = 30
OLD_DAYS: Final = 730
"""A requester's key has no end of its own; one of two years is due to be changed."""
_LARGEST: Final = 1 << 20
DAY: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class Ending:
    """One certificate: in which file, whose, and its last moment."""

    file: str
    subject: str
    until: datetime
    days: int

    @property
    def state(self) -> str:
        return "ended" if self.days < 0 else "soon" if self.days < SOON_DAYS else "ok"


@dataclass(frozen=True, slots=True)
class KeyAge:
    requester: str
    kid: str
    added_at: int
    days: int

    @property
    def state(self) -> str:
        return "old" if self.days > OLD_DAYS else "ok"


def certificates(folders: Sequence[Path], now: float) -> Sequence[Ending]:
    """Every PEM certificate directly below these folders, what ends first at the head. A file that is none is none."""
    files = {file for folder in folders if folder.is_dir() for file in folder.iterdir() if file.is_file()}
    found = [one for file in files for one in _in(file, now)]
    return sorted(found, key=lambda one: (one.until, one.file))


def requesters_keys(connection: Connection, now: float) -> Sequence[KeyAge]:
    """The keys in use, the oldest first."""
    table = tables.requester_key
    rows = connection.execute(select(table).where(table.c.removed_at.is_(None)).order_by(table.c.added_at))
    return [KeyAge(row.requester, row.kid, row.added_at, int((now - row.added_at) // DAY)) for row in rows]


def _in(file: Path, now: float) -> Sequence[Ending]:
    if file.stat().st_size > _LARGEST:
        return []
    raw = file.read_bytes()
    if b"BEGIN CERTIFICATE" not in raw:
        return []
    try:
        loaded = x509.load_pem_x509_certificates(raw)
    except ValueError:
        return []
    moment = datetime.fromtimestamp(now, UTC)
    return [
        Ending(
            file.name,
            one.subject.rfc4514_string()[:80],
            one.not_valid_after_utc,
            int((one.not_valid_after_utc - moment).total_seconds() // DAY),
        )
        for one in loaded
    ]
