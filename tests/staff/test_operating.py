"""The operator's desk: how it runs, what ends soon, the one switch, a configuration that two people must approve."""

import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import update

from broker import tables
from broker.configuring import Digests, check_approved
from broker.expiring import certificates
from broker.pages.operate_configuration import running_digests
from broker.staff.roles import Role
from connectors.departments.fleet import Fleet
from connectors.departments.people import XU, made_up
from policies.catalogue import SHIPPED_CATALOGUE
from policies.strict_yaml import ConfigurationError
from tests.staff.desk import SAM, Desk, found, hire, sit_down
from tests.world import World, open_world

OTHER = made_up("系统辛", "19770101", 208)


@pytest_asyncio.fixture
async def town(tmp_path: Path, fleet: Fleet) -> AsyncIterator[World]:
    """With a catalogue of its own, which can be changed while the broker runs."""
    catalogue = tmp_path / "catalogue"
    shutil.copytree(SHIPPED_CATALOGUE, catalogue)
    async with open_world(
        tmp_path, fleet, catalogue=catalogue, change=lambda settings: replace(settings, second_person=True)
    ) as world:
        await found(world)
        await hire(world, "o-001", SAM, Role.SYSTEM)
        await hire(world, "o-002", OTHER, Role.SYSTEM)
        yield world


def reword(world: World, before: str, after: str) -> None:
    file = world.broker.settings.catalogue / "items" / "deed_tax.yaml"
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), encoding="utf-8")


async def seen(desk: Desk) -> dict[str, Any]:
    return await desk.json("/operate/configuration")


def as_shown(told: dict[str, Any]) -> dict[str, str]:
    return dict(told["candidate"])


async def refuses(world: World, told: dict[str, Any]) -> bool:
    """Whether a broker would refuse to start with the files as they are."""
    running = running_digests(world.broker).text()
    with world.broker.database.reader.begin() as connection:
        try:
            check_approved(connection, Digests(**told["candidate"]), running)
        except ConfigurationError:
            return True
    return False


async def test_how_it_runs_at_a_glance(town: World) -> None:
    desk = await sit_down(town, "o-001")
    told = await desk.json("/operate")
    assert told["well"] is True
    assert set(told["checks"].values()) == {"ok"}
    assert told["log"]["size"] == len(town.entries()) - 1 or told["log"]["size"] <= len(town.entries())
    assert "check,database,ok" in (await desk.get("/operate?form=csv")).text
    assert "一切正常" in (await desk.get("/operate", Accept="text/html")).text
    assert (await desk.post("/operate/releases/stop", {"reason": ""})).status == 422
    assert (await desk.post("/operate/releases/stop", {"reason": "演练"})).status == 303
    centre, phone = await town.centre(), await town.phone()
    refused = await town.pull(centre, await town.grant(centre, phone))
    assert refused.members["code"] == "releases_stopped"
    assert (await desk.json("/operate"))["well"] is False
    assert (await desk.post("/operate/releases/start")).status == 303
    assert (await desk.json("/operate"))["well"] is True


async def test_a_change_needs_two_and_is_what_was_shown(town: World) -> None:
    first, second = await sit_down(town, "o-001"), await sit_down(town, "o-002")
    assert (await seen(first))["same"] is True
    reword(town, "zh: 契税完税信息", "zh: 契税完税记录")
    told = await seen(first)
    assert told["differences"] == [{"kind": "items", "id": "deed_tax", "change": "changed"}]
    assert told["failing"] == []
    assert await refuses(town, told)
    assert (await first.post("/operate/configuration/propose", as_shown(told))).status == 303
    assert (await first.post("/operate/configuration/approve", as_shown(told))).status == 403, "not by who proposed it"
    reword(town, "zh: 契税完税记录", "zh: 契税完税登记")
    assert (await second.post("/operate/configuration/approve", as_shown(told))).status == 409, "the files went on"
    reword(town, "zh: 契税完税登记", "zh: 契税完税记录")
    assert (await second.post("/operate/configuration/approve", as_shown(told))).status == 303
    assert not await refuses(town, told)
    assert town.events()[-3:] == ["configuration.proposed", "staff.refused", "configuration.approved"]
    town.check_log()


async def test_turned_down_it_stays_refused(town: World) -> None:
    first, second = await sit_down(town, "o-001"), await sit_down(town, "o-002")
    reword(town, "zh: 契税完税信息", "zh: 契税完税记录")
    told = await seen(first)
    await first.post("/operate/configuration/propose", as_shown(told))
    assert (await second.post("/operate/configuration/turn-down", as_shown(told))).status == 303
    assert await refuses(town, told)
    assert (await seen(first))["stage"] == ""


async def test_an_approval_written_past_the_log_is_none(town: World) -> None:
    first = await sit_down(town, "o-001")
    reword(town, "zh: 契税完税信息", "zh: 契税完税记录")
    told = await seen(first)
    await first.post("/operate/configuration/propose", as_shown(told))
    forged = update(tables.configuration_change).values(stage="approved", decided_by="o-002")
    await town.broker.storage.record(lambda transaction: transaction.connection.execute(forged))
    assert await refuses(town, told)


async def test_a_mistake_is_told_with_its_line_and_cannot_be_proposed(town: World) -> None:
    desk = await sit_down(town, "o-001")
    reword(town, "sensitive: ", "sensitiv: ")
    told = await seen(desk)
    assert "deed_tax.yaml:" in told["mistake"]
    assert told["candidate"] is None
    page = await desk.get("/operate/configuration", Accept="text/html")
    assert "deed_tax.yaml:" in page.text
    running = running_digests(town.broker)
    shown = {name: getattr(running, name) for name in ("catalogue", "rules", "routes", "workdays")}
    assert (await desk.post("/operate/configuration/propose", shown)).status == 409


async def test_a_sample_that_no_longer_comes_out_holds_a_change_up(town: World) -> None:
    desk = await sit_down(town, "o-001")
    samples = town.fleet.routes_file.parent / "samples"
    sample = samples / "tax-exchange-db.yaml"
    kept = sample.read_text(encoding="utf-8")
    reword(town, "zh: 契税完税信息", "zh: 契税完税记录")
    try:
        sample.write_text(kept.replace("outcome: found", "outcome: no_record"), encoding="utf-8")
        told = await seen(desk)
        assert [one["route"] for one in told["failing"]] == ["tax-exchange-db"]
        assert (await desk.post("/operate/configuration/propose", as_shown(told))).status == 409
    finally:
        sample.write_text(kept, encoding="utf-8")


def certificate(days: int) -> bytes:
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gateway.example")])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    valid = built.not_valid_before(now - timedelta(days=400)).not_valid_after(now + timedelta(days=days, hours=1))
    return valid.sign(key, SHA256()).public_bytes(Encoding.PEM)


async def test_certificates_by_their_end(town: World) -> None:
    folder = town.folder / "certificates"
    folder.mkdir()
    for name, days in (("later", 300), ("soon", 10), ("ended", -5)):
        (folder / f"{name}.pem").write_bytes(certificate(days))
    (folder / "broken.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    (folder / "key").write_bytes(b"not a certificate")
    told = certificates([folder, folder / "nowhere"], datetime.now(UTC).timestamp())
    assert [(one.file, one.state) for one in told] == [
        ("ended.pem", "ended"),
        ("soon.pem", "soon"),
        ("later.pem", "ok"),
    ]
    await town.centre()
    town.clock.advance(800 * 24 * 3600)
    desk = await sit_down(town, "o-001")
    assert [one["state"] for one in (await desk.json("/operate/keys"))["requester_keys"]] == ["old"]


async def test_no_page_of_an_operator_shows_a_personal_value(town: World) -> None:
    centre, phone = await town.centre(), await town.phone()
    assert (await town.pull(centre, await town.grant(centre, phone))).status == 200
    desk = await sit_down(town, "o-001")
    paths = ("/operate", "/operate/keys", "/operate/configuration", "/staff")
    addresses = [f"{path}{form}" for path in paths for form in ("", "?form=json", "?form=csv", "?lang=en")]
    told = [(await desk.get(address, Accept="text/html")).text for address in addresses]
    whole = json.dumps(told, ensure_ascii=False)
    for value in (XU.name, XU.id_number, "YZ-2026-000123", "文昌示例路", "12345.00"):
        assert value not in whole
