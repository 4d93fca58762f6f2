"""The story's checks can fail, and a failed step makes the demo fail and says which."""

import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from broker.cli import app
from broker.client import Reply
from broker.commands import demo
from broker.demo.forgery import export_altered
from broker.demo.pulling import tampered
from broker.demo.report import NotAsItShouldBe, Report, Told, answered, check
from broker.signing import SigningKey
from consent.keys import strict_base64url


def report() -> Report:
    return Report(Console(file=io.StringIO()))


async def works() -> Told[int]:
    return Told(7, "as it should")


async def fails() -> Told[int]:
    sum_of_both = sum((1, 1))
    check(sum_of_both == 3, "one and one should be three")
    return Told(sum_of_both, "never")


async def breaks() -> Told[int]:
    raise KeyError("consent")


async def test_a_step_that_fails_is_written_down_and_ends_the_story() -> None:
    story = report()
    assert await story.step("first", "First", works()) == 7
    assert story.ok
    for name, doing in (("second", fails()), ("third", breaks())):
        with pytest.raises(NotAsItShouldBe, match=name):
            await story.step(name, name, doing)
    steps = story.members()["steps"]
    assert [(step["ok"], step["detail"]) for step in steps] == [
        (True, "as it should"),
        (False, "one and one should be three"),
        (False, "KeyError: 'consent'"),
    ]
    assert story.members()["ok"] is False


def test_a_story_without_steps_is_not_well() -> None:
    assert not report().ok


@pytest.mark.parametrize(
    ("status", "code"),
    [(200, ""), (403, "case_mismatch"), (200, "consent_withdrawn"), (500, "")],
    ids=["let through", "another code", "not refused", "broken"],
)
def test_an_attempt_must_be_refused_with_its_own_code(status: int, code: str) -> None:
    story = report()
    with pytest.raises(NotAsItShouldBe, match="after_withdrawal should be refused as consent_withdrawn"):
        story.refused("after_withdrawal", Reply(status, {"code": code}), "consent_withdrawn")
    assert story.members()["refusals"][0] == {
        "name": "after_withdrawal",
        "expected": "consent_withdrawn",
        "code": code,
        "status": status,
        "ok": False,
    }


def test_an_answer_of_another_status_is_not_as_it_should_be() -> None:
    assert answered(Reply(201, {"id": "x"}), 201) == {"id": "x"}
    with pytest.raises(NotAsItShouldBe, match="should be answered 201; it was answered 409 replayed"):
        answered(Reply(409, {"code": "replayed"}), 201)


def test_a_demo_with_a_failed_step_exits_with_1_and_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def tell(story: Report, *_: object, **__: object) -> None:
        await story.step("first", "First", works())
        await story.step("second", "Second", fails())

    monkeypatch.setattr(demo, "tell", tell)
    done = CliRunner().invoke(app, ["demo", "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout)["ok"] is False
    assert "second: one and one should be three" in done.stderr


def test_the_flipped_byte_is_one_byte_and_the_form_stays_canonical() -> None:
    token = SigningKey.generate().token("consent+jwt", {"iss": "x", "uses": 3, "case": "YZ-1"})
    before, after = (list(map(strict_base64url, text.split("."))) for text in (token, tampered(token)))
    assert before[0] == after[0]
    assert before[2] == after[2]
    assert sum(one != other for one, other in zip(before[1], after[1], strict=True)) == 1
    with pytest.raises(NotAsItShouldBe):
        tampered(SigningKey.generate().token("consent+jwt", {"iss": "x"}))


def test_the_forger_needs_something_to_alter(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "log.db")) as log, log:
        log.execute("CREATE TABLE audit_entry (idx INTEGER, body BLOB)")
        log.execute("INSERT INTO audit_entry VALUES (0, ?)", (b"another word",))
    with pytest.raises(ValueError, match="nothing to alter"):
        export_altered(tmp_path / "log.db", 0, (b"clerk-07", b"clerk-99"), tmp_path / "altered", "")
