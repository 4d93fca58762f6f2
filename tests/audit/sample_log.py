"""A real log in a real SQLite file with a story worth auditing, and forged copies of it."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, create_engine, insert, update

from audit import tables, tiles
from audit.checkpoint import LogSigner
from audit.merkle import EMPTY_FRONTIER, Growth, hash_leaf

Body: TypeAlias = dict[str, Any]
Event: TypeAlias = tuple[str, Body]

SIGNER = LogSigner("log.example/test", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
STRANGER = LogSigner("log.example/test", Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
_START = datetime(2026, 11, 22, 8, tzinfo=UTC)


def consent(number: int) -> Body:
    return {"iss": "device", "jti": f"consent-{number}"}


def granted(number: int, uses: int = 2) -> Event:
    return "consent.granted", {"consent": consent(number), "uses": uses, "party": "applicant"}


def admitted(number: int, call: str = "", use: int = 1) -> Event:
    spent = {"party": "applicant", **consent(number), "use": use, "left": 1}
    items = [{"party": "applicant", "item": "deed_tax"}]
    return "exchange.admitted", {"call": call or f"call-{number}", "consents": [spent], "items": items}


def released(number: int, item: str = "deed_tax", outcome: str = "found", party: str = "applicant") -> Event:
    result = {"party": party, "item": item, "outcome": outcome, "digest": "00" * 32}
    return "exchange.released", {"call": f"call-{number}", "results": [result]}


def story() -> Iterator[Event]:
    """Go on and on: consents granted, used, paused, resumed and withdrawn, calls released, withheld, interrupted."""
    for number in range(10**9):
        yield granted(number)
        yield admitted(number)
        if number % 5 == 1:
            yield "consent.withdrawn", {"consent": consent(number)}
            yield (
                released(number, outcome="withheld")
                if number % 2
                else ("exchange.withheld", {"call": f"call-{number}"})
            )
        elif number % 5 == 2:
            yield "exchange.interrupted", {"call": f"call-{number}"}
            yield "subject.erased", {"subject_ref": f"{number:032x}"}
        else:
            yield "consent.paused", {"consent": consent(number)}
            yield "consent.resumed", {"consent": consent(number)}
            yield released(number)


def entry(index: int, event: str, body: Body, *, late: int = 0) -> bytes:
    """Write an entry as the ledger does; `late` moves its time by microseconds."""
    time = f"{_START + timedelta(microseconds=index + late):%Y-%m-%dT%H:%M:%S.%fZ}"
    members = {"v": 1, "index": index, "time": time, "event": event, "body": body}
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()


def entries(events: Iterable[Event]) -> list[bytes]:
    return [entry(index, event, body) for index, (event, body) in enumerate(events)]


def sample(size: int) -> list[bytes]:
    return entries(islice(story(), size))


@contextmanager
def opened_log(
    path: Path, bodies: Sequence[bytes], signer: LogSigner = SIGNER, batch: int = 200
) -> Iterator[Connection]:
    """Write a log into a new SQLite file, batch by batch as the ledger does, and read it on one connection."""
    engine = create_engine(f"sqlite:///{path}")
    try:
        with engine.connect() as connection:
            tables.metadata.create_all(connection)
            found(connection, signer)
            growth = Growth(EMPTY_FRONTIER)
            for at in range(0, len(bodies), batch):
                growth = Growth(growth.frontier())
                append(connection, growth, bodies[at : at + batch], signer)
            yield connection
    finally:
        engine.dispose()


def found(connection: Connection, signer: LogSigner) -> None:
    root = EMPTY_FRONTIER.root()
    row = {"id": 1, "origin": signer.name, "size": 0, "frontier": b"", "root": root, "last_time": 0}
    connection.execute(insert(tables.head).values(**row, checkpoint=signer.sign(0, root)))


def append(connection: Connection, growth: Growth, bodies: Sequence[bytes], signer: LogSigner) -> None:
    rows = [{"idx": growth.append(hash_leaf(body)), "leaf_hash": hash_leaf(body), "body": body} for body in bodies]
    connection.execute(insert(tables.entry), rows)
    if full := tiles.completed(connection, growth):
        connection.execute(insert(tables.tile), full)
    frontier = growth.frontier()
    root, packed = frontier.root(), frontier.packed()
    checkpoint = signer.sign(frontier.size, root)
    connection.execute(
        update(tables.head).values(size=frontier.size, root=root, frontier=packed, checkpoint=checkpoint)
    )
    connection.commit()


def exported(folder: Path, bodies: Sequence[bytes], signer: LogSigner = SIGNER) -> Path:
    """Export a log of these entries into `folder`, by way of a database beside it."""
    with opened_log(folder.with_suffix(".db"), bodies, signer) as connection:
        tiles.export(connection, folder, signer.vkey)
    return folder


def rewrite(folder: Path, level: str, change: Callable[[list[bytes]], list[bytes]], original: Sequence[bytes]) -> None:
    """Forge a folder from changed entries: its `bundles` only, or its `tiles` too, or `all` signed again."""
    forged = exported(folder.with_name("forged"), change(list(original)))
    for path in sorted(forged.rglob("*")):
        name = path.relative_to(forged).as_posix()
        is_bundle = name.startswith("tile/entries/")
        if path.is_file() and (is_bundle or level == "all" or (level == "tiles" and name.startswith("tile/"))):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(path.read_bytes())
    if level == "all":
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not (forged / path.relative_to(folder)).exists():
                path.unlink()
