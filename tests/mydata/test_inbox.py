"""The inbox: made from the log for one person, skipping what has no sentence, and new until it was seen."""

from typing import Any

import pytest
from sqlalchemy import event

from audit.identity_events import DeviceLost, SessionEnded
from broker.notices import AT_ONCE
from tests.mydata.living import Life
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")


def lost(life: Life) -> DeviceLost:
    return DeviceLost(subject_ref=life.ref, kid="somewhere-else", paused=0)


async def inbox(life: Life, query: str = "") -> dict[str, Any]:
    reply = await life.phone.get(f"/v1/me/inbox{query}")
    assert reply.status == 200, reply.members
    return dict(reply.members)


async def test_everything_that_concerns_her_is_told_once(life: Life) -> None:
    await life.release()
    [consent] = (await life.phone.get("/v1/me/consents")).members["consents"]
    await life.phone.withdraw(consent["jti"])
    await life.append(SessionEnded(subject_ref=life.ref, everywhere=False))
    await life.append(lost(life))
    told = await inbox(life)
    assert [one["event"] for one in told["notices"]] == [
        "device.lost", "consent.withdrawn", "exchange.released", "consent.granted", "consent.asked", "device.enrolled",
    ]  # fmt: skip
    assert told["unread"] == 6
    assert all(one["is_new"] and one["text"] for one in told["notices"])
    assert life.case in told["notices"][2]["text"]


async def test_what_was_seen_is_not_new(life: Life, town: World) -> None:
    await life.release()
    assert (await inbox(life))["unread"] == 4
    status, page = await life.page("/me")
    assert status == 200
    assert "4<span" in page, "the number stands in the navigation of every page"
    newest = (await inbox(life))["notices"][0]["index"]
    foreign = await life.phone.post("/v1/me/inbox/seen", {"index": 0})
    assert foreign.status == 404
    assert (await life.phone.post("/v1/me/inbox/seen", {"index": newest})).status == 204
    assert (await inbox(life))["unread"] == 0
    oldest = (await inbox(life))["notices"][-1]["index"]
    assert (await life.phone.post("/v1/me/inbox/seen", {"index": oldest})).status == 204, "it never goes back"
    assert (await inbox(life))["unread"] == 0
    await life.pulled()
    page = (await life.page("/me/inbox"))[1]
    assert page.count('class="new"') == 1
    assert (await inbox(life))["unread"] == 0, "what the page showed has been seen"
    assert 'class="count"' not in (await life.page("/me/devices"))[1]
    assert 'class="count"' not in page


async def test_pages_lead_on_and_cannot_be_made_up(life: Life, town: World) -> None:
    many = AT_ONCE * 2 + 5

    def work(transaction: Any) -> list[int]:
        return [transaction.append(lost(life)) for _ in range(many)]

    added = (await town.broker.storage.record(work)).value
    first = await inbox(life)
    assert first["unread"] == 100, "counted no further"
    assert "99+" in (await life.page("/me"))[1]
    second = await inbox(life, f"?before={first['next']}")
    third = await inbox(life, f"?before={second['next']}")
    assert "next" not in third
    indexes = [one["index"] for part in (first, second, third) for one in part["notices"]]
    assert indexes[:many] == [*reversed(added)]
    assert 'rel="next"' in (await life.page("/me/inbox"))[1]
    assert (await life.page(f"/me/inbox?before={first['next']}&lang=en"))[0] == 200
    for wrong in ("0", "x", str(added[-1] + 1)):
        assert (await life.phone.get(f"/v1/me/inbox?before={wrong}")).status == 404
        assert (await life.page(f"/me/inbox?before={wrong}"))[0] == 404


async def test_counting_costs_one_look_in_the_persons_own_index(life: Life, town: World) -> None:
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "audit_index" in statement:
            statements.append(statement)
            plan = connection.connection.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            assert any("audit_index_subject" in str(line) for line in plan), plan

    event.listen(town.broker.database.reader, "before_cursor_execute", note)
    try:
        assert (await life.page("/me/devices"))[0] == 200
    finally:
        event.remove(town.broker.database.reader, "before_cursor_execute", note)
    assert len(statements) == 1


async def test_nobody_reads_it_without_signing_in(town: World) -> None:
    for path in ("/v1/me/inbox", "/v1/me/questions", "/v1/me/corrections", "/v1/me/export", "/me/inbox", "/me/export"):
        async with town.http.get(f"{town.issuer}{path}") as response:
            assert response.status == 401, path
