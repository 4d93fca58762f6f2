"""What connectors remember (connectors/memory.py), kept in the database: units of work without entries.

Texts are sealed with AES-256-GCM under a key derived from the broker's wrapping key and bound to their name: whoever
holds the database alone learns no gateway's secret, and cannot put one route's secret in another's place.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection, Row, insert, select, update

from audit.batch import Transaction
from audit.errors import AuditError
from broker.batch_numbers import next_number
from broker.on_conflict import DoNothing
from broker.storage import Storage
from broker.tables import connector_memory as memory
from broker.tables import connector_quota as quota_table
from connectors.memory import Held, Quota, window_start
from connectors.trouble import DepartmentError
from policies.vocabulary import Outcome

T = TypeVar("T")

_NONCE_SIZE: Final = 12


class StoredMemory:
    """The Memory of every process over one database."""

    def __init__(self, storage: Storage, wrapping: bytes, clock: Callable[[], int]) -> None:
        self._storage = storage
        self._cipher = AESGCM(HKDF(SHA256(), 32, salt=None, info=b"connector memory").derive(wrapping))
        self._clock = clock

    async def read(self, name: str) -> Held:
        def query(connection: Connection) -> Row[Any] | None:
            return connection.execute(select(memory).where(memory.c.name == name)).one_or_none()

        return self._held(name, await self._storage.read(query), self._clock())

    async def claim(self, name: str, holder: str, seconds: float) -> str | None:
        def work(transaction: Transaction) -> str | None:
            transaction.connection.execute(
                insert(memory).values(name=name, sealed=b"", holder="", held_until=0).ext(DoNothing())
            )
            row = transaction.connection.execute(select(memory).where(memory.c.name == name)).one()
            if row.holder not in {"", holder} and row.held_until > transaction.time:
                return None
            until = transaction.time + int(seconds * 1_000_000)
            transaction.connection.execute(
                update(memory).where(memory.c.name == name).values(holder=holder, held_until=until)
            )
            return self._opened(name, row.sealed)

        return await self._record(work)

    async def keep(self, name: str, holder: str, text: str) -> bool:
        nonce = secrets.token_bytes(_NONCE_SIZE)
        sealed = nonce + self._cipher.encrypt(nonce, text.encode(), name.encode())
        return await self._record(lambda transaction: _let_go(transaction, name, holder, {"sealed": sealed}))

    async def give_up(self, name: str, holder: str) -> None:
        await self._record(lambda transaction: _let_go(transaction, name, holder, {}))

    async def take(self, name: str, quotas: Sequence[Quota]) -> float:
        return await self._record(lambda transaction: _take(transaction, name, quotas))

    async def number(self, route: str, day: str) -> int:
        return await self._record(lambda transaction: next_number(transaction, route, day))

    async def _record(self, work: Callable[[Transaction], T]) -> T:
        try:
            return (await self._storage.record(work)).value
        except AuditError:
            raise DepartmentError(Outcome.DEPARTMENT_DOWN, "memory") from None

    def _held(self, name: str, row: Row[Any] | None, now: int) -> Held:
        if row is None:
            return Held("", claimed=False)
        return Held(self._opened(name, row.sealed), claimed=row.holder != "" and row.held_until > now)

    def _opened(self, name: str, sealed: bytes) -> str:
        """A text sealed under another key is worth nothing, so the gateway is asked anew."""
        if not sealed:
            return ""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:], name.encode()).decode()
        except InvalidTag:
            return ""


def used_now(connection: Connection, now: float) -> Mapping[tuple[str, int], int]:
    """By name and length, how many calls all processes counted in the window that holds this moment; unless none."""
    rows = connection.execute(select(quota_table)).all()
    return {
        (row.name, row.seconds): row.used
        for row in rows
        if row.began == window_start(now, Quota(row.seconds, row.used))
    }


def _let_go(transaction: Transaction, name: str, holder: str, values: dict[str, bytes]) -> bool:
    """Only who still holds the claim may; one whose time has passed may have been taken over."""
    mine = (memory.c.name == name, memory.c.holder == holder, memory.c.held_until > transaction.time)
    changed = transaction.connection.execute(update(memory).where(*mine).values(**values, holder="", held_until=0))
    return changed.rowcount == 1


def _take(transaction: Transaction, name: str, quotas: Sequence[Quota]) -> float:
    now = transaction.time / 1_000_000
    held = {
        row.seconds: row
        for row in transaction.connection.execute(select(quota_table).where(quota_table.c.name == name))
    }
    used: dict[int, int] = {}
    for quota in quotas:
        start = window_start(now, quota)
        row = held.get(quota.seconds)
        used[quota.seconds] = row.used if row is not None and row.began == start else 0
        if used[quota.seconds] >= quota.most:
            return max(1.0, start + quota.seconds - now)
    for quota in quotas:
        values = {"began": window_start(now, quota), "used": used[quota.seconds] + 1}
        statement: Any = insert(quota_table).values(name=name, seconds=quota.seconds, **values)
        if quota.seconds in held:
            mine = (quota_table.c.name == name, quota_table.c.seconds == quota.seconds)
            statement = update(quota_table).where(*mine).values(**values)
        transaction.connection.execute(statement)
    return 0.0
