"""A person who was erased is in no backup made after; and what watches can see when that was."""

import asyncio
from pathlib import Path

import aiohttp
from sqlalchemy import select

from broker.backups import making
from broker.backups.making import Running
from connectors.departments.people import XU
from consent import tables
from tests.backup.house import quietly
from tests.backup.test_secrets import everything_in
from tests.journeys.test_erasure import forget, stored_secrets
from tests.world import World


async def backed_up(world: World, file: Path) -> bytes:
    broker = world.broker
    running = Running(
        world.folder / "broker/broker.yaml", broker.settings, broker.database, broker.storage, world.clock
    )
    await asyncio.to_thread(making.make, running, making.Wish(file, None, quietly))
    return everything_in(file)


async def test_the_erased_are_in_no_backup_made_after(each_world: World, tmp_path: Path) -> None:
    world = each_world
    centre, phone = await world.centre(), await world.phone()
    consent = await world.grant(centre, phone)
    await world.pull(centre, consent)
    await world.ask(centre)
    with world.broker.database.reader.begin() as connection:
        label = connection.execute(select(tables.device.c.label)).scalars().first()
    secrets = stored_secrets(world)
    assert len(secrets) == 3
    before = await backed_up(world, tmp_path / "before.tar")
    assert all(secret in before or secret.hex().encode() in before for secret in secrets)
    await forget(world)
    after = await backed_up(world, tmp_path / "after.tar")
    assert not [secret for secret in secrets if secret in after or secret.hex().encode() in after]
    for held in (before, after):
        assert XU.id_number.encode() not in held
        assert XU.name.encode() not in held
    assert not label or label.encode() not in after
    world.check_log()


async def test_whoever_watches_sees_when_the_last_one_was(world: World, tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as http:

        async def ready() -> tuple[object, dict[str, str]]:
            async with http.get(f"{world.issuer}/readyz") as reply:
                told = await reply.json()
                assert reply.status == 200, "a backup that is overdue stops nobody"
                return told["backup"]["hours_ago"], told["alarms"]

        await world.centre()
        assert await ready() == (None, {})
        world.clock.advance(27 * 3600)
        assert await ready() == (None, {"backup": "no backup was made yet"})
        await backed_up(world, tmp_path / "one.tar")
        assert await ready() == (0.0, {})
        world.clock.advance(30 * 3600)
        assert await ready() == (30.0, {"backup": "the last backup was made 30 hours ago"})
        async with http.get(f"{world.issuer}/metrics") as reply:
            metrics = dict(line.rsplit(" ", 1) for line in (await reply.text()).splitlines() if line[0] != "#")
        assert 30 * 3600 <= float(metrics["broker_backup_age_seconds"]) < 30 * 3600 + 600
        assert metrics["broker_backup_drill_age_seconds"] == "+Inf"
    assert '"subject": "backups"' in world.log.getvalue()
