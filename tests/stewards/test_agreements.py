"""Where an agreement is required, an item leaves only under one that is in force; the default asks for none."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest_asyncio

from broker.founding import CONFIGURATION, found_broker
from broker.settings import read_settings
from broker.stewards import agreements
from broker.stewards.agreements import NewAgreement
from broker.stops import Side
from connectors.departments.fleet import Fleet
from connectors.departments.people import XU
from tests.stewards.conftest import ITEM
from tests.world import ITEMS, World, open_world

SIDE = Side("taxation", "d-001")


@pytest_asyncio.fixture
async def strict(tmp_path: Path, fleet: Fleet) -> AsyncIterator[World]:
    async with open_world(
        tmp_path, fleet, change=lambda settings: replace(settings, agreements_required=True)
    ) as opened:
        yield opened


async def agree(world: World, items: tuple[str, ...], begins: str = "2026-01-01", ends: str = "2099-12-31") -> str:
    new = NewAgreement("yz-hpf", items, begins, ends, "3")
    return str((await world.broker.storage.record(lambda t: agreements.make(t, new, SIDE))).value)


async def test_it_leaves_under_an_agreement_in_force_and_no_longer(strict: World) -> None:
    centre, phone = await strict.centre(), await strict.phone(XU)
    asked: dict[str, Any] = {"matter": "purchase_withdrawal", "case": "YZ-1"}
    refused = await centre.file(**asked)
    assert (refused.status, refused.code) == (403, "policy_refused"), "nobody is asked for what would not leave"
    assert f"{ITEM}:agreement_ended" in refused.members["reasons"]
    await agree(strict, tuple(item for item in strict.broker.catalogue.items if item != ITEM))
    last = await agree(strict, (ITEM,))
    consent = await strict.grant(centre, phone, items=ITEMS)
    assert (await strict.pull(centre, consent)).status == 200
    await strict.broker.storage.record(lambda t: agreements.end(t, last, SIDE))
    refused = await strict.pull(centre, consent)
    assert (refused.status, refused.members["reasons"]) == (403, [f"{ITEM}:agreement_ended"])
    rest = [{"party": "applicant", "item": "marriage_check_single"}]
    assert (await strict.pull(centre, consent, items=rest)).status == 200
    await agree(strict, (ITEM,), begins="2099-01-01")
    assert (await strict.pull(centre, consent)).code == "policy_refused", "one that has not begun"
    strict.check_log()


def test_it_is_a_setting_that_asks_for_none_by_default(tmp_path: Path) -> None:
    found_broker(tmp_path, issuer="http://127.0.0.1:8400")
    file = tmp_path / CONFIGURATION
    assert not read_settings(file).agreements_required
    file.write_text(file.read_text(encoding="utf-8") + "\nagreements: {required: true}\n", encoding="utf-8")
    assert read_settings(file).agreements_required
