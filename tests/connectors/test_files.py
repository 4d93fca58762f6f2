"""Departments by files, in a folder or by SFTP: whose host it is, what is left there, and what a look may not hide."""

import asyncio
import gc
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from connectors.departments.late_fleet import LateFleet
from connectors.departments.people import LIN, XU
from connectors.directory import Directory
from connectors.files import FilesConnector
from connectors.routes import read_routes
from policies.vocabulary import Outcome
from tests.connectors.asking import ITEMS, question
from tests.connectors.late_asking import Counted, load


async def test_another_host_key_is_another_host(late: LateFleet, tmp_path: Path) -> None:
    """Nothing is left with a host that shows another key than the pinned one."""
    secrets = tmp_path / "secrets"
    secrets.mkdir(mode=0o700)
    other = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    for name in ("tax-sftp-key", "tax-sftp-host-key"):
        file = secrets / name
        file.touch(mode=0o600)
        file.write_bytes(other if "host" in name else (late.secrets_folder / name).read_bytes())
    file = late.write_routes(tmp_path / "r.yaml", "tax-files-sftp")
    directory = Directory.open(read_routes(file, ITEMS, secrets), Counted())
    answer = await directory.ask(question("deed_tax"))
    await directory.aclose()
    assert (answer.outcome, answer.raw_code) == (Outcome.DEPARTMENT_DOWN, "host_key")


@pytest.mark.parametrize("silent", [False, True], ids=["refused", "hang"])
async def test_a_host_that_refuses_or_says_nothing(late: LateFleet, tmp_path: Path, *, silent: bool) -> None:
    left = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        left.set()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    if not silent:
        server.close()
    text = late.write_routes(tmp_path / "r.yaml", "tax-files-sftp").read_text(encoding="utf-8")
    start = text.index("port: ")
    text = text[:start] + f"port: {port}" + text[text.index("\n", start) :]
    (tmp_path / "r.yaml").write_text(text.replace("deadline_seconds: 3", "deadline_seconds: 1"), encoding="utf-8")
    directory = Directory.open(read_routes(tmp_path / "r.yaml", ITEMS, late.secrets_folder), Counted())
    answer = await directory.ask(question("deed_tax"))
    await directory.aclose()
    if silent:
        await asyncio.wait_for(left.wait(), 10)
    server.close()
    wanted = (Outcome.TIMEOUT, "deadline") if silent else (Outcome.DEPARTMENT_DOWN, "connection")
    assert (answer.outcome, answer.raw_code) == wanted


async def test_a_look_that_is_cut_short_leaves_nothing_behind(late: LateFleet, tmp_path: Path) -> None:
    """The library asks for many pieces at once, in tasks that nobody ends where whoever asked is gone."""
    (late.folder / "nightly_files" / "responses" / "FK_cut_short.txt").write_bytes(b"x" * 100_000)
    directory = load(late, tmp_path / "r.yaml", "tax-files-sftp")
    connector = directory.connector("deed_tax", "tax-files-sftp")
    assert isinstance(connector, FilesConnector)
    told: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context["message"]))
    for milliseconds in range(5, 65, 3):
        looking = asyncio.create_task(connector._drop.find("FK_cut_short.txt"))
        await asyncio.wait({looking}, timeout=milliseconds / 1000)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    await asyncio.sleep(0.1)
    await directory.aclose()
    gc.collect()
    assert told == []


@pytest.mark.parametrize("route", ["tax-files-sftp", "tax-files-folder"])
async def test_a_folder_that_is_gone_is_no_answer_that_is_late(late: LateFleet, tmp_path: Path, route: str) -> None:
    """Else a mount that came off would read as a department that takes its time, for as long as anybody waits."""
    late.set_fault("nightly_files", "held")
    file = late.write_routes(tmp_path / "r.yaml", route)
    text = file.read_text(encoding="utf-8")
    assert text.count("/responses") == 1
    file.write_text(text.replace("/responses", "/gone"), encoding="utf-8")
    directory = Directory.open(read_routes(file, ITEMS, late.secrets_folder), Counted())
    answer = await directory.ask(question("deed_tax"))
    assert answer.ticket is not None
    look = await directory.carry_on(question("deed_tax"), answer.route, answer.ticket)
    await directory.aclose()
    assert (look.outcome, look.raw_code) == (Outcome.DEPARTMENT_DOWN, "folder_missing")


async def test_files_are_whole_when_they_can_be_seen_and_name_no_person(late: LateFleet, tmp_path: Path) -> None:
    late.set_fault("nightly_files", "never")
    directory = load(late, tmp_path / "r.yaml", "tax-files-folder")
    before = {file.name for file in (late.folder / "nightly_files" / "requests").iterdir()}
    await directory.ask(replace(question("deed_tax"), subject=LIN))
    await directory.aclose()
    left = sorted(file for file in (late.folder / "nightly_files" / "requests").iterdir() if file.name not in before)
    assert [file.suffix for file in left] == [".txt", ".md5"] or [file.suffix for file in left] == [".md5", ".txt"]
    assert not [file for file in left if LIN.id_number in file.name]
    (line,) = (next(file for file in left if file.suffix == ".txt")).read_bytes().decode("gbk").splitlines()
    assert line.split("|")[:3] == ["call-0001", LIN.name, LIN.id_number]


@pytest.mark.parametrize("name", ["徐|建国", "徐\r\n建国"])
async def test_a_name_that_would_break_the_line_is_not_sent(late: LateFleet, tmp_path: Path, name: str) -> None:
    directory = load(late, tmp_path / "r.yaml", "tax-files-folder")
    answer = await directory.ask(replace(question("deed_tax"), subject=replace(XU, name=name)))
    await directory.aclose()
    assert (answer.outcome, answer.raw_code) == (Outcome.BAD_REQUEST, "not_writable_in_a_line")
