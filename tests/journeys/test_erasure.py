"""A person is forgotten: nothing can be done in her name, nothing leads to her, and every proof still holds."""

import asyncio
import json
import subprocess
import sys

from sqlalchemy import select

from audit.batch import Transaction
from broker.login import end_sessions
from broker.sqlite import SqliteDatabase
from connectors.departments.people import XU
from consent import tables
from consent.erasure import erase, find_subject
from tests.world import World


async def forget(world: World) -> str:
    keys = world.broker.keys.subjects

    def work(transaction: Transaction) -> str:
        subject_ref = find_subject(transaction.connection, keys, XU.id_number)
        erase(transaction, subject_ref)
        end_sessions(transaction, subject_ref)
        return subject_ref

    return (await world.broker.storage.record(work)).value


def stored_secrets(world: World) -> list[bytes]:
    """What could still open her details: wrapped keys, lookups and sealed details."""
    columns = (tables.subject.c.wrapped_key, tables.subject.c.lookup, tables.subject.c.details)
    with world.broker.database.reader.begin() as connection:
        return [value for row in connection.execute(select(*columns)) for value in row if value is not None]


async def test_her_authorizations_end_and_the_proofs_hold(world: World) -> None:
    centre, phone = await world.centre(), await world.phone()
    consent = await world.grant(centre, phone)
    assert (await world.pull(centre, consent)).status == 200
    before = world.entries()
    await forget(world)
    assert (await world.pull(centre, consent)).code == "consent_withdrawn"
    assert (await phone.get("/v1/me/consents")).code == "not_signed_in"
    assert world.entries()[: len(before)] == before
    assert world.events().count("subject.erased") == 1
    world.check_log()


async def test_nothing_leads_to_her_any_more(world: World) -> None:
    centre, phone = await world.centre(), await world.phone()
    await world.grant(centre, phone)
    await world.ask(centre)
    secrets = stored_secrets(world)
    assert len(secrets) == 3
    await forget(world)
    assert stored_secrets(world) == []
    assert isinstance(world.broker.database, SqliteDatabase)
    world.broker.database.fold()
    files = [file for file in (world.folder / "broker").glob("broker.db*") if file.is_file()]
    held = b"".join(file.read_bytes() for file in files)
    assert not [secret for secret in secrets if secret in held]
    world.check_log()


async def test_the_command_leaves_nothing_in_the_files(world: World) -> None:
    """Beside a running broker; the id number comes by standard input."""
    centre, phone = await world.centre(), await world.phone()
    await world.grant(centre, phone)
    secrets = stored_secrets(world)
    command = [sys.executable, "-m", "broker", "subjects", "erase", "--json"]
    command += ["--config", str(world.folder / "broker" / "broker.yaml")]
    asked = json.dumps({"id_number": XU.id_number}).encode()
    ran = await asyncio.to_thread(subprocess.run, command, input=asked, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert XU.id_number.encode() not in ran.stdout + ran.stderr
    files = [file for file in (world.folder / "broker").glob("broker.db*") if file.is_file()]
    held = b"".join(file.read_bytes() for file in files)
    assert not [secret for secret in secrets if secret in held]
    world.check_log()


async def test_who_comes_back_is_somebody_new(world: World) -> None:
    centre, phone = await world.centre(), await world.phone()
    await world.grant(centre, phone)
    first = await forget(world)
    again = await world.phone()
    assert (await again.get("/v1/me/consents")).members == {"consents": []}
    assert (await again.get("/v1/me/accesses")).members == {"accesses": []}
    consent = await world.grant(centre, again)
    assert (await world.pull(centre, consent)).status == 200
    assert first not in {entry["body"].get("subject_ref") for entry in world.entries()[-3:]}
    world.check_log()


async def test_an_unanswered_request_is_cancelled(world: World) -> None:
    centre, phone = await world.centre(), await world.phone()
    request, ticket = await world.ask(centre)
    await forget(world)
    assert (await centre.read(request)).members["status"] == "cancelled"
    assert (await phone.open(ticket)).code == "not_signed_in"
    world.check_log()
