"""A running broker and its witnesses: cosigned checkpoints, fail-open with alarms, and histories that part."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from audit import tables, tiles
from audit.batch import Transaction
from audit.cosignature import Cosigner, cosignatures
from audit.events import LogExported
from audit.note import WITNESS_KEY, read_note, read_tree, read_vkey
from audit.quorum import read_policy, satisfied
from audit.seals import Seal, cosigned, keep
from audit.verify import VerificationError, main, verify_export
from broker import witnessing
from broker.sealing import WitnessSettings
from connectors.departments.fleet import Fleet
from tests.ports import free_port
from tests.witness.witness_process import ToldLog, answering, command, in_process, in_thread, new_witness, serving
from tests.world import World, open_world

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witnessing, "LOOK_EVERY", 0.1)


STRANGER = Cosigner("witness.example/stranger", Ed25519PrivateKey.generate())
NOBODY = Cosigner("witness.example/nobody", Ed25519PrivateKey.generate())


def note_text(body: bytes) -> str:
    return read_note(body.partition(b"\n\n")[2]).text


@asynccontextmanager
async def watched_world(folder: Path, fleet: Fleet, policy: str) -> AsyncIterator[World]:
    settings = WitnessSettings(read_policy(policy.encode()), every=1)
    async with open_world(folder, fleet, change=lambda given: replace(given, witnesses=settings)) as world:
        yield world


async def until(true: Callable[[], Any], *, within: float = 12) -> Any:
    """Poll; what it gave once it was true."""
    async with asyncio.timeout(within):
        while not (found := await true()):  # noqa: ASYNC110 - what is waited for happens in other threads and programs
            await asyncio.sleep(0.1)
    return found


async def text(world: World, path: str) -> str:
    async with world.http.get(f"{world.issuer}{path}") as reply:
        return await reply.text()


async def ready(world: World) -> tuple[int, dict[str, str]]:
    async with world.http.get(f"{world.issuer}/readyz") as reply:
        return reply.status, (await reply.json())["alarms"]


async def metric(world: World, name: str) -> float:
    lines = (await text(world, "/metrics")).splitlines()
    return next(float(line.split(" ")[1]) for line in lines if line.startswith(f"{name} "))


async def grow(world: World) -> None:
    await world.broker.storage.record(append)


def append(transaction: Transaction) -> None:
    transaction.append(LogExported(size=transaction.next_index))


def alarms_logged(world: World, subject: str) -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in world.log.getvalue().splitlines()]
    return [(line["level"], line["state"]) for line in lines if line.get("subject") == subject]


def seal_sizes(world: World) -> list[int]:
    with world.broker.database.reader.begin() as connection:
        return list(connection.execute(select(tables.seal.c.size).order_by(tables.seal.c.size)).scalars())


async def test_a_witness_away_stops_nothing_and_catches_up(tmp_path: Path, fleet: Fleet) -> None:
    port = free_port()
    vkey = new_witness(tmp_path / "w")
    policy = f"witness w1 {vkey} http://127.0.0.1:{port}\nquorum w1\n"
    async with watched_world(tmp_path, fleet, policy) as world:

        async def late() -> bool:
            return (await ready(world))[1]["witnesses"].startswith("missing")

        async def covered() -> bool:
            note = await text(world, "/log/checkpoint")
            return len(read_note(note.encode()).signatures) == 2 and (await ready(world))[1] == {"witnesses": "ok"}

        centre, phone = await world.centre(), await world.phone()
        consent = await world.grant(centre, phone)
        await until(late)
        assert (await world.pull(centre, consent)).status == 200  # releases go on
        status, alarms = await ready(world)
        assert (status, alarms["witness w1"].startswith("not reached")) == (200, True)
        assert await metric(world, "broker_quorum_age_seconds") > 2
        assert len(read_note((await text(world, "/log/checkpoint")).encode()).signatures) == 1
        new_log = ["add-log", str(tmp_path / "w"), "--vkey", world.vkey]
        with serving(tmp_path / "w", port=port) as witness:
            assert await until(refused_by(world, "w1"))  # it does not know this log yet
            from_command(*new_log)
            await until(covered)
            note = (await text(world, "/log/checkpoint")).encode()
            size = read_tree(read_note(note).text).size
            assert size == len(world.entries())  # sealing added none
            assert [one.name for one in satisfied(read_policy(policy.encode()), note)] == ["witness.example/w1"]
            assert await metric(world, "broker_quorum_age_seconds") == 0
            assert (await world.pull(centre, consent)).status == 200
            await until(lambda: grown_to(world, len(world.entries())))
            sealed = seal_sizes(world)
            await asyncio.sleep(1.5)
            assert seal_sizes(world) == sealed  # nothing to say, nothing said
            check_export(world, tmp_path / "export", witness.vkey)
        assert [state for _, state in alarms_logged(world, "quorum of witnesses")][-1] == "ok"
        assert len(alarms_logged(world, "witness w1")) <= 3  # away, unknown log, fine: one line for each change
        world.check_log()


def refused_by(world: World, name: str) -> Callable[[], Any]:
    async def refused() -> bool:
        return (await ready(world))[1].get(f"witness {name}", "").startswith("answered")

    return refused


def from_command(*arguments: str) -> None:
    assert command(*arguments)[0] == 0


async def grown_to(world: World, size: int) -> bool:
    note = (await text(world, "/log/checkpoint")).encode()
    return read_tree(read_note(note).text).size == size and len(read_note(note).signatures) == 2


def check_export(world: World, folder: Path, witness: str) -> None:
    with world.broker.database.reader.begin() as connection:
        size = tiles.export(connection, folder, world.vkey).size
    report = verify_export(folder, world.vkey, witnesses=[witness])
    assert report.witnessed == {"witness.example/w1": size}
    assert main([str(folder), "--key", world.vkey, "--witness", witness]) == 0
    with pytest.raises(VerificationError, match="cosigned none"):
        verify_export(folder, world.vkey, witnesses=[STRANGER.vkey])
    assert main([str(folder), "--key", world.vkey, "--witness", STRANGER.vkey]) == 5
    sealed = folder / "witnessed" / str(size)
    later = sealed.rename(sealed.with_name(str(size + 1)))
    with pytest.raises(VerificationError, match="seals"):
        verify_export(folder, world.vkey)
    later.write_bytes(world.broker.keys.log.sign(size + 1, bytes(32)))  # of a log that went on, and was cut
    with pytest.raises(VerificationError, match="seals"):
        verify_export(folder, world.vkey)
    later.rename(sealed.with_name("notes"))
    with pytest.raises(VerificationError):
        verify_export(folder, world.vkey)


async def test_two_of_three(tmp_path: Path, fleet: Fleet) -> None:
    folders = [tmp_path / name for name in ("w1", "w2", "w3")]
    vkeys = [new_witness(folder, name=f"witness.example/{folder.name}") for folder in folders]
    with in_thread(folders[0]) as first, in_thread(folders[1]) as second:
        addresses = [first.address, second.address, f"http://127.0.0.1:{free_port()}"]
        lines = [f"witness w{n} {vkey} {url}\n" for n, (vkey, url) in enumerate(zip(vkeys, addresses, strict=True), 1)]
        policy = "".join(lines) + "group g 2 w1 w2 w3\nquorum g\n"
        async with watched_world(tmp_path, fleet, policy) as world:
            for folder in folders[:2]:
                from_command("add-log", str(folder), "--vkey", world.vkey)
            await grow(world)

            async def met() -> bool:
                note = (await text(world, "/log/checkpoint")).encode()
                return len(read_note(note).signatures) == 3

            await until(met)
            note = read_note((await text(world, "/log/checkpoint")).encode())
            for vkey in vkeys[:2]:
                assert cosignatures(note, read_vkey(vkey, WITNESS_KEY))
            status, alarms = await ready(world)
            assert status == 200
            assert alarms == {"witnesses": "ok", "witness w3": alarms["witness w3"]}


@pytest.mark.parametrize("other_size", [1, 40], ids=["another root", "more than this log ever had"])
async def test_a_history_that_parts_is_told_as_a_possible_fork(tmp_path: Path, fleet: Fleet, other_size: int) -> None:
    """The row of the attack table: with the log's own key another history was shown to a witness."""
    vkey = new_witness(tmp_path / "w")
    port = free_port()
    async with watched_world(tmp_path, fleet, f"witness w1 {vkey} http://127.0.0.1:{port}\nquorum w1\n") as world:
        other = ToldLog([f"what others were shown {n}" for n in range(40)], world.broker.keys.log)
        from_command("add-log", str(tmp_path / "w"), "--vkey", world.vkey)
        witness = in_process(tmp_path / "w")
        assert witness.add_checkpoint(other.request(0, other_size).encode()).status == 200
        await grow(world)

        async def forked() -> bool:
            return (await ready(world))[1]["witnesses"].startswith("POSSIBLE FORK")

        with in_thread(tmp_path / "w", port):
            await until(forked)
            status, alarms = await ready(world)
            assert status == 200  # said loudly, but a witness alone cannot stop a broker
            assert alarms["witness w1"].startswith("POSSIBLE FORK: it ")
            assert await metric(world, "broker_possible_fork") == 1
            assert alarms_logged(world, "witness w1")[-1][0] == "critical"
            assert len(read_note((await text(world, "/log/checkpoint")).encode()).signatures) == 1
            assert seal_sizes(world) == []


ANSWERS: dict[str, tuple[Callable[[bytes], tuple[int, bytes]], str]] = {
    "of another tree": (lambda _: (200, STRANGER.cosign("another\n1\nAAAA\n", 5).encode()), "does not verify"),
    "of nobody": (lambda body: (200, NOBODY.cosign(note_text(body), 5).encode()), "no cosignature of its key"),
    "nothing": (lambda _: (200, b""), "no cosignature of its key"),
    "not a note": (lambda _: (200, b"\xff" * 100), "does not verify"),
    "without end": (lambda _: (200, b"x" * 3_000_000), "does not verify"),
    "no size": (lambda _: (409, b"many\n"), "told no size"),
    "any size": (lambda _: (409, b"0\n"), "another size each time"),
    "elsewhere": (lambda _: (307, b""), "answered 307"),
    "broken": (lambda _: (500, b"oh"), "answered 500"),
}


async def test_witnesses_that_answer_nonsense(tmp_path: Path, fleet: Fleet) -> None:
    with ExitStack() as stack:
        lines = []
        for number, (name, (answer, _)) in enumerate(ANSWERS.items()):
            cosigner = STRANGER if name == "of another tree" else Cosigner("w", Ed25519PrivateKey.generate())
            lines.append(f"witness w{number} {cosigner.vkey} {stack.enter_context(answering(answer))}")
        members = " ".join(f"w{number}" for number in range(len(lines)))
        policy = "\n".join([*lines, f"group g any {members}", "quorum g", ""])
        async with watched_world(tmp_path, fleet, policy) as world:

            async def all_told() -> bool:
                return len((await ready(world))[1]) == 1 + len(ANSWERS)

            await until(all_told)
            status, alarms = await ready(world)
            assert status == 200
            for number, (name, (_, said)) in enumerate(ANSWERS.items()):
                assert said in alarms[f"witness w{number}"], name
            assert seal_sizes(world) == []


def keep_seal(transaction: Transaction, seal: Seal) -> None:
    keep(transaction.connection, seal)


async def test_a_seal_is_kept_once_and_never_changed(tmp_path: Path, fleet: Fleet) -> None:
    async with open_world(tmp_path, fleet) as world:
        note = world.broker.keys.log.sign(1, bytes(32))
        for octets in (note, b"another"):
            await world.broker.storage.record(partial(keep_seal, seal=Seal(1, "witness", "w", octets, 5)))
        with world.broker.database.reader.begin() as connection:
            assert connection.execute(select(tables.seal.c.bytes)).scalars().all() == [note]
            assert cosigned(connection, world.broker.settings.log_origin, 1) == note
            assert cosigned(connection, "another.example/log", 1) == b""
        with pytest.raises(DBAPIError, match="never changed"):
            await world.broker.storage.record(
                lambda transaction: transaction.connection.execute(tables.seal.update().values(time=6))
            )
