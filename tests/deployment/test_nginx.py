"""nginx with the file that the page gives: read by nginx itself, slow callers let go, processes replaced behind it."""

import asyncio
import contextlib
import re
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import aiohttp
import pytest

from connectors.departments.fleet import Fleet
from tests.deployment.test_rolling_restart import LEAVE_SECONDS, Load, deployed, load, replace
from tests.deployment.units import PATIENCE, Unit
from tests.faults.serving import Folder

FILE = Path(__file__).resolve().parents[2] / "broker" / "deployment" / "nginx.conf"
SLOW = 40
HALF_A_CALL = (
    b"POST /v1/exchanges HTTP/1.1\r\nHost: x\r\nContent-Type: application/jwt\r\nContent-Length: 999\r\n\r\ney"
)
CLOSED_WITHIN = 30.0
"""Seconds; the file says 5, and a busy machine is late."""


@pytest.fixture
def nginx() -> str:
    found = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if found is None:
        pytest.skip("nginx: CONFIGURATION NOT TESTED, there is no nginx")
    return found


def written(folder: Path, *changes: tuple[str, str]) -> Path:
    """The page's file with its places in this folder, and these changes, each of which must be one."""
    text = FILE.read_text(encoding="utf-8")
    temporary = "".join(f"    {kind}_temp_path {folder};\n" for kind in ("client_body", "proxy"))
    places = [("user www-data;\n", ""), ("/run/nginx.pid", f"{folder}/pid"), ("http {\n", f"http {{\n{temporary}")]
    for old, new in (*places, ("/var/log/nginx/error.log", f"{folder}/error.log"), *changes):
        assert old in text, old
        text = text.replace(old, new)
    file = folder / "nginx.conf"
    file.write_text(text, encoding="utf-8")
    return file


@contextmanager
def running(nginx: str, folder: Path, port: int, servers: list[Unit]) -> Iterator[None]:
    """Before these processes, on this port, without TLS: the issuer of a test is plain http on loopback."""
    text = FILE.read_text(encoding="utf-8")
    upstream = re.search(r"(        server 10\..*?\n)(?=        keepalive )", text, re.DOTALL)
    tls = re.search(r"        ssl_certificate .*?ssl_session_cache [^\n]*\n", text, re.DOTALL)
    assert upstream is not None
    assert tls is not None
    each = "".join(f"        server {unit.address.removeprefix('http://')} max_fails=0;\n" for unit in servers)
    config = written(
        folder,
        (upstream[0], each),
        (tls[0], ""),
        ("listen 443 ssl http2", f"listen 127.0.0.1:{port}"),
        ("    server {\n        listen 80 default_server;\n        return 444;\n    }\n", ""),
        ("keepalive_timeout 4s", f"keepalive_timeout {LEAVE_SECONDS - 2}s"),
    )
    child = subprocess.Popen([nginx, "-e", f"{folder}/error.log", "-c", config, "-g", "daemon off;"])
    try:
        end = time.monotonic() + PATIENCE
        while not (folder / "pid").exists():
            assert child.poll() is None
            assert time.monotonic() < end
            time.sleep(0.02)
        yield
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(PATIENCE)


def test_nginx_reads_it(nginx: str, tmp_path: Path) -> None:
    words = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=broker.example"]
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")]
    subprocess.run(["openssl", "req", "-x509", *words, *files], check=True, capture_output=True)
    config = written(
        tmp_path,
        ("/etc/ssl/broker.pem", str(tmp_path / "cert.pem")),
        ("/etc/ssl/private/broker.key", str(tmp_path / "key.pem")),
    )
    command = [nginx, "-t", "-e", f"{tmp_path}/error.log", "-c", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


async def test_slow_callers_wait_in_nginx_and_are_let_go(nginx: str, tmp_path: Path, fleet: Fleet) -> None:
    with deployed(tmp_path, fleet, "broker.db", 1, own_only=True) as (folder, units_running):
        port = folder.settings.port
        with running(nginx, tmp_path, port, units_running):
            heads = [await slow(port, b"GET /v1/catalogue HTTP/1.1\r\nHost: ") for _ in range(SLOW)]
            bodies = [await slow(port, HALF_A_CALL) for _ in range(SLOW)]
            async with aiohttp.ClientSession() as http:
                async with http.get(f"{folder.settings.issuer}/v1/catalogue") as served:
                    assert served.status == 200
                async with http.get(f"{folder.settings.issuer}/metrics") as hidden:
                    assert hidden.status == 404
            async with asyncio.timeout(CLOSED_WITHIN):
                for reader, writer in (*heads, *bodies):
                    with contextlib.suppress(ConnectionError):
                        assert b" 200 " not in await reader.read()
                    writer.close()
            assert b"exchanges" not in folder.config.with_suffix(".log").read_bytes(), "a half body reached the broker"


async def slow(port: int, said: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    return reader, writer


@asynccontextmanager
async def before(nginx: str, place: Path, folder: Folder, each: list[Unit]) -> AsyncIterator[Load]:
    with running(nginx, place, folder.settings.port, each):
        async with load(folder) as calling:
            yield calling


async def test_processes_are_replaced_behind_it(nginx: str, tmp_path: Path, fleet: Fleet, postgresql_url: str) -> None:
    with deployed(tmp_path, fleet, postgresql_url, 2, own_only=True) as (folder, each):
        async with before(nginx, tmp_path, folder, each) as calling:
            for unit in each:
                await replace(unit, calling)
    assert folder.check().unfinished == 0
