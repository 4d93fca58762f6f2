"""Named clerks: a staff number and a PIN each, wrong tries counted, nobody's account shared."""

import asyncio
import base64
import hmac
import secrets
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from sqlalchemy import Connection, insert, select, update

from broker.desk import tables
from broker.desk.refusals import Refused, Why
from broker.desk.store import Store
from policies.identifiers import read_identifier, read_label

SHORTEST_PIN: Final = 6
LONGEST_PIN: Final = 64
TRIES: Final = 5
BLOCKED_FOR: Final = 5 * 60
_COST: Final = {"length": 32, "n": 2**14, "r": 8, "p": 5}
"""What OWASP asks of scrypt, with 16 MiB."""
_FEWEST_SIGNS: Final = 3


@dataclass(frozen=True, slots=True)
class Clerk:
    number: str
    name: str


def add(connection: Connection, number: str, name: str, pin: str) -> Clerk:
    """Raises ValueError (what is wrong, without the PIN) or FileExistsError."""
    read_identifier(number, range(1, 33))
    if not read_label(name.strip(), 60):
        raise ValueError("a clerk has a name")
    check_pin(pin)
    if find(connection, number) is not None:
        raise FileExistsError(f"clerk {number}")
    connection.execute(insert(tables.clerk).values(number=number, name=name.strip(), pin=hashed(pin)))
    return Clerk(number, name.strip())


def check_pin(pin: str) -> None:
    """Raises ValueError."""
    if not SHORTEST_PIN <= len(pin) <= LONGEST_PIN:
        raise ValueError(f"a PIN has {SHORTEST_PIN} to {LONGEST_PIN} characters")
    if len(set(pin)) < _FEWEST_SIGNS or pin in "0123456789876543210":
        raise ValueError("this PIN is too easy to guess")


def find(connection: Connection, number: str) -> Clerk | None:
    row = connection.execute(select(tables.clerk).where(tables.clerk.c.number == number)).one_or_none()
    return Clerk(row.number, row.name) if row is not None and row.active else None


def read_all(connection: Connection) -> list[tuple[Clerk, bool]]:
    """Everybody, and whether she may still sign in."""
    rows = connection.execute(select(tables.clerk).order_by(tables.clerk.c.number))
    return [(Clerk(row.number, row.name), bool(row.active)) for row in rows]


def end(connection: Connection, number: str) -> None:
    """She signs in no more, and what is open of hers is closed. Raises Refused(not_found)."""
    changed = connection.execute(update(tables.clerk).where(tables.clerk.c.number == number).values(active=0))
    if not changed.rowcount:
        raise Refused(Why.NOT_FOUND)
    connection.execute(tables.session.delete().where(tables.session.c.clerk == number))


async def identify(store: Store, number: str, pin: str, now: int) -> Clerk:
    """Who this is. Raises Refused(wrong_pin | blocked).

    A try counts as wrong until it has been found right, so tries at the same time are counted one by one; and nobody
    else waits for the store while a PIN is hashed.
    """
    kept = await store.run(lambda connection: _begin_try(connection, number, now))
    if isinstance(kept, Refused):
        raise kept
    # A number that nobody has costs the same time as a wrong PIN
    right = await asyncio.to_thread(matches, pin, kept or _NOBODYS)
    clerk = await store.run(lambda connection: _end_try(connection, number)) if right and kept else None
    if clerk is None:
        raise Refused(Why.WRONG_PIN)
    return clerk


def _begin_try(connection: Connection, number: str, now: int) -> str | Refused:
    """The kept hash, empty where there is no such clerk. A refusal is returned: raised, it would undo the count."""
    table = tables.clerk
    row = connection.execute(select(table).where(table.c.number == number)).one_or_none()
    if row is None:
        return ""
    if row.blocked_until > now:
        return Refused(Why.BLOCKED)
    blocked = row.tries + 1 >= TRIES
    values = {"tries": 0, "blocked_until": now + BLOCKED_FOR} if blocked else {"tries": row.tries + 1}
    connection.execute(update(table).where(table.c.number == number).values(**values))
    return str(row.pin)


def _end_try(connection: Connection, number: str) -> Clerk | None:
    values = {"tries": 0, "blocked_until": 0}
    connection.execute(update(tables.clerk).where(tables.clerk.c.number == number).values(**values))
    return find(connection, number)


def hashed(pin: str) -> str:
    salt = secrets.token_bytes(16)
    derived = Scrypt(salt=salt, **_COST).derive(pin.encode())
    return "$".join(("scrypt", *(base64.b64encode(part).decode() for part in (salt, derived))))


def matches(pin: str, kept: str) -> bool:
    _, salt, derived = kept.split("$")
    found = Scrypt(salt=base64.b64decode(salt), **_COST).derive(pin.encode()[: LONGEST_PIN * 4])
    return hmac.compare_digest(found, base64.b64decode(derived))


_NOBODYS: Final = f"scrypt${'A' * 22}==${'A' * 43}="
