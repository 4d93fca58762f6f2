"""Everything about a person, for herself: whole, provable, streamed; and on paper that can be read and searched."""

import json
import re
from typing import Any

import msgspec
import pytest

from audit import verify
from audit.events import ExchangeReleased
from tests.mydata.living import Life
from tests.mydata.test_paper import text_of
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")

MEMBERS = [
    "format", "taken_at", "issuer", "log_key", "entry", "person", "devices", "consents", "requests", "accesses",
    "questions", "corrections", "notices",
]  # fmt: skip


async def taken(life: Life, query: str = "", **headers: str) -> tuple[dict[str, str], bytes]:
    async with life.phone.http.get(f"{life.world.issuer}/v1/me/export{query}", headers=headers) as response:
        assert response.status == 200, await response.text()
        return dict(response.headers), await response.read()


async def test_it_holds_everything_and_proves_it(life: Life) -> None:
    index = await life.release()
    await life.phone.post("/v1/me/questions", {"about": index, "text": "为什么？"})
    await life.world.ask(life.centre, life.phone.person, case=life.case)
    headers, body = await taken(life)
    assert headers["Cache-Control"] == "no-store"
    assert re.fullmatch(r'attachment; filename="my-data-\d{4}-\d\d-\d\d\.json"', headers["Content-Disposition"])
    found: dict[str, Any] = json.loads(body)
    assert list(found) == MEMBERS
    assert found["person"] == {"name": life.phone.person.name, "id_number": life.phone.person.id_number}
    [entry] = life.mine("subject.exported")
    assert (entry["index"], entry["body"]) == (found["entry"], {"subject_ref": life.ref, "form": "json"})
    [consent] = found["consents"]
    assert consent["consent"] == life.consent
    assert [one["status"] for one in found["requests"]] == ["pending", "granted"]
    assert "请您确认" in found["requests"][1]["notice"]["text"]
    [access] = found["accesses"]
    assert verify.verify_receipt(access, found["log_key"], None).entry.index == index
    assert found["devices"][0]["jwk"] == dict(life.phone.key.public.jwk)
    assert (found["questions"][0]["text"], found["corrections"]) == ("为什么？", [])
    assert [one["event"] for one in found["notices"]][:2] == ["consent.asked", "exchange.released"]


async def test_a_long_life_comes_piece_by_piece_and_whole(life: Life, town: World) -> None:
    await life.release()
    released = msgspec.convert(life.mine("exchange.released")[-1]["body"], ExchangeReleased)

    def work(transaction: Any) -> list[int]:
        return [transaction.append(released) for _ in range(450)]

    added = (await town.broker.storage.record(work)).value
    pieces = 0
    body = b""
    async with life.phone.http.get(f"{town.issuer}/v1/me/export") as response:
        async for piece in response.content.iter_any():
            body += piece
            pieces += 1
    found = json.loads(body)
    assert pieces > 10
    assert [one["index"] for one in found["accesses"]][:450] == [*reversed(added)]
    assert len(found["notices"]) >= 450


async def test_the_paper_reads_well_and_can_be_searched(life: Life) -> None:
    index = await life.release()
    await life.phone.post("/v1/me/corrections", {"about": index, "item": "deed_tax", "text": "税额不对。\n应为 0。"})
    headers, body = await taken(life, "?form=pdf")
    assert headers["Content-Type"] == "application/pdf"
    assert body.startswith(b"%PDF-")
    [entry] = life.mine("subject.exported")
    assert entry["body"]["form"] == "pdf"
    text = text_of(body)
    number = life.phone.person.id_number
    assert number not in text
    assert f"{number[:6]}********{number[-4:]}" in text
    for words in (life.case, "税额不对。", "GZ-", "契税完税信息", "谁查过我"):
        assert words in text, words
    assert re.search(r"第\s*1\s*页", text)


async def test_what_cannot_be_had_is_refused_and_not_recorded(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    for query in ("?form=doc", "?form="):
        assert (await life.phone.get(f"/v1/me/export{query}")).status == 422
    status, _, _ = await life.send("/me/export", {"form": "json"}, Origin="https://elsewhere.example")
    assert status == 403
    monkeypatch.setattr("broker.api.my_export.can_print", lambda: False)
    monkeypatch.setattr("broker.pages.my_export.can_print", lambda: False)
    assert (await life.phone.get("/v1/me/export?form=pdf")).status == 422
    page = (await life.page("/me/export"))[1]
    assert "不能做 PDF" in page
    assert 'value="pdf"' not in page
    assert not life.mine("subject.exported")


async def test_an_erased_or_unknown_session_gets_nothing(life: Life) -> None:
    life.phone.http.cookie_jar.clear()
    assert (await life.phone.get("/v1/me/export")).code == "not_signed_in"
