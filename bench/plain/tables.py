"""The plain program's tables, and the store they are made in."""

from asyncio import Lock
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any, Final

from sqlalchemy import JSON, Engine, String, create_engine, event
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

POOL: Final = 10


class Table(DeclarativeBase):
    pass


class Key(Table):
    """A requester's or a device's."""

    __tablename__ = "key"
    kid: Mapped[str] = mapped_column(String(43), primary_key=True)
    owner: Mapped[str] = mapped_column(String(64))
    jwk: Mapped[dict[str, str]] = mapped_column(JSON)


class Consent(Table):
    __tablename__ = "consent"
    jti: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    id_number: Mapped[str] = mapped_column(String(18))
    uses: Mapped[int]
    used: Mapped[int] = mapped_column(default=0)
    withdrawn: Mapped[bool] = mapped_column(default=False)


class SpentToken(Table):
    """A request that was accepted once and never will be again."""

    __tablename__ = "spent_token"
    jti: Mapped[str] = mapped_column(String(64), primary_key=True)


class Exchange(Table):
    __tablename__ = "exchange"
    requester: Mapped[str] = mapped_column(String(64), primary_key=True)
    exchange: Mapped[str] = mapped_column(String(64), primary_key=True)
    admitted: Mapped[int]


class Head(Table):
    """One row: how many entries the chain has, and the hash of the last."""

    __tablename__ = "head"
    id: Mapped[int] = mapped_column(primary_key=True)
    size: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))


class Entry(Table):
    __tablename__ = "entry"
    index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[str]
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class Store:
    """The sessions of one process."""

    def __init__(self, url: str) -> None:
        on_sqlite = url.startswith("sqlite")
        self._engine = create_async_engine(url, pool_size=POOL, max_overflow=0)
        if on_sqlite:
            event.listen(self._engine.sync_engine, "connect", _make_durable)
        self.sessions = async_sessionmaker(self._engine, expire_on_commit=False)
        self._order: AbstractAsyncContextManager[object] = Lock() if on_sqlite else nullcontext()

    @asynccontextmanager
    async def turn(self, session: AsyncSession) -> AsyncIterator[None]:
        """A transaction that writes. On PostgreSQL the head's row queues them; on SQLite to wait is to poll."""
        async with self._order, session.begin():
            yield

    async def close(self) -> None:
        await self._engine.dispose()


def found(url: str) -> None:
    """Make the tables and an empty chain."""
    engine = open_engine(url)
    Table.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        session.add(Head(id=1, size=0, hash=""))
    engine.dispose()


def open_engine(url: str) -> Engine:
    """For whoever looks at the store from outside."""
    return create_engine(url.replace("+aiosqlite", ""))


def _make_durable(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
