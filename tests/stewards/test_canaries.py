"""Every page of a steward in all its forms, looked through for a personal value: there is none but in her own words."""

import re
from html import unescape

import pytest

from connectors.departments.people import XU
from tests.faults.test_canaries import VALUES, found_in
from tests.stewards.conftest import ITEM, Town
from tests.stewards.test_applications import filed
from tests.stewards.test_corrections import corrected

pytestmark = pytest.mark.asyncio(loop_scope="package")

LINK = re.compile(r'(?:href|action)="(/steward[^"]*)"')
OWN_WORDS = f"我是{XU.name}，{XU.id_number}，税不是这么多"


def forbidden(town: Town) -> set[str]:
    """Names, numbers and values; the log's own references of people and devices; what an operator is called."""
    number = XU.id_number
    refs = {consent["subject_ref"] for body in town.logged("exchange.admitted") for consent in body["consents"]}
    kids = {consent["iss"] for body in town.logged("exchange.admitted") for consent in body["consents"]}
    planted = {XU.name, number, number[:6] + number[8:17], number[6:14] + number[14:], "陈科员"}
    return planted | set(VALUES) | refs | kids


async def crawled(town: Town) -> dict[str, str]:
    """By address, every page that a link leads to from the beginning, in each of its forms."""
    seen: dict[str, str] = {}
    waiting = ["/steward/items", "/steward/uses", "/steward/uses/day", "/steward/corrections"]
    waiting += ["/steward/applications", "/steward/agreements"]
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        reply = await town.tax.get(address, Accept="text/html")
        seen[address] = reply.text
        if reply.status == 200 and "form=" not in address:
            links = [unescape(link) for link in LINK.findall(reply.text)]
            waiting += [link for link in links if "day=2" not in link or "calls" in link]
    return seen


async def test_no_personal_value_but_what_a_person_wrote(town: Town) -> None:
    number = await corrected(town, OWN_WORDS)
    application = filed(town)
    assert await town.stop(requester="bj-hpf") == 303
    try:
        pages = await crawled(town)
    finally:
        assert await town.start(requester="bj-hpf") == 303
    assert {f"/steward/items/{ITEM}", f"/steward/corrections/{number}"} <= pages.keys()
    assert f"/steward/applications/{application}" in pages
    assert any(address.startswith("/steward/uses/calls") for address in pages)
    for address, text in pages.items():
        words = unescape(text).replace(OWN_WORDS, "")
        assert not found_in(words, forbidden(town)), address
    assert OWN_WORDS in unescape(pages[f"/steward/corrections/{number}"]), "the search itself must be able to find"
    told = str(await town.tax.json(f"/steward/corrections/{number}"))
    assert not found_in(told.replace(OWN_WORDS, ""), forbidden(town))
    assert OWN_WORDS in told
    assert OWN_WORDS not in str(town.world.entries())
