"""`broker request`: a fund centre at its terminal, against a real broker; every exit code."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from broker.cli import app
from broker.client import RequesterClient
from broker.commands.exits import ExitCode, exit_of
from broker.demo.phone import ticket_of
from connectors.departments.people import XU
from tests.audit.sample_log import SIGNER
from tests.world import ITEMS, MATTER, OPERATOR, World

SUBJECT = {"name": XU.name, "id_number": XU.id_number}
FILING = {"matter": MATTER, "case": "YZ-2026-000123", "operator": OPERATOR, "subject": SUBJECT}


@dataclass
class Terminal:
    """One centre's terminal: its options are always the same."""

    folder: Path
    options: list[str]

    async def run(self, verb: str, *arguments: str, stdin: str | None = None) -> Result:
        command = ["request", verb, *arguments, *self.options]
        return await asyncio.to_thread(CliRunner().invoke, app, command, input=stdin)

    async def told(self, verb: str, *arguments: str, stdin: str | None = None) -> dict[str, Any]:
        done = await self.run(verb, *arguments, "--json", stdin=stdin)
        assert done.exit_code == ExitCode.OK, done.output
        members: dict[str, Any] = json.loads(done.stdout)
        return members

    async def file(self, **members: Any) -> dict[str, Any]:
        return await self.told("file", "-", stdin=json.dumps(FILING | members))


@pytest.fixture
async def terminal(world: World, tmp_path: Path) -> Terminal:
    return terminal_of(await world.centre(), tmp_path)


def terminal_of(centre: RequesterClient, folder: Path, issuer: str = "") -> Terminal:
    pem = folder / f"{centre.requester}.pem"
    pem.write_bytes(centre.key.pem())
    return Terminal(folder, ["--issuer", issuer or centre.issuer, "--requester", centre.requester, "--key", str(pem)])


async def granted(world: World, terminal: Terminal) -> dict[str, Any]:
    """What `wait --json` prints once Mr Xu has agreed to everything."""
    filed = await terminal.file()
    phone = await world.phone(XU)
    ticket = ticket_of(filed["consent_url"])
    await phone.open(ticket)
    assert (await phone.agree(ticket, ITEMS)).status == 201
    return await terminal.told("wait", filed["id"])


async def test_the_link_is_drawn_and_reads_as_what_it_is(world: World, terminal: Terminal, tmp_path: Path) -> None:
    picture = tmp_path / "link.svg"
    filed = await terminal.told("file", "-", "--qr", str(picture), stdin=json.dumps(FILING))
    assert picture.read_text().startswith("<svg")
    assert ticket_of(filed["consent_url"]) not in picture.read_text(), "a picture holds modules, no text"
    renewed = await terminal.told("renew", filed["id"], "--qr", str(picture))
    assert renewed["consent_url"] != filed["consent_url"]


async def test_ask_wait_pull_and_verify(world: World, terminal: Terminal, tmp_path: Path) -> None:
    standing = await granted(world, terminal)
    assert standing["granted"] == ITEMS
    document = tmp_path / "granted.json"
    document.write_text(json.dumps(standing))
    pulled = await terminal.run("exchange", str(document), "--operator", "clerk-07", "--verify", world.vkey, "--json")
    assert pulled.exit_code == ExitCode.OK, pulled.output
    answer = json.loads(pulled.stdout)
    assert {result["item"] for result in answer["results"]} == set(ITEMS)
    assert "applicant: use 1, 2 left" in pulled.stderr
    assert "VERIFIED: exchange.released" in pulled.stderr
    assert XU.id_number not in pulled.stderr
    world.check_log()


async def test_results_are_a_table_on_stdout_and_talk_is_on_stderr(world: World, terminal: Terminal) -> None:
    standing = await granted(world, terminal)
    pull = {"consents": [standing["consent"]], "matter": MATTER, "case": FILING["case"], "operator": OPERATOR}
    pulled = await terminal.run("exchange", "-", stdin=json.dumps(pull))
    assert pulled.exit_code == ExitCode.OK, pulled.output
    assert "paid_amount=1234500" in pulled.stdout
    assert "not verified" in pulled.stderr
    assert "paid_amount" not in pulled.stderr


async def test_a_receipt_under_another_key_is_exit_5(world: World, terminal: Terminal) -> None:
    standing = await granted(world, terminal)
    command = ("exchange", "-", "--operator", "clerk-07", "--verify")
    pulled = await terminal.run(*command, SIGNER.vkey, stdin=json.dumps(standing))
    assert pulled.exit_code == ExitCode.VERIFICATION_FAILED
    unread = await terminal.run(*command, SIGNER.vkey[:-4], stdin=json.dumps(standing))
    assert unread.exit_code == ExitCode.USAGE
    assert world.events().count("exchange.admitted") == 1, "a key that is none is found before a use is spent"


async def test_the_same_exchange_can_be_asked_again(world: World, terminal: Terminal) -> None:
    standing = await granted(world, terminal)
    pull = json.dumps({**_pull(standing), "exchange": "pull-0001"})
    first, again = [await terminal.told("exchange", "-", stdin=pull) for _ in range(2)]
    assert first["uses"] == again["uses"] == [{"party": "applicant", "use": 1, "left": 2}]


async def test_what_is_refused_is_exit_4_with_its_code(world: World, terminal: Terminal) -> None:
    standing = await granted(world, terminal)
    wrong = await terminal.run("exchange", "-", "--json", stdin=json.dumps({**_pull(standing), "case": "YZ-2026-9"}))
    assert (wrong.exit_code, wrong.stdout) == (ExitCode.REFUSED, "")
    assert "case_mismatch" in wrong.stderr
    bad = await terminal.run("file", "-", stdin=json.dumps(FILING | {"subject": SUBJECT | {"id_number": "1"}}))
    assert bad.exit_code == ExitCode.REFUSED
    assert XU.name not in bad.output


async def test_a_stranger_is_exit_4(world: World, terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "else").mkdir()
    other = terminal_of(await world.centre("nj-hpf"), tmp_path / "else")
    filed = await terminal.file()
    assert (await other.run("wait", filed["id"])).exit_code == ExitCode.NOT_FOUND, "another's request looks like none"
    mixed = Terminal(tmp_path, [*terminal.options[:4], *other.options[4:]])
    refused = await mixed.run("cancel", filed["id"])
    assert refused.exit_code == ExitCode.REFUSED
    assert "unknown_requester" in refused.stderr


async def test_waiting_says_how_it_ended(world: World, terminal: Terminal) -> None:
    filed = await terminal.file()
    undecided = await terminal.run("wait", filed["id"], "--seconds", "0", "--json")
    assert undecided.exit_code == ExitCode.UNAVAILABLE
    assert json.loads(undecided.stdout)["status"] == "pending"
    renewed = await terminal.told("renew", filed["id"])
    assert renewed["consent_url"] != filed["consent_url"]
    assert (await terminal.told("cancel", filed["id"]))["status"] == "cancelled"
    cancelled = await terminal.run("wait", filed["id"])
    assert cancelled.exit_code == ExitCode.REFUSED
    assert "status: cancelled" in cancelled.stdout
    assert (await terminal.run("cancel", filed["id"])).exit_code == ExitCode.REFUSED


async def test_what_is_not_there_is_exit_3(terminal: Terminal) -> None:
    for verb in ("wait", "renew", "cancel"):
        assert (await terminal.run(verb, "ar_nobody-ever-filed-this")).exit_code == ExitCode.NOT_FOUND


async def test_nobody_at_the_address_is_exit_6(world: World, tmp_path: Path) -> None:
    lost = terminal_of(await world.centre(), tmp_path, issuer="http://127.0.0.1:9")
    done = await lost.run("wait", "ar_whatever")
    assert done.exit_code == ExitCode.UNAVAILABLE
    assert "Traceback" not in done.output


async def test_bad_usage_is_exit_2(terminal: Terminal, tmp_path: Path) -> None:
    for document in ("", "[]", '{"a": 1, "a": 2}', "{", '{"x": NaN}'):
        assert (await terminal.run("file", "-", stdin=document)).exit_code == ExitCode.USAGE, document
    assert (await terminal.run("exchange", "-", stdin='{"consent": "no.such.token"}')).exit_code == ExitCode.USAGE
    assert (await terminal.run("wait", "321099198603120177/..")).exit_code == ExitCode.USAGE
    assert (await terminal.run("wait", "x", "--seconds", "-1")).exit_code == ExitCode.USAGE
    no_key = tmp_path / "no.pem"
    no_key.write_text("nothing")
    wrong = Terminal(tmp_path, [*terminal.options[:5], str(no_key)])
    assert (await wrong.run("wait", "ar_x")).exit_code == ExitCode.USAGE
    nowhere = Terminal(tmp_path, ["--issuer", "not an address", *terminal.options[2:]])
    assert (await nowhere.run("wait", "ar_x")).exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("status", "code"),
    [(200, 0), (201, 0), (202, 0), (401, 4), (403, 4), (404, 3), (409, 4), (422, 4), (429, 6), (500, 6), (503, 6)],
)
def test_every_status_has_one_exit_code(status: int, code: int) -> None:
    assert exit_of(status) == code


def _pull(standing: dict[str, Any]) -> dict[str, Any]:
    return {"consents": [standing["consent"]], "matter": MATTER, "case": FILING["case"], "operator": OPERATOR}
