"""Masks, cells, PINs, settings and commands: what is shown of a person, and what a desk refuses to start with."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from audit.checkpoint import LogSigner
from broker.cli import app
from broker.desk import clerks
from broker.desk.clerks import BLOCKED_FOR, TRIES, Clerk
from broker.desk.founding import NewDesk, found_desk
from broker.desk.masks import HIDDEN, mask_name, mask_number, mask_value, plain_value
from broker.desk.refusals import WORDS, Refused, Why
from broker.desk.settings import read_desk_settings
from broker.desk.spreadsheet import harmless
from broker.desk.store import Store
from broker.desk.vault import Unreadable, Vault
from broker.desk.words import REASONS, TRANSIENT, tone_of
from policies.strict_yaml import ConfigurationError
from policies.vocabulary import TRANSIENT_OUTCOMES, Outcome

PIN = "418263"
VKEY = LogSigner("127.0.0.1/log", Ed25519PrivateKey.generate()).vkey
NEW = NewDesk("http://127.0.0.1:1", VKEY, "yz", "扬州", "Yangzhou", "YZ", ("1号",), ("purchase_withdrawal",), 8420)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return found_desk(tmp_path / "desk", NEW)


@pytest.mark.parametrize(
    ("kind", "name", "value", "masked", "plain"),
    [
        ("text", "taxpayer_name", "徐建国", "徐**", "徐建国"),
        ("text", "taxpayer_id", "32109919860312017X", "••••017X", "32109919860312017X"),
        ("text", "location", "扬州市示例路1号", HIDDEN, "扬州市示例路1号"),
        ("money", "paid_amount", 1234500, HIDDEN, "12,345.00 元"),
        ("money", "paid_amount", -5, HIDDEN, "-0.05 元"),
        ("flag", "frozen", True, HIDDEN, "是"),
        ("date", "paid_date", "2026-03-01", HIDDEN, "2026-03-01"),
        ("code", "status", "20", HIDDEN, "20 已婚"),
        ("date", "paid_date", None, "—", "—"),
    ],
)
def test_a_value_stands_masked_and_in_words(kind: str, name: str, value: object, masked: str, plain: str) -> None:
    field = {"id": name, "kind": kind, "codes": {"20": "已婚"}}
    assert mask_value(field, value) == masked
    assert plain_value(field, value, english=False) == plain
    assert (mask_name("徐建国"), mask_number("32109919860312017X")) == ("徐**", "••••017X")


def test_no_record_no_answer_and_no_permission_are_never_one() -> None:
    assert frozenset(map(str, TRANSIENT_OUTCOMES)) == TRANSIENT
    tones = {str(outcome): tone_of(outcome) for outcome in Outcome}
    assert {tones[one] for one in TRANSIENT} == {tone_of("timeout")}
    kept_apart = [tones[one] for one in ("no_record", "timeout", "denied_by_department", "pending", "mismatch")]
    assert len({tone for tone, _ in kept_apart}) == len(kept_apart)
    assert len({words for _, words in kept_apart}) == len(kept_apart)
    assert set(REASONS) == set(tones), "each outcome has its reason in words"
    assert set(Why) == set(WORDS)


def test_a_cell_that_a_spreadsheet_would_run_is_a_text() -> None:
    for cell in ("=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", " =1", "＝1"):
        assert harmless(cell) == f"'{cell}"
    for cell in ("徐**", "YZ-2026-000001", "", "2026-11-26", "1 - 2"):
        assert harmless(cell) == cell


async def test_a_pin_is_kept_as_a_hash_and_counted(config: Path) -> None:
    store = Store(read_desk_settings(config).database)
    store.now(lambda connection: clerks.add(connection, "w-1", "陈科员", PIN))
    assert PIN.encode() not in (config.parent / "desk.db").read_bytes()
    told = await asyncio.gather(*(refusal(store, "x", 1) for _ in range(TRIES + 1)))
    assert sorted(told) == sorted([Why.WRONG_PIN] * TRIES + [Why.BLOCKED]), "tries at the same time are counted"
    assert await refusal(store, PIN, 2) is Why.BLOCKED, "the right one, too, waits"
    assert await clerks.identify(store, "w-1", PIN, 2 + BLOCKED_FOR) == Clerk("w-1", "陈科员")
    store.now(lambda connection: clerks.end(connection, "w-1"))
    assert await refusal(store, PIN, 2 + BLOCKED_FOR) is Why.WRONG_PIN
    store.close()


async def refusal(store: Store, pin: str, now: int) -> Why:
    with pytest.raises(Refused) as caught:
        await clerks.identify(store, "w-1", pin, now)
    return caught.value.why


@pytest.mark.parametrize("pin", ["", "12345", "111111", "123456", "654321", "121212", "9" * 65])
def test_a_pin_that_is_easy_to_guess_is_refused(pin: str) -> None:
    with pytest.raises(ValueError, match="PIN"):
        clerks.check_pin(pin)


def test_what_was_sealed_for_one_place_opens_in_no_other() -> None:
    vault = Vault.of(b"a" * 32)
    sealed = vault.seal("person/1", ["徐建国"])
    assert vault.open("person/1", sealed) == ["徐建国"]
    with pytest.raises(Unreadable):
        vault.open("person/2", sealed)
    with pytest.raises(Unreadable):
        Vault.of(b"b" * 32).open("person/1", sealed)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"log_vkey": "x"}, "log_vkey"),
        ({"broker": "http://broker.example"}, "plain http"),
        ({"address": "http://desk.example"}, "plain http"),
        ({"desks": []}, "window"),
        ({"idle_minutes": 0}, "idle_minutes"),
        ({"requester": "32109919860312017X"}, "id-card"),
        ({"surprise": 1}, "surprise"),
        ({"vault": "desk.yaml"}, "others may read"),
    ],
)
def test_a_desk_does_not_start_with_what_is_wrong(config: Path, change: dict[str, object], said: str) -> None:
    given = yaml.safe_load(config.read_text(encoding="utf-8"))
    config.write_text(yaml.safe_dump(given | change, allow_unicode=True, sort_keys=False), encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        read_desk_settings(config)
    place, _, message = str(caught.value).partition(": ")
    file, _, line = place.rpartition(":")
    assert said in f"{message} {file} {Path(file).read_text(encoding='utf-8').splitlines()[int(line) - 1]}"


def test_commands_found_a_desk_and_keep_its_clerks(tmp_path: Path) -> None:
    run: Callable[..., tuple[int, str]] = _runner(tmp_path)
    options = ["--broker", "http://127.0.0.1:1", "--log-vkey", VKEY, "--requester", "yz", "--name", "扬州"]
    options += ["--case-prefix", "YZ", "--desk", "1号窗口", "--matter", "purchase_withdrawal", "--json"]
    assert run("init", str(tmp_path / "d"), *options)[0] == 0
    assert run("init", str(tmp_path / "d"), *options)[0] == 4, "nothing is overwritten"
    config = ["--config", str(tmp_path / "d" / "desk.yaml")]
    for secret in ("requester.pem", "vault.key", "handover.pem", "desk.db"):
        assert (tmp_path / "d" / secret).stat().st_mode & 0o077 == 0
    assert run("clerks", "add", *config, "w-1", "--name", "陈科员", typed=f"{PIN}\n")[0] == 0
    assert run("clerks", "add", *config, "w-1", "--name", "陈科员", typed=f"{PIN}\n")[0] == 4
    assert run("clerks", "add", *config, "w-2", "--name", "李科员", typed="111111\n")[0] == 2
    assert run("clerks", "end", *config, "w-1")[0] == 0
    assert run("clerks", "end", *config, "w-9")[0] == 3
    assert run("assign", *config, "YZ-2026-000001", "w-9")[0] == 3
    listed = json.loads(run("clerks", "list", *config, "--json")[1])
    assert listed == {"clerks": [{"number": "w-1", "name": "陈科员", "active": False}]}
    card = json.loads(run("card", *config)[1])
    assert "d" not in card["signs"] | card["opens"], "a card holds no private key"
    assert run("--config", str(tmp_path / "none.yaml"))[0] == 2


def _runner(folder: Path) -> Callable[..., tuple[int, str]]:
    def run(*arguments: str, typed: str = "") -> tuple[int, str]:
        done = CliRunner().invoke(app, ["desk", *arguments], input=typed)
        return done.exit_code, done.stdout

    return run
