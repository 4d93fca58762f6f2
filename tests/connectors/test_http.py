"""What goes over the wire to a department, and how its transport fails, against a server that says any bytes."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring

from connectors.contract import Answer
from connectors.departments.people import XU
from connectors.directory import Directory
from policies.vocabulary import Outcome, Person
from tests.connectors.asking import ITEMS, question, routes_text, write_secrets

NOW: Final = datetime(2026, 11, 22, 8, 0, 0, tzinfo=UTC)
Says = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Wire:
    """A raw server: remembers each request's head and body, then says what it is told."""

    def __init__(self) -> None:
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.port = 0
        self.says: Says = said(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = next(
                (line[16:] for line in head.split("\r\n") if line.lower().startswith("content-length: ")), "0"
            )
            self.heads.append(head)
            self.bodies.append(await reader.readexactly(int(length)))
            await self.says(writer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def said(raw: bytes) -> Says:
    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write(raw)

    return say


def response(body: bytes, head: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    wire = Wire()
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    yield wire
    server.close()


@pytest.fixture
async def asked(wire: Wire, tmp_path: Path) -> AsyncIterator[Directory]:
    text = routes_text(tmp_path).replace("http://127.0.0.1:1/", f"http://127.0.0.1:{wire.port}/")
    file = tmp_path / "departments.yaml"
    file.write_text(text.replace("deadline_seconds: 3", "deadline_seconds: 0.4"), encoding="utf-8")
    directory = Directory.load(file, ITEMS, write_secrets(tmp_path / "secrets"), now=lambda: NOW)
    yield directory
    await directory.aclose()


async def hang(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(2)
    writer.write(b"late")


async def drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(40):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def reset(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def flood(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(64):
        writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        await writer.drain()


def status(code: int, head: str = "") -> Says:
    return said(f"HTTP/1.1 {code} X\r\nContent-Length: 0\r\n{head}\r\n".encode())


@pytest.mark.parametrize(
    ("says", "outcome", "code"),
    [
        (hang, Outcome.TIMEOUT, "deadline"),
        (drip, Outcome.TIMEOUT, "deadline"),
        (reset, Outcome.DEPARTMENT_DOWN, "connection"),
        (said(b""), Outcome.DEPARTMENT_DOWN, "connection"),
        (said(b"220 smtp ready\r\n\r\n"), Outcome.GARBLED, "not_http"),
        (said(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}"), Outcome.GARBLED, "truncated"),
        (flood, Outcome.GARBLED, "body_too_large"),
        (said(response(b"\x1f\x8b", "Content-Encoding: gzip\r\n")), Outcome.GARBLED, "compressed_unasked"),
        (status(204), Outcome.GARBLED, "http_204"),
        (status(302, "Location: http://127.0.0.1:1/\r\n"), Outcome.GARBLED, "http_302"),
        (status(400), Outcome.BAD_REQUEST, "http_400"),
        (status(401), Outcome.AUTH_FAILED, "http_401"),
        (status(403), Outcome.DENIED_BY_DEPARTMENT, "http_403"),
        (status(404), Outcome.DEPARTMENT_DOWN, "http_404"),
        (status(429), Outcome.QUOTA, "http_429"),
        (status(503), Outcome.DEPARTMENT_DOWN, "http_503"),
        (status(504), Outcome.TIMEOUT, "http_504"),
    ],
)
async def test_transport_troubles(wire: Wire, asked: Directory, says: Says, outcome: Outcome, code: str) -> None:
    wire.says = says
    answer = await asked.ask(question("real_estate_registration"))
    assert (answer.outcome, answer.raw_code, answer.records) == (outcome, code, ())
    assert len(wire.heads) == 1


async def test_nobody_listens(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(routes_text(tmp_path), encoding="utf-8")
    directory = Directory.load(tmp_path / "r.yaml", ITEMS, write_secrets(tmp_path / "secrets"))
    answer = await directory.ask(question("real_estate_registration"))
    await directory.aclose()
    assert answer.outcome is Outcome.DEPARTMENT_DOWN


async def ask(directory: Directory, item: str, person: Person = XU, **params: str) -> Answer:
    return await directory.ask(question(item, subject=person, params=params))


async def test_no_person_in_any_head_and_no_word_beyond_the_configured(wire: Wire, asked: Directory) -> None:
    wire.says = said(response(b'{"code":"00","data":{"list":[]}}', "Set-Cookie: s=1; Path=/\r\n"))
    for item in ("real_estate_registration", "marriage_check_single", "hpf_remote_account"):
        await ask(asked, item)
        await ask(asked, item)
    assert len(wire.heads) == 6
    for head in wire.heads:
        assert XU.id_number not in head
        assert "%E5%BE%90" not in head
        assert "cookie" not in head.lower()
        for sent in ("call-0001", "yz-hpf", "desk7.op3", "purchase_withdrawal", "YZ-2026-000123", "jti-of-the-consent"):
            assert sent in head


async def test_a_proxy_in_the_environment_is_not_used(
    wire: Wire, asked: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    wire.says = said(response(b'{"code":"00","data":{"list":[]}}'))
    assert (await ask(asked, "real_estate_registration")).outcome is Outcome.NO_RECORD


async def test_parameters_left_out_of_json_and_form(wire: Wire, asked: Directory) -> None:
    await ask(asked, "real_estate_registration")
    await ask(asked, "real_estate_registration", division_code="321099")
    await ask(asked, "hpf_remote_account")
    await ask(asked, "hpf_remote_account", center_code="C11000")
    without, with_it = (json.loads(body) for body in wire.bodies[:2])
    assert "xzqh" not in without
    assert with_it["xzqh"] == "321099"
    assert with_it["ywxx"]["sqbh"] == "jti-of-the-consent-0001"
    assert "jgh" not in parse_qs(wire.bodies[2].decode())
    assert parse_qs(wire.bodies[3].decode()) == {
        "xingming": [XU.name],
        "zjhm": [XU.id_number],
        "jgh": ["C11000"],
        "ywbh": ["YZ-2026-000123"],
    }


HOSTILE: Final = [
    '</CERT_NUM><CERT_NUM>1</CERT_NUM><X a="',
    "]]><!ENTITY x SYSTEM 'file:///etc/passwd'>&x;",
    "{call}{person.id_number}",
    "a\r\nX-Injected: 1",
    '","zjh":"1',
    "a&zjhm=1",
]


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_name_stays_a_name(wire: Wire, asked: Directory, name: str) -> None:
    person = Person(name, XU.id_number)
    for item in ("real_estate_registration", "marriage_check_single", "hpf_remote_account"):
        await ask(asked, item, person)
    body, package, form = wire.bodies
    assert (json.loads(body)["xm"], json.loads(body)["zjh"]) == (name, XU.id_number)
    root: Element = fromstring(package.decode())
    assert [(root.findtext("DATA/RECORD/NAME") or "").replace("\n", "\r\n")] == [name.replace("\n", "\r\n")] or (
        (root.findtext("DATA/RECORD/NAME") or "").split() == name.split()
    )
    assert [number.text for number in root.iter("CERT_NUM")] == [XU.id_number]
    assert parse_qs(form.decode())["xingming"] == [name]
    assert parse_qs(form.decode())["zjhm"] == [XU.id_number]
    assert not any("X-Injected" in head for head in wire.heads)


async def test_what_xml_cannot_hold_is_not_sent(wire: Wire, asked: Directory) -> None:
    answer = await ask(asked, "marriage_check_single", Person("徐\x00", XU.id_number))
    assert (answer.outcome, answer.raw_code) == (Outcome.BAD_REQUEST, "not_writable_in_xml")
    assert wire.heads == []


async def test_get_carries_the_person_in_a_header_only(wire: Wire, tmp_path: Path) -> None:
    text = routes_text(tmp_path).replace("http://127.0.0.1:1/", f"http://127.0.0.1:{wire.port}/")
    start, end = text.index("          json:\n"), text.index("        authentication:")
    get = '          query: {xzqh: "{param.division_code}", bh: "{case}"}\n'
    get += '          headers: {X-Zjh: "{person.id_number}", X-Xm: "{person.name}"}\n'
    (tmp_path / "r.yaml").write_text((text[:start] + get + text[end:]).replace("POST", "GET", 1), encoding="utf-8")
    directory = Directory.load(tmp_path / "r.yaml", ITEMS, write_secrets(tmp_path / "secrets"))
    await ask(directory, "real_estate_registration", division_code="321099")
    await directory.aclose()
    line, _, headers = wire.heads[0].partition("\r\n")
    assert line == "GET /api/bdc/query?xzqh=321099&bh=YZ-2026-000123 HTTP/1.1"
    assert f"X-Zjh: {XU.id_number}\r\nX-Xm: %E5%BE%90%E5%BB%BA%E5%9B%BD\r\n" in headers
