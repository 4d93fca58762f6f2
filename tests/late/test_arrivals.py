"""Answers that departments bring to us: posted and signed by a machine, typed by a person."""

import asyncio
import http.client
import json
import time
from functools import partial
from typing import Any

import pytest
from typer.testing import CliRunner

from broker import arrivals
from broker.api.departments import LIMIT
from broker.cli import app
from connectors import push
from connectors.departments.late_fleet import LateFleet
from connectors.departments.people import LIN, XU
from connectors.departments.pushing_office import signed
from connectors.reading import read_reply
from tests.faults.raw_http import logged
from tests.late.world import (
    BY_HAND,
    PUSHED,
    STAFF,
    TICKET,
    Hand,
    arrived,
    collected,
    granted,
    jti_of,
    kept_rows,
    left_pending,
    outcomes,
    until,
    waiting_rows,
)
from tests.world import World


def written(question: str, number: str = "n-1", person: str = XU.id_number, base: str = "18000.00") -> bytes:
    row = {
        "jgh": "C11000", "zjhm": person, "grzh": "110000000017", "grzhzt": "01", "khrq": "2010-07-01",
        "grjcjs": base, "grjcbl": "12.00", "dwjcbl": "12.00", "gryjce": "2160.00", "dwyjce": "2160.00",
        "grzhye": "286500.00", "jzny": "202610", "dwmc": "not asked for",
    }  # fmt: skip
    return json.dumps({"ywlsh": question, "tsbh": number, "code": "00", "data": {"cxjg": [row]}}).encode()


def post(
    world: World,
    late: LateFleet,
    question: str,
    body: bytes = b"",
    *,
    secret: str = "",
    department: str = "hpf_center_remote",
) -> int:
    """As the department's own process does, from outside."""
    known = (late.secrets_folder / "pushing-office-secret").read_text(encoding="utf-8").strip()
    body = body or written(question)
    connection = http.client.HTTPConnection("127.0.0.1", world.broker.settings.port, timeout=10)
    headers = signed(secret or known, body, int(time.time()))
    connection.request("POST", f"/v1/departments/{department}/push", body, headers)
    status = connection.getresponse().status
    connection.close()
    return status


async def test_posts_are_taken_once_and_only_where_they_are_waited_for(world: World, late: LateFleet) -> None:
    late.set_fault("pushing_office", "never")
    late.set_fault("ticket_platform", "never")
    centre, _, _, exchange = await left_pending(world, PUSHED + TICKET)
    questions = {row.item: row.question for row in waiting_rows(world)}
    hers, ticket = questions[PUSHED[0]], questions[TICKET[0]]
    assert await asyncio.to_thread(partial(post, world, late, hers, secret="guessed")) == 401
    for other in ("taxation", "nobody"):
        assert await asyncio.to_thread(partial(post, world, late, hers, department=other)) == 404
    for question in ("ex_of_nobody.1", ticket):
        assert await asyncio.to_thread(post, world, late, question) == 404
    assert kept_rows(world) == 0
    body = written(hers)
    for _ in range(2):
        assert await asyncio.to_thread(post, world, late, hers, body) == 200
    assert kept_rows(world) == 1
    for again in (written(hers, "n-2"), written(hers, base="1.00")):
        assert await asyncio.to_thread(post, world, late, hers, again) == 409
    reply = await collected(world, centre, exchange)
    assert reply.status == 202
    assert outcomes(reply) == {PUSHED[0]: "found", TICKET[0]: "pending"}
    (result,) = [one for one in reply.members["results"] if one["item"] == PUSHED[0]]
    assert (result["records"][0]["balance"], "dwmc" in result["records"][0]) == (28650000, False)
    world.check_log()


@pytest.mark.parametrize(("patience", "first"), [(10.0, 200), (0.0, 503)])
async def test_a_post_that_is_quicker_than_our_own_record_is_not_lost(
    world: World, late: LateFleet, monkeypatch: pytest.MonkeyPatch, patience: float, first: int
) -> None:
    """The answer to one item is there while another department is still asked, so nothing has been released yet."""
    monkeypatch.setattr(arrivals, "RELEASED_WITHIN", patience)
    late.set_fault("pushing_office", "never")
    late.set_fault("civil_affairs_soap", "hang")
    centre, phone = await world.centre(), await world.phone()
    married = {"item": "marriage_check_single", "expect": {"marital_status": "20"}}
    consent = await granted(world, centre, phone, [{"item": PUSHED[0]}, married])
    pulling = asyncio.create_task(world.pull(centre, consent, exchange="late-quick"))
    await logged(world, "exchange.admitted")
    (admitted,) = [entry["body"] for entry in world.entries() if entry["event"] == "exchange.admitted"]
    (number,) = [at for at, one in enumerate(admitted["items"], 1) if one["item"] == PUSHED[0]]
    question = f"{admitted['call']}.{number}"
    for unknown in (
        f"{admitted['call']}.{3 - number}",
        f"{admitted['call']}.9",
        f"{admitted['call']}.x",
        "ex_nobody.1",
    ):
        assert await asyncio.to_thread(post, world, late, unknown) == 404, "nobody asked this department that"
    assert await asyncio.to_thread(post, world, late, question) == first
    assert (await pulling).status == 202
    assert await asyncio.to_thread(post, world, late, question) == 200
    assert kept_rows(world) == 1
    world.check_log()


@pytest.mark.parametrize(("fault", "statuses"), [("twice", [200, 200, 409]), ("not_hers", [404]), ("truncated", [401])])
async def test_an_office_with_bad_habits(world: World, late: LateFleet, fault: str, statuses: list[int]) -> None:
    late.set_fault("pushing_office", fault, seconds=0.5)
    before = len(late.posts())
    await left_pending(world, PUSHED)

    def heard() -> list[int]:
        """What it was told; one much quicker than our own record is told 503, and tries again."""
        return [post["status"] for post in late.posts()[before:] if post["status"] != 503]

    async def enough() -> bool:
        return len(heard()) >= len(statuses)

    await until(enough)
    assert heard() == statuses
    assert kept_rows(world) == (1 if fault == "twice" else 0)
    world.check_log()


async def test_a_long_post_is_read_aside(world: World, late: LateFleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a thread: reading it holds up nobody else's request. One that is too long is not read at all."""
    late.set_fault("pushing_office", "never")
    await left_pending(world, PUSHED)
    (row,) = waiting_rows(world)
    in_loop: list[bool] = []

    def noticed(*args: Any) -> Any:
        in_loop.append(asyncio._get_running_loop() is not None)
        return read_reply(*args)

    monkeypatch.setattr(push, "read_reply", noticed)
    body = written(row.question)
    assert await asyncio.to_thread(post, world, late, row.question, body + b" " * LIMIT) == 413
    assert kept_rows(world) == 0
    assert await asyncio.to_thread(post, world, late, row.question, body + b" " * 500_000) == 200
    assert in_loop == [False]
    world.check_log()


async def test_a_post_about_somebody_else_is_garbled(world: World, late: LateFleet) -> None:
    late.set_fault("pushing_office", "wrong_person")
    centre, _, _, exchange = await left_pending(world, PUSHED)
    await arrived(world, exchange)
    reply = await collected(world, centre, exchange)
    assert (reply.status, outcomes(reply)) == (200, dict.fromkeys(PUSHED, "garbled"))
    assert reply.members["results"][0]["records"] == []
    world.check_log()


async def test_a_hand_answers_only_for_its_own_department(world: World) -> None:
    centre, phone, consent, exchange = await left_pending(world, BY_HAND)
    (row,) = waiting_rows(world)
    stranger = Hand(world)
    async with world.http.get(f"{world.issuer}/departments/taxation/waiting") as response:
        assert response.status == 401
    await stranger.enter()
    stranger.department = "civil_affairs"
    assert await stranger.answer(row.question) == 403
    hand = Hand(world)
    await hand.enter()
    assert await hand.answer(row.question, LIN) == 422, "about somebody else: nothing is kept, it may be typed again"
    assert await hand.answer(row.question, paid_amount="a lot") == 422
    assert await hand.answer("ex_of_nobody.1") == 404
    assert kept_rows(world) == 0
    assert (await phone.post(f"/v1/me/consents/{jti_of(consent)}/pause", {})).status == 200
    assert XU.name not in await hand.page(), "a paused consent's question is not shown"
    assert (await phone.post(f"/v1/me/consents/{jti_of(consent)}/resume", {})).status == 200
    assert await hand.answer(row.question, said="no_record") == 303
    assert await hand.answer(row.question) == 404, "it was answered"
    reply = await collected(world, centre, exchange)
    assert outcomes(reply) == dict.fromkeys(BY_HAND, "no_record")
    world.check_log()


async def test_the_link_is_made_by_command_and_dies_with_the_day(world: World) -> None:
    await left_pending(world, BY_HAND)
    config = str(world.folder / "broker" / "broker.yaml")
    words = ["departments", "link", "taxation", "--config", config, "--json", "--staff"]
    made = CliRunner().invoke(app, [*words, STAFF])
    link = json.loads(made.stdout)["link"]
    async with world.http.get(link, allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, "/departments/taxation/waiting")
        cookie = response.cookies["department_link"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "lax", "/departments/taxation")
    hand = Hand(world, cookie=cookie.value)
    assert XU.name in await hand.page()
    async with world.http.get(link.replace("taxation/", "civil_affairs/"), allow_redirects=False) as response:
        assert response.status == 403
    world.clock.advance(9 * 3600)
    async with world.http.get(link, allow_redirects=False) as response:
        assert response.status == 401
    refused = CliRunner().invoke(app, [*words, XU.id_number])
    assert refused.exit_code == 2, "a staff number is never shaped like an id-card number"


async def test_an_answer_that_comes_after_the_withdrawal_is_not_kept(world: World, late: LateFleet) -> None:
    """Nobody has collected meanwhile, so the waiting is still there when the department posts."""
    late.set_fault("pushing_office", "none", seconds=1.5)
    _, phone, consent, _ = await left_pending(world, PUSHED)
    assert (await phone.withdraw(jti_of(consent))).status == 200
    before = len(late.posts())

    async def posted() -> bool:
        return any(post["status"] for post in late.posts()[before:])

    await until(posted)
    assert late.posts()[before]["status"] == 404
    assert kept_rows(world) == 0
    world.check_log()


async def test_a_repeat_while_it_is_pending_asks_nobody_again(world: World, late: LateFleet) -> None:
    late.set_fault("pushing_office", "never")
    centre, _, consent, exchange = await left_pending(world, PUSHED)
    asked = late.calls("pushing_office")
    again = await world.pull(centre, consent, exchange=exchange)
    assert (again.status, outcomes(again)) == (202, dict.fromkeys(PUSHED, "pending"))
    assert again.members["uses"][0] == {"party": "applicant", "use": 1, "left": 2}
    assert late.calls("pushing_office") == asked
    (row,) = waiting_rows(world)
    assert post(world, late, row.question) == 200
    reply = await collected(world, centre, exchange)
    assert (reply.status, outcomes(reply)) == (200, dict.fromkeys(PUSHED, "found"))
    world.check_log()
