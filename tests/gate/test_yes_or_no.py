"""Of a check nothing leaves but match, mismatch or not decidable: each item of kind verify that a matter can ask."""

import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
import yaml

from broker.client import RequesterClient
from broker.demo.phone import Phone
from connectors.departments.fleet import Fleet
from connectors.departments.people import LIN, UNKNOWN, XU
from policies.catalogue import Catalogue
from policies.vocabulary import Field, FieldKind, Item, ItemKind, Person, Scalar
from tests.world import World, open_world

pytestmark = pytest.mark.asyncio(loop_scope="module")

CATALOGUE: Final = Catalogue.load()
CHECKS: Final = [item for item in CATALOGUE.items.values() if item.kind is ItemKind.VERIFY]
MATTERS: Final = {item.id: [one for one in CATALOGUE.matters.values() if item.id in one.needs] for item in CHECKS}
ASKABLE: Final = [item for item in CHECKS if MATTERS[item.id]]
SPELLINGS: Final[Mapping[FieldKind, dict[str, Any]]] = {
    FieldKind.CODE: {"as": "code"},
    FieldKind.TEXT: {"as": "strip"},
    FieldKind.INTEGER: {"as": "integer"},
    FieldKind.DATE: {"as": "date"},
    FieldKind.FLAG: {"as": "flag", "yes": ["true"], "no": ["false"]},
}
LOGGED: Final = ("call", "requester", "operator", "matter", "case", "consent")


def route(item: Item, database: Path) -> dict[str, Any]:
    """A department's read view of this item, in a real database."""
    url = f"sqlite:///{database}"
    fields = {name: {"from": name, **SPELLINGS[field.kind]} for name, field in item.fields.items()}
    return {
        "name": item.id.replace("_", "-"),
        "kind": "sql",
        "deadline_seconds": 5,
        "concurrency": 2,
        "url": url,
        "view": item.id,
        "asked_number": "person",
        "as_of": "changed",
        "conditions": [{"param": name, "column": f"p_{name}", "compare": "equal"} for name in item.parameters],
        "call_log": {"url": url, "table": "calls", **{name: f"c_{name}" for name in LOGGED}},
        "records": {"person": "person", "fields": fields},
    }


def fill(database: Path) -> None:
    """Each check holds its examples about two people, and nothing about anybody else."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(f"CREATE TABLE calls ({', '.join(f'c_{name} TEXT' for name in LOGGED)})")
        for item in CHECKS:
            columns = ["person", "changed", *item.fields]
            connection.execute(f"CREATE TABLE {item.id} ({', '.join(f'{name} TEXT' for name in columns)})")
            held = [field.example for field in item.fields.values()]
            for person in (XU, LIN):
                row = [person.id_number, "2026-11-22 08:00:00", *held]
                connection.execute(f"INSERT INTO {item.id} VALUES ({', '.join('?' * len(row))})", row)
        connection.commit()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("checks")
    fill(folder / "checks.sqlite")
    routes = {"items": [{"item": item.id, "routes": [route(item, folder / "checks.sqlite")]} for item in CHECKS]}
    file = folder / "departments.yaml"
    file.write_text(yaml.safe_dump(routes, allow_unicode=True), encoding="utf-8")
    async with open_world(folder, fleet, change=lambda settings: replace(settings, routes=file)) as world:
        yield world


def held(field: Field) -> Scalar:
    if field.kind is FieldKind.FLAG:
        return field.example == "true"
    return int(field.example) if field.kind is FieldKind.INTEGER else field.example


def other(field: Field) -> Scalar:
    if field.kind is FieldKind.CODE:
        return next(code for code in field.codes if code != field.example)
    others: dict[FieldKind, Scalar] = {
        FieldKind.TEXT: "别的",
        FieldKind.INTEGER: 7,
        FieldKind.DATE: "1999-09-09",
        FieldKind.FLAG: field.example != "true",
    }
    return others[field.kind]


@dataclass(frozen=True)
class Asking:
    town: World
    centre: RequesterClient
    phones: Mapping[str, Phone]

    async def grant(self, item: Item, party: str, person: Person, claim: dict[str, Scalar]) -> str:
        """File for this item alone, with the claim; sign; the consent."""
        phone = self.phones[person.id_number]
        filed = [{"item": item.id, "expect": claim}]
        request, ticket = await self.town.ask(
            self.centre, person, matter=MATTERS[item.id][0].id, party=party, items=filed
        )
        assert (await phone.open(ticket)).status == 200
        signed = await phone.agree(ticket, [item.id])
        assert signed.status == 201, signed.members
        return str((await self.centre.read(request)).members["consent"])

    async def results(self, item: Item, first: Person, claim: dict[str, Scalar]) -> list[dict[str, Any]]:
        """Every party the item needs grants it, and one exchange asks."""
        people = dict(zip(item.joint or ("applicant",), (first, LIN), strict=False))
        consents = [await self.grant(item, party, person, claim) for party, person in people.items()]
        reply = await self.town.pull(self.centre, *consents, matter=MATTERS[item.id][0].id)
        assert reply.status == 200, reply.members
        results: list[dict[str, Any]] = reply.members["results"]
        assert len(results) == len(people)
        return results


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asking(town: World) -> Asking:
    centre = await town.centre(matters=tuple(CATALOGUE.matters))
    return Asking(town, centre, {person.id_number: await town.phone(person) for person in (XU, LIN, UNKNOWN)})


def claims(item: Item) -> dict[str, Scalar]:
    """What is claimed of the fields that the matter asks about: all of it true."""
    return {name: held(item.fields[name]) for name in MATTERS[item.id][0].needs[item.id].fields}


def holds_nothing(result: Mapping[str, Any]) -> bool:
    return not result.get("records") and result.keys() <= {"party", "item", "outcome", "records", "source", "salt"}


@pytest.mark.parametrize("item", ASKABLE, ids=lambda item: item.id)
async def test_only_one_word_leaves(asking: Asking, item: Item) -> None:
    true = claims(item)
    first = next(iter(true))
    wrong = true | {first: other(item.fields[first])}
    for claim, word in ((true, "match"), (wrong, "mismatch"), ({}, "not_decidable")):
        results = await asking.results(item, XU, claim)
        assert {result["outcome"] for result in results} == {word}
        assert all(map(holds_nothing, results))
    unknown = await asking.results(item, UNKNOWN, true)
    assert unknown[0]["outcome"] == "not_decidable"
    assert all(map(holds_nothing, unknown))


async def test_every_check_of_a_matter_was_asked() -> None:
    """What is left out here is what no matter can ask."""
    assert {item.id for item in CHECKS} - {item.id for item in ASKABLE} == {"public_credit_check", "veteran_card"}
