"""The one configuration file, read strictly: an unknown key, a wrong type or an unsafe value refuses to start."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from broker.database_setting import PostgresqlAddress, read_address
from broker.loopback import is_loopback
from broker.outward import Networks, read_networks
from broker.sealing import (
    TimestampSettings,
    TimestampsFile,
    WitnessesFile,
    WitnessSettings,
    read_timestamps,
    read_witnesses,
)
from policies.catalogue import SHIPPED_CATALOGUE
from policies.rule_files import SHIPPED_RULES
from policies.strict_yaml import Located, read_yaml


class Listen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    host: str = "127.0.0.1"
    port: int = 8400


class SettingsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may stand in the file. Paths are taken from the file's own folder."""

    issuer: str
    """The public address, without a path: what tokens name as `aud`, and what citizens' browsers send as Origin."""
    listen: Listen = Listen()
    database: str = "broker.db"
    """A file's name (SQLite), or `postgresql://user@host/name`."""
    database_secret: str = ""
    """The file below `secrets` that holds the PostgreSQL user's password."""
    secrets: str = "secrets"
    routes: str = "departments.yaml"
    route_secrets: str = "secrets"
    anchor: str = ""
    """The file that keeps the log's last size outside the database, best on another disk; by default beside it."""
    clock_limit: int = 60
    """Seconds that the clock may lie behind the log before everything stops."""
    log_origin: str = ""
    """The log's name in checkpoints; by default the issuer's host and `/log`."""
    catalogue: str = ""
    rules: str = ""
    identity: Literal["none", "test"] = "none"
    hook_networks: list[str] = []
    """Networks off the public internet, such as 10.20.0.0/16, in which requesters may be told of events."""
    witnesses: WitnessesFile | None = None
    timestamps: TimestampsFile | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in force, with every path resolved."""

    issuer: str
    host: str
    port: int
    database: Path | PostgresqlAddress
    secrets: Path
    routes: Path
    route_secrets: Path
    anchor: Path
    clock_limit: int
    log_origin: str
    catalogue: Path
    rules: Path
    test_identity: bool
    hook_networks: Networks = ()
    witnesses: WitnessSettings | None = None
    timestamps: TimestampSettings | None = None

    @property
    def secure(self) -> bool:
        return self.issuer.startswith("https://")


def read_settings(file: Path) -> Settings:
    """Raises ConfigurationError (file:line: what)."""
    given, located = read_yaml(file, SettingsFile)
    folder = file.resolve().parent
    host = _check_issuer(given, located)
    if given.identity == "test" and not (is_loopback(given.listen.host) and is_loopback(host)):
        raise located.error("identity: test signs in anybody as anybody; it is refused but on loopback", "identity")
    database = _read_database(given, folder, located)
    return Settings(
        issuer=given.issuer,
        host=given.listen.host,
        port=given.listen.port,
        database=database,
        secrets=folder / given.secrets,
        routes=folder / given.routes,
        route_secrets=folder / given.route_secrets,
        anchor=folder / (given.anchor or f"{given.database if isinstance(database, Path) else 'broker'}.anchor"),
        clock_limit=given.clock_limit,
        log_origin=given.log_origin or f"{host}/log",
        catalogue=folder / given.catalogue if given.catalogue else SHIPPED_CATALOGUE,
        rules=folder / given.rules if given.rules else SHIPPED_RULES,
        test_identity=given.identity == "test",
        hook_networks=read_networks(given.hook_networks, located),
        witnesses=read_witnesses(given.witnesses, folder, located),
        timestamps=read_timestamps(given.timestamps, folder, located),
    )


def _read_database(given: SettingsFile, folder: Path, located: Located) -> Path | PostgresqlAddress:
    password_file = folder / given.secrets / given.database_secret if given.database_secret else None
    address = read_address(given.database, password_file, lambda message: located.error(message, "database"))
    return address if address is not None else folder / given.database


def _check_issuer(given: SettingsFile, located: Located) -> str:
    parts = urlsplit(given.issuer)
    host = parts.hostname or ""
    whole = f"{parts.scheme}://{parts.netloc}"
    if parts.scheme not in _SCHEMES or not host or whole != given.issuer or "@" in parts.netloc:
        raise located.error("issuer must be an address like https://broker.example, without a path", "issuer")
    if parts.scheme == "http" and not is_loopback(host):
        raise located.error("plain http would send citizens' sessions in clear; use https", "issuer")
    return host


_SCHEMES: Final = frozenset({"http", "https"})
