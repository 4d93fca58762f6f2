"""Test department: the tax office (税务局) by nightly batch files, in folders that it also shows by SFTP.

A batch is taken once its marker is there, and answered `seconds` later: GBK lines, written aside, renamed, marker last.
"""

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import asyncssh
from starlette.applications import Starlette

from connectors.departments.exchange_database import filed
from connectors.departments.lateness import Desk
from connectors.departments.people import somebody_else
from connectors.departments.serving import arguments, serve
from connectors.files import marker_of

REQUESTS: Final = "requests"
RESPONSES: Final = "responses"
HOST_KEY: Final = "host_key.pub"
CLIENT_KEY: Final = "client_key"
PORT_FILE: Final = "sftp_port"
USER: Final = "yz-hpf"
_LOOK_EVERY: Final = 0.2
_NO_DATA: Final = "01"
_REFUSED: Final = "20"
_HUGE: Final = 100_000_000
_MANY: Final = 10_000
_TOO_MANY: Final = 12
"""SSH_DISCONNECT_TOO_MANY_CONNECTIONS (RFC 4250, 4.2.2)."""


class Night:
    """The batch job; it looks far more often than a night comes."""

    def __init__(self, store: Path) -> None:
        self.desk = Desk()
        self._requests, self._responses = store / REQUESTS, store / RESPONSES
        for folder in (self._requests, self._responses):
            folder.mkdir(exist_ok=True)
        self._seen: dict[Path, float] = {}

    async def work(self) -> None:
        """For ever."""
        while True:
            for marker in self._requests.glob("*.md5"):
                begun = self._seen.setdefault(marker, time.monotonic())
                if time.monotonic() - begun >= self.desk.fault.seconds and not self.desk.holds:
                    self._answer(marker)
            await asyncio.sleep(_LOOK_EVERY)

    def _answer(self, marker: Path) -> None:
        request = marker.with_suffix("")
        content = request.read_bytes()
        assert marker_of("md5", request.name, content)[1] == marker.read_bytes().strip(), "the asker's marker is wrong"
        lines = [cells for line in content.decode("gbk").splitlines() for cells in self._lines(line.split("|"))]
        if self.desk.is_meant("long"):
            lines += [["somebody else's", _NO_DATA, *[""] * 11]] * _MANY
        whole = "".join("|".join(cells) + "\r\n" for cells in lines).encode("gbk")
        name = request.name.replace("QQ", "FK")
        told = whole[: len(whole) // 2] if self.desk.is_meant("truncated") else whole
        for file, written in ((name, told), marker_of("md5", name, whole)):
            aside = self._responses / f"{file}.part"
            aside.write_bytes(written)
            if self.desk.is_meant("huge") and file == name:
                os.truncate(aside, _HUGE)
            aside.rename(self._responses / file)
        for done in (marker, request):
            done.unlink()

    def _lines(self, cells: list[str]) -> Iterator[list[str]]:
        number, _, asked, date_from, date_to = cells[:5]
        if self.desk.is_meant("not_hers"):
            yield from ([f"{number}0", "00", *row] for row in filed(somebody_else(asked).person.id_number, "none"))
            return
        fault = self.desk.fault.fault
        limits = (date_from.replace("-", ""), date_to.replace("-", "") or "99999999")
        rows = [row for row in filed(asked, fault) if limits[0] <= row[8] <= limits[1]]
        if fault == "refused":
            yield [number, _REFUSED, *[""] * 11]
        elif not rows:
            yield [number, _NO_DATA, *[""] * 11]
        for row in rows if fault != "refused" else []:
            yield [number, "00", *(row[:-1] if fault == "wrong_schema" else row)]


class Shown(asyncssh.SFTPServer):
    """The folders as callers see them, by some habits not at all."""

    desk: Desk

    def __init__(self, channel: "asyncssh.SSHServerChannel[bytes]", store: Path) -> None:
        super().__init__(channel, chroot=os.fsencode(store))

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        if self.desk.is_meant("500"):
            raise asyncssh.SFTPFailure("no space left on device")
        return super().open(path, pflags, attrs)


class Host(asyncssh.SSHServer):
    """Lets no more callers in while it is told so."""

    desk: Desk

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn

    def begin_auth(self, username: str) -> bool:
        del username
        if self.desk.is_meant("429"):
            self._connection.disconnect(_TOO_MANY, "too many connections")
        return True


def main() -> None:
    """Run until told to end."""
    given = arguments("test department: tax office by batch files")
    given.store.mkdir(parents=True, exist_ok=True)
    night = Night(given.store)
    Shown.desk = Host.desk = night.desk
    host, client, other = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(3))
    _write(given.store / HOST_KEY, host.export_public_key())
    _write(given.store / CLIENT_KEY, client.export_private_key())
    listener = socket.create_server(("127.0.0.1", 0))
    (given.store / PORT_FILE).write_text(str(listener.getsockname()[1]), encoding="utf-8")
    allowed = asyncssh.import_authorized_keys(client.export_public_key().decode())

    async def beside() -> None:
        acceptor = await asyncssh.listen(
            sock=listener,
            server_factory=Host,
            server_host_keys=[host],
            authorized_client_keys=allowed,
            sftp_factory=lambda channel: Shown(channel, given.store),
            config=None,
        )
        night.desk.when_bent = lambda: acceptor.update(
            server_host_keys=[other if night.desk.is_meant("wrong_host_key") else host]
        )
        await night.work()

    serve(Starlette(routes=night.desk.routes), given, beside=beside)


def _write(file: Path, content: bytes) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(content)


if __name__ == "__main__":
    main()
