"""Batch files behind SFTP: the host's key is pinned, ours comes from the secrets folder, each visit is a session."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec

from connectors.drops import LARGEST, check_size, folder_missing, temporary, within_limit
from connectors.route import Place
from connectors.secret_files import Secret
from connectors.trouble import DepartmentError
from policies.vocabulary import Outcome

try:  # an extra: only who has such a department needs it
    import asyncssh
except ImportError:  # pragma: no cover - the extra `files` is part of every test
    asyncssh = None  # type: ignore[assignment]

_CONNECT_SECONDS: Final = 10
_BLOCK: Final = 1 << 15
"""Bytes in one request: what every server takes."""
_ONE_BY_ONE: Final = 0
"""Else the library asks for many blocks at once, in tasks that nobody ends when a deadline cuts the visit short."""
_TOO_MANY: Final = 12
"""SSH_DISCONNECT_TOO_MANY_CONNECTIONS (RFC 4250, 4.2.2)."""


class SftpServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where, as whom, with which key, and which key the host must show; keys by file of the secrets folder."""

    host: Annotated[str, msgspec.Meta(min_length=1)]
    user: Annotated[str, msgspec.Meta(min_length=1)]
    key: str
    """Our private key (OpenSSH form)."""
    host_key: str
    """The host's public key, one line in OpenSSH's form; any other host is refused."""
    outbox: str
    inbox: str
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 22


@dataclass(frozen=True, slots=True)
class SftpKeys:
    own: Secret
    host: Secret


def check_keys(keys: SftpKeys, place: Place) -> None:
    """Raises ConfigurationError for keys that cannot be read, and where the extra is not installed."""
    if asyncssh is None:
        raise place.error("SFTP needs the extra `files` (asyncssh)")
    try:
        asyncssh.import_private_key(keys.own.text + "\n")
    except asyncssh.KeyImportError:
        raise place.at("key").error("this is no private key in OpenSSH's form") from None
    try:
        asyncssh.import_public_key(keys.host.text)
    except asyncssh.KeyImportError:
        raise place.at("host_key").error("this is no public key in OpenSSH's form") from None


class SftpDrop:
    """Holds no connection between two visits: what comes once a night needs none."""

    def __init__(self, server: SftpServer, keys: SftpKeys) -> None:
        self._server = server
        self._keys = keys

    async def leave(self, name: str, content: bytes) -> None:
        aside, whole = (f"{self._server.outbox}/{one}" for one in (temporary(name), name))
        async with self._visit() as sftp:
            async with sftp.open(aside, "wb", block_size=_ONE_BY_ONE) as file:
                for start in range(0, len(content), _BLOCK):
                    await file.write(content[start : start + _BLOCK])
            await sftp.posix_rename(aside, whole)

    async def find(self, name: str) -> bytes | None:
        async with self._visit() as sftp:
            try:
                async with sftp.open(f"{self._server.inbox}/{name}", "rb", block_size=_ONE_BY_ONE) as file:
                    check_size((await file.stat()).size or 0)  # four megabytes would be carried here to be refused
                    content = await _read(file)
            except asyncssh.SFTPNoSuchFile:
                if not await sftp.isdir(self._server.inbox):
                    raise folder_missing() from None
                return None
        return within_limit(content)

    async def aclose(self) -> None:
        pass

    def _visit(self) -> AbstractAsyncContextManager[Any]:
        return _session(self._server, self._keys)


async def _read(file: Any) -> bytes:
    """A little more than is accepted, to notice too much."""
    content = bytearray()
    while len(content) <= LARGEST and (piece := await file.read(_BLOCK)):
        content += piece
    return bytes(content)


@asynccontextmanager
async def _session(server: SftpServer, keys: SftpKeys) -> AsyncIterator[Any]:
    """One session. The library's words may quote names and paths, so only the kind of failure is kept."""
    pinned = asyncssh.import_public_key(keys.host.text)
    try:
        async with (
            asyncssh.connect(
                server.host,
                server.port,
                username=server.user,
                client_keys=[asyncssh.import_private_key(keys.own.text + "\n")],
                known_hosts=([pinned], [], []),
                config=None,
                agent_path=None,
                connect_timeout=_CONNECT_SECONDS,
            ) as connection,
            connection.start_sftp_client() as sftp,
        ):
            yield sftp
    except asyncssh.HostKeyNotVerifiable:
        raise DepartmentError(Outcome.DEPARTMENT_DOWN, "host_key") from None
    except (asyncssh.PermissionDenied, asyncssh.SFTPPermissionDenied):
        raise DepartmentError(Outcome.AUTH_FAILED, "ssh_permission") from None
    except asyncssh.SFTPError as error:
        raise DepartmentError(Outcome.DEPARTMENT_DOWN, f"sftp_{error.code}") from None
    except asyncssh.Error as error:
        outcome = Outcome.QUOTA if error.code == _TOO_MANY else Outcome.DEPARTMENT_DOWN
        raise DepartmentError(outcome, f"ssh_{error.code}") from None
