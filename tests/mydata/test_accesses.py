"""GET /v1/me/accesses and its page: each call told by its ending, older ones page by page, and nobody else's."""

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import select, update

from audit import events, parts, verify
from connectors.departments.fleet import NAMES, Fleet
from consent import tables
from consent.keys import to_base64url
from tests.mydata.living import Life
from tests.world import MATTER, OPERATOR, World

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest.fixture(autouse=True)
def straightened(fleet: Fleet) -> Iterator[None]:
    yield
    for name in NAMES:
        fleet.set_fault(name, "none")


def released(life: Life, admitted: int, outcome: str, **members: int) -> events.ExchangeReleased:
    line = parts.ReleasedItem("applicant", life.ref, "deed_tax", outcome, "0" * 64, "taxation", "r", "", "", 0, 0)
    return events.ExchangeReleased(
        call="ex_1", exchange="x-pending", admitted=admitted, requester="yz-hpf", matter=MATTER, case=life.case,
        operator=parts.Operator("clerk-07", "3号窗口"), results=[line], **members,
    )  # fmt: skip


async def test_every_ending_is_told(life: Life, fleet: Fleet) -> None:
    for name in NAMES:
        fleet.set_fault(name, "slow", 2.0)
    await life.agree()
    under_way = asyncio.create_task(life.pulled())
    await life.admitted(1)
    [running] = await life.accesses()
    assert (running["ending"], running["event"]) == ("running", "exchange.admitted")
    assert running["operator"] == {"id": OPERATOR["id"], "desk": OPERATOR["desk"]}
    assert "正在为" in (await life.page("/me/accesses"))[1]
    assert (await under_way).status == 200
    [access] = await life.accesses()
    assert access["event"] == "exchange.released"
    assert verify.verify_receipt(access, life.world.vkey, None).entry.index == access["index"]
    assert (await life.page(f"/me/accesses/{running['index']}"))[0] == 200, "an admission leads to its ending"

    for name in NAMES:
        fleet.set_fault(name, "down")
    assert (await life.pulled()).status == 200
    admitted = life.mine("exchange.admitted")[-1]["index"]
    await life.append(released(life, admitted, "pending"))
    await life.append(
        events.ExchangeInterrupted(
            call="ex_2", exchange="x-broken", admitted=admitted, requester="yz-hpf", matter=MATTER, case=life.case,
            subject_refs=[life.ref], process="p_1",
        )
    )  # fmt: skip
    for name in NAMES:
        fleet.set_fault(name, "slow", 2.0)
    cut = asyncio.create_task(life.pulled())
    await life.admitted(3)
    [consent] = (await life.phone.get("/v1/me/consents")).members["consents"]
    await life.phone.withdraw(consent["jti"])
    assert (await cut).code == "consent_withdrawn"
    assert (await life.pulled()).code == "consent_withdrawn"

    told = await life.accesses()
    assert [one["ending"] for one in told][:5] == ["refused", "withheld", "interrupted", "pending", "failed"]
    assert len(told) == 6
    assert all(one["operator"]["desk"] == OPERATOR["desk"] for one in told)
    status, text = await life.page("/me/accesses")
    assert status == 200
    for words in ("您撤回了授权", "中断了，没有给", "还在等部门回答", "没有查成", "被拒绝了", "想为购房提取住房公积金"):
        assert words in text, words
    english = (await life.page("/me/accesses?lang=en"))[1]
    assert "you had withdrawn" in english
    assert "We check the deed tax you paid." in english, "why, which was signed in Chinese, in the catalogue's English"


async def test_what_became_of_it_and_who_signed_for_her(life: Life) -> None:
    await life.release()
    exchange = life.mine("exchange.released")[-1]["body"]["exchange"]
    for said in ({"event": "viewed"}, {"event": "decided", "decision": "approved"}):
        assert (await life.centre.tell(exchange, operator=OPERATOR, **said)).status == 201
    table = tables.grant
    with life.world.broker.database.reader.begin() as connection:
        token = connection.execute(select(table.c.token).where(table.c.subject_ref == life.ref)).scalar_one().decode()
    header, _, signature = token.split(".")
    entrusted = f'{header}.{to_base64url(b"""{"channel":{"mode":"entrusted"}}""")}.{signature}'
    change = update(table).where(table.c.subject_ref == life.ref).values(token=entrusted.encode())
    await life.world.broker.storage.record(lambda transaction: transaction.connection.execute(change).rowcount)
    [access] = await life.accesses()
    assert access["channels"] == ["entrusted"]
    text = (await life.page("/me/accesses"))[1]
    assert "您委托的人替您签的授权" in text
    assert "看了查到的信息" in text
    assert "同意了您的申请" in text


async def test_older_ones_by_page_and_only_her_own(life: Life, town: World) -> None:
    index = await life.release()
    admitted = life.mine("exchange.admitted")[-1]["index"]

    def work(transaction: object) -> list[int]:
        return [transaction.append(released(life, admitted, "found")) for _ in range(230)]  # type: ignore[attr-defined]

    added = (await town.broker.storage.record(work)).value
    found: list[int] = []
    query = ""
    pages = 0
    while True:
        reply = await life.phone.get(f"/v1/me/accesses{query}")
        found += [one["index"] for one in reply.members["accesses"]]
        pages += 1
        if "next" not in reply.members:
            break
        query = f"?before={reply.members['next']}"
    assert found == [*reversed(added), index]
    assert pages == 3
    status, text = await life.page(f"/me/accesses?before={found[99]}")
    assert status == 200
    assert f'id="{found[100]}"' in text
    assert f"before={found[119]}" in text
    others = next(entry["index"] for entry in town.entries() if entry["event"] == "requester.registered")
    for wrong in (str(others), "-1", "01", "1e3", "9" * 18, "9" * 40, "x", "１", "1 OR 1=1", "%00"):
        assert (await life.phone.get(f"/v1/me/accesses?before={wrong}")).status == 404, wrong
        assert (await life.page(f"/me/accesses?before={wrong}"))[0] == 404, wrong
        assert (await life.page(f"/me/accesses/{wrong}"))[0] == 404, wrong


async def test_a_look_for_late_answers_that_found_none_is_no_access(life: Life, town: World) -> None:
    """A patient office looks again and again: it stands in the log, and hides nothing that she should read."""
    await life.release()
    admitted = life.mine("exchange.admitted")[-1]["index"]
    await life.append(released(life, admitted, "pending"))
    pending = life.mine("exchange.released")[-1]["index"]

    def work(transaction: object) -> list[int]:
        looked = released(life, admitted, "pending", collects=pending)
        return [transaction.append(looked) for _ in range(230)]  # type: ignore[attr-defined]

    in_vain = (await town.broker.storage.record(work)).value
    told = await life.accesses()
    assert [one["ending"] for one in told] == ["pending", "nothing"]
    status, text = await life.page("/me/accesses")
    assert (status, text.count("<article")) == (200, 2)
    assert "还没有人查过" not in text
    inbox = (await life.page("/me/inbox"))[1]
    assert [inbox.count(words) for words in ("还在等部门回答", "没有查到")] == [1, 1]

    for index in (admitted, in_vain[0], in_vain[-1]):
        status, text = await life.page(f"/me/accesses/{index}")
        assert status == 200
        assert not any(f'id="{one}"' in text for one in in_vain), "not what it was asked for"
        assert "正在查" not in text, "it has ended"
    late = await life.append(released(life, admitted, "found", collects=in_vain[-1]))
    assert [one["index"] for one in await life.accesses()] == [late, pending, told[1]["index"]]
    assert f'id="{late}"' in (await life.page(f"/me/accesses/{late}"))[1]


async def test_another_persons_call_is_not_hers(life: Life, town: World) -> None:
    index = await life.release()
    stranger = await town.phone()
    for path in (f"/v1/me/accesses?before={index}", f"/me/accesses/{index}", f"/me/receipts/{index}"):
        async with stranger.http.get(town.issuer + path) as response:
            assert response.status == 404, path
            assert life.case not in await response.text()
