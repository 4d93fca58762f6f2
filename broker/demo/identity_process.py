"""The test identity provider as a child process, and how a broker is told of it."""

import http.client
import json
import os
import secrets
import selectors
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from broker.assurance import LevelName
from broker.demo.identity_app import ACR, Misbehaviour
from broker.login import Assurance
from broker.openid_settings import OpenidFile, OpenidSettings
from broker.secret_files import write_secret

CLIENT_ID: Final = "consent-broker"
SECRET: Final = "openid.secret"  # noqa: S105 - a file's name
_ROOT: Final = Path(__file__).resolve().parents[2]
_START_SECONDS: Final = 30.0
_END_SECONDS: Final = 5.0


@dataclass(slots=True)
class IdentityProcess:
    """A running provider. Whoever launches it stops it; if it dies, so does the provider."""

    secret: str = field(repr=False)
    child: "subprocess.Popen[bytes]"
    issuer: str = ""
    """Known once it is ready."""

    @classmethod
    def start(cls, secret_file: Path) -> Self:
        """Launch it and wait. Raises RuntimeError where it is not ready in time."""
        launched = cls.launch(secret_file)
        try:
            launched.wait_until_ready()
        except BaseException:
            launched.stop()
            raise
        return launched

    @classmethod
    def launch(cls, secret_file: Path) -> Self:
        """Make the client's secret and begin; waits for nothing."""
        secret = secrets.token_urlsafe(32)
        write_secret(secret_file, secret.encode())
        paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        words = ["--client-id", CLIENT_ID, "--secret-file", str(secret_file), "--end-with-stdin"]
        child = subprocess.Popen(  # noqa: S603 - our own module, no words from outside
            [sys.executable, "-m", "broker.demo.identity_provider", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
        return cls(secret, child)

    def wait_until_ready(self) -> None:
        """Raises RuntimeError where it is not ready in time."""
        self.issuer = _issuer(self.child)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def settings(self) -> OpenidSettings:
        """What a broker's settings say of it."""
        levels = {ACR[level.name.lower()]: level for level in Assurance}
        return OpenidSettings(self.issuer, CLIENT_ID, self.secret, levels, "openid", "name", "id_number")

    @property
    def block(self) -> OpenidFile:
        """The same as a configuration file has it; the secret's file is SECRET below `secrets`."""
        names: list[LevelName] = ["high", "substantial", "low"]
        return OpenidFile(self.issuer, CLIENT_ID, SECRET, {ACR[name]: name for name in names})

    def misbehave(self, misbehaviour: Misbehaviour) -> None:
        """From the next answer on; `none` ends it."""
        parts = urlsplit(self.issuer)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        try:
            connection.request("POST", "/misbehave", misbehaviour)
            if connection.getresponse().status != http.client.OK:
                raise ValueError(misbehaviour)
        finally:
            connection.close()

    def stop(self) -> None:
        """Safe to repeat."""
        _end(self.child)


def _issuer(child: "subprocess.Popen[bytes]") -> str:
    assert child.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        line = child.stdout.readline() if selector.select(_START_SECONDS) else b""
    if not line:
        raise RuntimeError("the test identity provider did not become ready")
    issuer: str = json.loads(line)["issuer"]
    return issuer


def _end(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is None:
        child.terminate()
    try:
        child.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            stream.close()
