"""Who may make whom what: roles kept apart, second persons, and a row that the log does not know opens nothing."""

import json
from functools import partial
from typing import Any

import pytest
from sqlalchemy import insert, update

from broker import tables
from broker.staff import people
from broker.staff.people import NewMember
from broker.staff.roles import Role
from connectors.departments.people import XU, made_up
from policies.refusals import Code, Refused
from tests.staff.desk import ANNA, BEN, SAM, SEC, STU, Desk, found, hire, sit_down
from tests.world import World

NEW = made_up("新人己", "19750101", 206)


def form(number: str, person: Any, role: Role, department: str = "") -> dict[str, str]:
    given = {"number": number, "name": person.name, "id_number": person.id_number, "role": str(role)}
    return given | ({"department": department} if department else {})


async def state(world: World, number: str) -> str:
    return str((await world.broker.storage.read(lambda c: people.member(c, number))).status)


async def test_the_command_line_makes_the_first_and_then_nobody(world: World) -> None:
    await found(world)
    keys = world.broker.keys.subjects
    for role in Role:
        new = NewMember("x-009", NEW, role)
        with pytest.raises(Refused) as refused:
            await world.broker.storage.record(partial(people.found, keys=keys, new=new))
        assert refused.value.refusal.code is Code.FORBIDDEN, role
    added = [entry["body"] for entry in world.entries() if entry["event"] == "staff.added"]
    assert [(one["number"], one["role"], one["by"]) for one in added] == [
        ("a-001", "auditor", "founding"),
        ("a-002", "auditor", "founding"),
        ("s-001", "security", "founding"),
    ]
    world.check_log()


async def test_a_security_administrator_makes_the_others_alone(world: World) -> None:
    await found(world)
    desk = await sit_down(world, "s-001")
    assert (await desk.post("/staff/people", form("o-001", SAM, Role.SYSTEM))).status == 303
    assert (await desk.post("/staff/people", form("d-001", STU, Role.STEWARD, "taxation"))).status == 303
    assert [await state(world, number) for number in ("o-001", "d-001")] == ["active", "active"]
    told = (await desk.json("/staff/people"))["people"]
    assert {one["number"]: one["role"] for one in told}["d-001"] == "steward"
    assert "o-001" in (await desk.get("/staff/people?form=csv")).text
    logged = json.dumps(world.entries(), ensure_ascii=False)
    for person in (ANNA, BEN, SAM, SEC, STU):
        assert person.id_number not in logged
        assert person.name not in logged


async def test_an_auditor_takes_two_auditors_and_nobody_else_changes_one(world: World) -> None:
    await found(world)
    await hire(world, "o-001", SAM, Role.SYSTEM)
    security, anna, ben = [await sit_down(world, number) for number in ("s-001", "a-001", "a-002")]
    assert (await security.post("/staff/people", form("a-003", NEW, Role.AUDITOR))).status == 403
    assert (await anna.post("/staff/people", form("a-003", NEW, Role.AUDITOR))).status == 303
    assert await state(world, "a-003") == "proposed"
    assert (await anna.post("/staff/people/a-003/confirm")).status == 403, "not by who proposed it"
    assert (await security.post("/staff/people/a-003/confirm")).status == 403
    assert (await ben.post("/staff/people/a-003/confirm")).status == 303
    assert await state(world, "a-003") == "active"
    assert (await security.post("/staff/people/a-001/remove")).status == 403
    assert (await ben.post("/staff/people/a-001/remove")).status == 303
    assert await state(world, "a-001") == "leaving"
    assert (await anna.get("/staff", Accept="text/html")).status == 200, "until another has confirmed it"
    assert (await anna.post("/staff/people/a-001/turn-down")).status == 403, "not about oneself"
    third = await sit_down(world, "a-003")
    assert (await third.post("/staff/people/a-001/confirm")).status == 303
    assert (await anna.get("/staff", Accept="text/html")).status == 401, "signed out at once"
    removed = [entry["body"] for entry in world.entries() if entry["event"] == "staff.removed"]
    assert [(one["number"], one["by"], one["confirmed_by"]) for one in removed] == [("a-001", "a-002", "a-003")]


async def test_a_second_person_may_turn_it_down(world: World) -> None:
    await found(world)
    anna, ben = [await sit_down(world, number) for number in ("a-001", "a-002")]
    await anna.post("/staff/people", form("a-003", NEW, Role.AUDITOR))
    assert (await ben.post("/staff/people/a-003/turn-down")).status == 303
    assert await state(world, "a-003") == "removed"
    await anna.post("/staff/people/a-002/remove")
    assert (await anna.post("/staff/people/a-002/confirm")).status == 403
    assert await state(world, "a-002") == "leaving", "there is nobody else who could confirm it"


async def test_one_person_has_one_role_and_one_number_is_one_persons(world: World) -> None:
    await found(world)
    desk = await sit_down(world, "s-001")
    assert (await desk.post("/staff/people", form("o-001", ANNA, Role.SYSTEM))).status == 409
    assert (await desk.post("/staff/people", form("a-001", SAM, Role.SYSTEM))).status == 409
    for fault in ({"id_number": "1"}, {"name": ""}, {"role": "king"}, {"number": XU.id_number}, {"number": "a b"}):
        assert (await desk.post("/staff/people", form("o-002", NEW, Role.SYSTEM) | fault)).status == 422, fault
    assert (await desk.post("/staff/people", form("d-002", NEW, Role.STEWARD))).status == 422
    assert (await desk.post("/staff/people", form("d-002", NEW, Role.STEWARD, "no_such"))).status == 422


@pytest.mark.parametrize("change", ["role", "number", "person"])
async def test_a_row_written_past_the_log_opens_nothing(world: World, change: str) -> None:
    await found(world)
    await hire(world, "o-001", SAM, Role.SYSTEM)
    desk = await sit_down(world, "o-001")
    mine = tables.staff.c.number == "o-001"
    changes: dict[str, dict[str, Any]] = {
        "role": {"role": "auditor"},
        "number": {"number": "o-002"},
        "person": {"lookup": people.lookup_of(world.broker.keys.subjects, XU.id_number)},
    }
    values = changes[change]
    await world.broker.storage.record(lambda t: t.connection.execute(update(tables.staff).where(mine).values(**values)))
    seen = await desk.get("/staff", Accept="text/html")
    assert seen.status in (403, 404), "the session that was"
    number = values.get("number", "o-001")
    again = Desk(desk.http, world.issuer, number)
    assert (await again.post("/staff/session/test", {"number": number})).status == 403


async def test_a_removal_that_somebody_undid_in_the_database_stays_one(world: World) -> None:
    await found(world)
    await hire(world, "o-001", SAM, Role.SYSTEM)
    security = await sit_down(world, "s-001")
    assert (await security.post("/staff/people/o-001/remove")).status == 303
    undo = update(tables.staff).where(tables.staff.c.number == "o-001").values(status="active")
    await world.broker.storage.record(lambda t: t.connection.execute(undo))
    assert (await security.post("/staff/session/test", {"number": "o-001"})).status == 403


async def test_an_invented_row_opens_nothing(world: World) -> None:
    await found(world)
    row = {
        "number": "a-666",
        "name": "假",
        "role": "auditor",
        "department": "",
        "lookup": people.lookup_of(world.broker.keys.subjects, XU.id_number),
        "status": "active",
        "proposed_by": "founding",
        "entry": 2,
    }
    await world.broker.storage.record(lambda t: t.connection.execute(insert(tables.staff).values(row)))
    desk = await sit_down(world, "a-001")
    assert (await desk.post("/staff/session/test", {"number": "a-666"})).status == 403
