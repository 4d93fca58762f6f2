"""The sequential hash chain: every entry holds the hash of the one before it; walked again once the program ended."""

import hashlib
import json
from collections import Counter
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from bench.failure import RunFailed
from bench.plain.tables import Entry, Head, open_engine

ADMITTED: Final = "admitted"
RELEASED: Final = "released"


async def take_head(session: AsyncSession) -> tuple[int, str]:
    """The next entry's index and the hash before it. Nobody else appends until this transaction ends."""
    taken = update(Head).where(Head.id == 1).values(size=Head.size + 1).returning(Head.size, Head.hash)
    size, before = (await session.execute(taken)).one()
    return size - 1, before


async def append(session: AsyncSession, head: tuple[int, str], members: dict[str, Any]) -> Entry:
    """Add an entry behind a head that was taken in this transaction."""
    index, before = head
    body = json.dumps(members, ensure_ascii=False, sort_keys=True)
    entry = Entry(index=index, body=body, previous=before, hash=link(before, body))
    session.add(entry)
    await session.execute(update(Head).where(Head.id == 1).values(hash=entry.hash))
    return entry


def link(before: str, body: str) -> str:
    return hashlib.sha256(f"{before}\n{body}".encode()).hexdigest()


def verify_chain(url: str, answers: int) -> int:
    """Walk the ended program's chain; its length. Raises RunFailed, also where an answer has no release."""
    engine = open_engine(url)
    with Session(engine) as session:
        entries = session.scalars(select(Entry).order_by(Entry.index)).all()
        head = session.get_one(Head, 1)
    engine.dispose()
    before = ""
    for number, entry in enumerate(entries):
        if (entry.index, entry.previous, entry.hash) != (number, before, link(before, entry.body)):
            raise RunFailed(f"the plain program's chain breaks at entry {number}")
        before = entry.hash
    if (head.size, head.hash) != (len(entries), before):
        raise RunFailed("the plain program's chain does not end where its head says")
    events = Counter(json.loads(entry.body)["event"] for entry in entries)
    if events[RELEASED] != answers or events[ADMITTED] != answers:
        raise RunFailed(f"{answers} answers came, {events[RELEASED]} are in the plain program's chain")
    return len(entries)
