"""Questions and corrections: numbered, due on a day, answered once, sealed; bad input, double sending, limits."""

import asyncio
import json
from pathlib import Path

import pytest

from audit import verify
from broker.commands.exits import ExitCode
from connectors.departments.fleet import Fleet
from consent.inquiries import OPEN_LIMIT, TEXT_LIMIT
from tests.mydata.living import ANSWER, TEXT, Life, ask
from tests.world import World, open_world

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_a_question_is_numbered_due_answered_and_read(life: Life) -> None:
    index = await life.release()
    asked = await ask(life, index)
    assert (asked["kind"], asked["status"], asked["about"], asked["text"]) == ("question", "open", index, TEXT)
    entry = verify.verify_receipt(asked["receipt"], life.world.vkey, None).entry
    assert entry.event == "question.opened"
    assert entry.body == {
        "number": asked["number"], "about": index, "requester": "yz-hpf", "subject_ref": life.ref,
    }  # fmt: skip
    listed = json.loads((await life.command("questions", "list", "--json")).stdout)
    [found] = [one for one in listed["inquiries"] if one["number"] == asked["number"]]
    assert found["about"] == index
    assert "text" not in found
    shown = await life.command("questions", "show", asked["number"], "--json")
    assert json.loads(shown.stdout)["text"] == TEXT
    answered = await life.command("questions", "answer", asked["number"], "--json", stdin=f"{ANSWER}\n")
    assert answered.exit_code == ExitCode.OK, answered.output
    assert json.loads(answered.stdout)["status"] == "answered"
    assert ANSWER not in answered.output
    [read] = (await life.phone.get("/v1/me/questions")).members["questions"]
    assert (read["status"], read["answer"]) == ("answered", ANSWER)
    inbox = (await life.phone.get("/v1/me/inbox")).members["notices"]
    assert (inbox[0]["event"], asked["number"] in inbox[0]["text"]) == ("question.answered", True)
    status, page = await life.page("/me/questions")
    assert status == 200
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert "已答复" in page
    again = await life.command("questions", "answer", asked["number"], stdin="另一个")
    assert again.exit_code == ExitCode.REFUSED
    assert (await life.phone.get("/v1/me/questions")).members["questions"] == [read]


async def test_a_correction_goes_to_the_department_of_its_item(life: Life) -> None:
    index = await life.release()
    asked = await ask(life, index, item="deed_tax")
    assert (asked["department"], asked["item"]) == ("taxation", "deed_tax")
    [entry] = life.mine("correction.opened")
    assert (entry["body"]["department"], entry["body"]["item"]) == ("taxation", "deed_tax")
    assert (await life.phone.get("/v1/me/questions")).members == {"questions": []}
    assert (await life.command("questions", "show", asked["number"])).exit_code == ExitCode.NOT_FOUND
    assert (await life.command("corrections", "answer", asked["number"], stdin=ANSWER)).exit_code == ExitCode.OK
    [answered] = life.mine("correction.answered")
    assert answered["body"] == entry["body"]
    [read] = (await life.phone.get("/v1/me/corrections")).members["corrections"]
    assert read["answer"] == ANSWER


async def test_sending_twice_is_asking_once(life: Life) -> None:
    index = await life.release()
    both = await asyncio.gather(
        *(life.phone.post("/v1/me/questions", {"about": index, "text": TEXT}) for _ in range(2))
    )
    assert sorted(reply.status for reply in both) == [200, 201]
    path = f"/me/questions/ask/{index}"
    number = both[0].members["number"]
    assert await life.send(path, {"text": TEXT.replace("\n", "\r\n")}) == (303, "", f"/me/questions#{number}")
    assert len(life.mine("question.opened")) == 1
    status, _, where = await life.send(f"{path}?lang=en", {"text": "Another"})
    assert (status, number in where) == (303, False)
    assert where.startswith("/me/questions?lang=en#WT-")
    assert len(life.mine("question.opened")) == 2


async def test_only_so_many_are_open_at_once(life: Life) -> None:
    index = await life.release()
    for number in range(OPEN_LIMIT - 1):
        await ask(life, index, f"第 {number} 个问题")
    last = await ask(life, index, item="deed_tax")
    reply = await life.phone.post("/v1/me/questions", {"about": index, "text": "再问一个"})
    assert (reply.status, reply.code) == (429, "rate_limited")
    status, page, _ = await life.send(f"/me/questions/ask/{index}", {"text": "再问一个"})
    assert (status, "等着答复" in page) == (429, True)
    assert len(life.mine("question.opened")) == OPEN_LIMIT - 1
    assert (await life.command("corrections", "answer", last["number"], stdin=ANSWER)).exit_code == ExitCode.OK
    await ask(life, index, "再问一个")


async def test_what_is_not_hers_cannot_be_asked_about(life: Life, town: World) -> None:
    index = await life.release()
    await life.page("/me/accesses")
    other = await Life.begin(town, life.centre, 99)
    granted = life.mine("consent.granted")[-1]["index"]
    for about in (index, -1, 10**17, 1 << 63, 1 << 70):
        reply = await other.phone.post("/v1/me/questions", {"about": about, "text": TEXT})
        assert reply.status in {404, 422}, about
        correction = {"about": about, "text": TEXT, "item": "deed_tax"}
        assert (await other.phone.post("/v1/me/corrections", correction)).status in {404, 422}
    for about, item in ((granted, "deed_tax"), (index, "no_such_item"), (index, "")):
        reply = await life.phone.post("/v1/me/corrections", {"about": about, "text": TEXT, "item": item})
        assert reply.status == 404, (about, item)
    for path in (f"/me/questions/ask/{index}", f"/me/corrections/ask/{index}/deed_tax"):
        assert (await other.page(path))[0] == 404
        assert (await other.send(path, {"text": TEXT}))[0] == 404
    assert not other.mine("question.opened")
    assert (await ask(life, granted))["about"] == granted, "any entry of hers may be asked about"


async def test_text_that_is_none_is_given_back_to_be_mended(life: Life) -> None:
    index = await life.release()
    path = f"/me/questions/ask/{index}"
    for wrong in ("", "  ", "字" * (TEXT_LIMIT + 1), "a\x00b", "\u202eb"):
        assert (await life.phone.post("/v1/me/questions", {"about": index, "text": wrong})).status == 422
        status, page, _ = await life.send(path, {"text": wrong})
        assert (status, 'role="alert"' in page) == (422, True)
    status, page, _ = await life.send(path, {"text": "</textarea><script>" + "字" * TEXT_LIMIT})
    assert (status, "&lt;/textarea&gt;&lt;script&gt;字字" in page) == (422, True)
    huge = "x" * 1_000_000
    assert (await life.phone.post("/v1/me/questions", {"about": index, "text": huge})).status == 413
    status, page, _ = await life.send(path, {"text": huge})
    assert (status, "写得太长了" in page) == (413, True)
    for body in ({"text": TEXT}, {"about": str(index), "text": TEXT}, {"about": index, "text": TEXT, "x": 1}):
        assert (await life.phone.post("/v1/me/questions", body)).status == 422
    for given in ({"Origin": "https://elsewhere.example"}, {"Origin": "null"}):
        assert (await life.send(path, {"text": TEXT}, **given))[0] == 403
    assert not life.mine("question.opened")
    assert (await life.send(path, {"text": "字" * TEXT_LIMIT}))[0] == 303


async def test_a_day_that_has_passed_is_said(tmp_path: Path, fleet: Fleet) -> None:
    async with open_world(tmp_path, fleet) as world:
        life = await Life.begin(world, await world.centre(), 1)
        asked = await ask(life, await life.release())
        world.clock.advance(16 * 24 * 3600)
        await life.phone.sign_in()
        [read] = (await life.phone.get("/v1/me/questions")).members["questions"]
        assert (read["number"], read["overdue"]) == (asked["number"], True)
        assert "过了期限" in (await life.page("/me/questions"))[1]
        world.check_log()


@pytest.mark.parametrize(
    ("words", "stdin", "code"),
    [
        (("questions", "show", "WT-0000-0000"), "", ExitCode.NOT_FOUND),
        (("questions", "answer", "WT-0000-0000"), "答", ExitCode.NOT_FOUND),
        (("corrections", "answer", "WT-0000-0000"), "  ", ExitCode.REFUSED),
        (("questions", "list", "--limit", "0"), "", ExitCode.USAGE),
    ],
)
async def test_commands_refuse_by_their_exit_codes(
    life: Life, words: tuple[str, ...], stdin: str, code: ExitCode
) -> None:
    ran = await life.command(*words, stdin=stdin)
    assert (ran.exit_code, ran.stdout) == (code, "")
