"""When an answer can be expected: told beside the results where somebody knows it, and nowhere else."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from broker.demo.phone import Phone
from broker.moments import moment, rfc3339
from broker.result_table import result_table
from connectors.departments.fleet import Fleet
from connectors.departments.late_fleet import LateFleet
from connectors.hours import CHINA
from connectors.patience import Promised
from policies.workdays import SHIPPED_WORKDAYS, read_workdays
from tests.late.world import (
    BY_HAND,
    PUSHED,
    TICKET,
    Hand,
    collected,
    granted,
    left_pending,
    open_late_world,
    outcomes,
    until,
    waiting_rows,
)
from tests.world import World

DAY = timedelta(days=1)
RESULT = {"party", "item", "outcome", "records", "source", "salt"}
MANUAL = "late: {give_up_seconds: 86400}\n        records:\n          person: person\n"
SUBMIT = "        submit:\n          request:"


def promised(asked: datetime) -> str:
    return rfc3339(int(Promised(2, "17:30").answers_at(asked, read_workdays(SHIPPED_WORKDAYS)).timestamp()))


def closed(text: str) -> str:
    """The ticket platform is closed till this time tomorrow; the tax office's people answer within two workdays."""
    now = datetime.now(CHINA)
    begins, ends = (f"{now + days:%Y-%m-%d %H:%M}" for days in (-DAY, DAY))
    limits = f"        limits: {{outages: [{{from: {begins}, to: {ends}, reason: x}}]}}\n"
    late = 'late: {give_up_seconds: 2592000, promised: {workdays: 2, at: "17:30"}}'
    assert (text.count(MANUAL), text.count(SUBMIT)) == (1, 1)
    text = text.replace(SUBMIT, limits + SUBMIT)
    return text.replace(MANUAL, MANUAL.replace("late: {give_up_seconds: 86400}", late))


@pytest.fixture
async def world(tmp_path: Path, fleet: Fleet, late: LateFleet) -> AsyncIterator[World]:
    async with open_late_world(tmp_path, fleet, late, edit=closed) as opened:
        yield opened


async def page(world: World, phone: Phone, query: str = "") -> str:
    async with phone.http.get(f"{world.issuer}/me/accesses{query}") as response:
        assert response.status == 200
        return await response.text()


async def test_what_is_known_stands_beside_the_results_until_it_has_come(world: World, late: LateFleet) -> None:
    late.set_fault("pushing_office", "never")
    centre, phone = await world.centre(), await world.phone()
    consent = await granted(world, centre, phone, [{"item": item} for item in PUSHED + TICKET + BY_HAND])
    asked = datetime.now(UTC)
    first = await world.pull(centre, consent, exchange="late-expected")
    assert outcomes(first) == {PUSHED[0]: "pending", TICKET[0]: "closed_hours", BY_HAND[0]: "pending"}
    told = {one["item"]: one["at"] for one in first.members["answers_at"]}
    assert told == {TICKET[0]: told[TICKET[0]], BY_HAND[0]: promised(asked)}, "nobody knows when the office posts"
    opens = datetime.fromisoformat(told[TICKET[0]])
    assert timedelta(0) <= asked + DAY - opens < timedelta(minutes=2), "when the outage ends"
    assert all(one.keys() == RESULT for one in first.members["results"]), "beside the results, not in them"

    printed = Console(file=StringIO(), width=120)
    printed.print(result_table(first.members))
    assert told[TICKET[0]] in printed.file.getvalue()  # type: ignore[attr-defined]

    again = await world.pull(centre, consent, exchange="late-expected")
    for later in (again, await collected(world, centre, "late-expected")):
        by_hand = {"party": "applicant", "item": BY_HAND[0], "at": promised(asked)}
        assert by_hand in later.members["answers_at"]

    chinese = await page(world, phone)
    assert f"还在等部门回答，预计{moment(promised(asked), english=False)}前有答复" in chinese
    assert f"部门不在办公时间，{moment(told[TICKET[0]], english=False)}起可以再查" in chinese
    assert f"an answer is expected by {moment(promised(asked), english=True)}" in await page(world, phone, "?lang=en")
    world.clock.advance(20 * DAY.total_seconds())
    assert (await phone.sign_in("high")).status == 204
    assert "预计" not in await page(world, phone), "a time that has passed is not told"
    world.check_log()


async def test_a_person_at_the_department_is_told_by_when_and_then_that_it_is_late(world: World) -> None:
    asked = datetime.now(UTC)
    centre, phone, _, exchange = await left_pending(world, BY_HAND)
    due = moment(promised(asked), english=False)
    hand = Hand(world)
    await hand.enter()
    assert f"请在{due}前答复" in await hand.page()
    world.clock.advance(20 * DAY.total_seconds())
    await hand.enter()
    assert f"应在{due}前答复，已经过了" in await hand.page()
    (row,) = waiting_rows(world)
    assert await hand.answer(row.question) == 303
    reply = await collected(world, centre, exchange)
    assert (outcomes(reply), "answers_at" in reply.members) == ({BY_HAND[0]: "found"}, False)
    assert (await phone.sign_in("high")).status == 204
    (entry,) = [one for one in (await phone.get("/v1/me/accesses")).members["accesses"] if one["ending"] == "given"]
    assert entry["items"][0]["answers_at"] is None
    world.check_log()


async def test_our_own_quota_says_when_it_is_new_and_nobody_is_asked_before(
    tmp_path: Path, fleet: Fleet, late: LateFleet
) -> None:
    """A ticket that was given out counts as the day's one call: looking for its answer has to wait for tomorrow."""
    late.set_fault("ticket_platform", "never")

    def once(text: str) -> str:
        return text.replace(SUBMIT, f"        limits: {{per_day: 1}}\n{SUBMIT}")

    async with open_late_world(tmp_path, fleet, late, edit=once) as world:
        if _left_of_the_day(world) < 600:
            world.clock.advance(1200)
        centre, phone = await world.centre(), await world.phone()
        consents = [await granted(world, centre, phone, [{"item": TICKET[0]}]) for _ in range(2)]
        assert outcomes(await world.pull(centre, consents[0])) == {TICKET[0]: "pending"}
        refused = await world.pull(centre, consents[1])
        assert outcomes(refused) == {TICKET[0]: "quota"}
        (told,) = refused.members["answers_at"]
        left = datetime.fromisoformat(told["at"]).timestamp() - world.broker.now()
        assert abs(left - _left_of_the_day(world)) < 1300

        async def put_off() -> bool:
            return bool(waiting_rows(world)[0].next_at > world.broker.now() + 300)

        await until(put_off)
        world.check_log()


def _left_of_the_day(world: World) -> float:
    return 86400 - (world.broker.now() + 8 * 3600) % 86400
