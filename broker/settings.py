"""The one configuration file, read strictly: an unknown key, a wrong type or an unsafe value refuses to start."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from broker.assurance import AssuranceFile, AssuranceNeeded, read_assurance
from broker.backup_limits import BackupFile, BackupLimits, read_limits
from broker.database_setting import PostgresqlAddress, read_address
from broker.deadlines import Deadlines, DeadlinesFile, read_deadlines
from broker.figures.settings import FiguresFile, FiguresSettings, read_figures
from broker.load_limits import LoadFile, read_load
from broker.loopback import is_loopback
from broker.openid_settings import OpenidFile, OpenidSettings, read_openid
from broker.outward import Networks, read_networks
from broker.sealing import (
    TimestampSettings,
    TimestampsFile,
    WitnessesFile,
    WitnessSettings,
    read_timestamps,
    read_witnesses,
)
from broker.tracing_settings import TracingFile, TracingSettings, read_tracing
from broker.unusual_settings import UnusualFile, read_unusual
from policies.catalogue import SHIPPED_CATALOGUE
from policies.rule_files import SHIPPED_RULES
from policies.strict_yaml import Located, read_yaml
from policies.workdays import SHIPPED_WORKDAYS, Workdays, read_workdays


class Listen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    host: str = "127.0.0.1"
    port: int = 8400
    leave_seconds: float = 0
    """Between being told to end and closing: /readyz says so, and whoever calls is still served."""


class HostsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parts with a public address of their own, without a path; by default the issuer's."""

    citizens: str = ""
    staff: str = ""


class ConfigurationFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a changed catalogue, rules, routes or calendar may come into force."""

    second_person: bool = False
    """Only once two system administrators have said so on /operate/configuration."""


class AgreementsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the agreements that departments' stewards note are for."""

    required: bool = False
    """Whether an item leaves only under one that is in force; else they are noted and shown."""


class SettingsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may stand in the file. Paths are taken from the file's own folder."""

    issuer: str
    """The public address, without a path: what tokens name as `aud`."""
    listen: Listen = Listen()
    hosts: HostsFile = HostsFile()
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
    workdays: str = ""
    """The calendar of holidays and of the weekend days worked for them; by default the one that is shipped."""
    identity: Literal["none", "test", "openid"] = "none"
    """Who says who a person is: nobody, anybody (on loopback), or the provider of `openid`."""
    openid: OpenidFile | None = None
    """Needed by `identity: openid`; under `identity: test` both ways stand side by side."""
    assurance: AssuranceFile = AssuranceFile()
    hook_networks: list[str] = []
    """Networks off the public internet, such as 10.20.0.0/16, in which requesters may be told of events."""
    configuration: ConfigurationFile = ConfigurationFile()
    witnesses: WitnessesFile | None = None
    timestamps: TimestampsFile | None = None
    deadlines: DeadlinesFile = DeadlinesFile()
    figures: FiguresFile = FiguresFile()
    backup: BackupFile = BackupFile()
    agreements: AgreementsFile = AgreementsFile()
    unusual: UnusualFile = UnusualFile()
    load: LoadFile = LoadFile()
    tracing: TracingFile | None = None
    """Where traces of exchanges go; nowhere by default."""


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
    workdays: Workdays
    workdays_file: Path
    deadlines: Deadlines
    figures: FiguresSettings
    backup: BackupLimits
    assurance: AssuranceNeeded
    unusual: UnusualFile
    load: LoadFile
    openid: OpenidSettings | None = None
    hook_networks: Networks = ()
    witnesses: WitnessSettings | None = None
    timestamps: TimestampSettings | None = None
    citizens_host: str = ""
    staff_host: str = ""
    second_person: bool = False
    """Whether a changed configuration has to be approved before the program starts with it."""
    agreements_required: bool = False
    leave_seconds: float = 0
    tracing: TracingSettings | None = None

    @property
    def staff(self) -> str:
        """Where the pages of auditors, stewards and administrators are."""
        return self.staff_host or self.issuer

    @property
    def citizens(self) -> str:
        """Where citizens' pages are: what their browsers send as Origin, and where links to them lead."""
        return self.citizens_host or self.issuer

    @property
    def secure(self) -> bool:
        """Whether citizens come by https."""
        return self.citizens.startswith("https://")

    @property
    def staff_secure(self) -> bool:
        return self.staff.startswith("https://")


def read_settings(file: Path) -> Settings:
    """Raises ConfigurationError (file:line: what)."""
    given, located = read_yaml(file, SettingsFile)
    folder = file.resolve().parent
    host = _check_address(given.issuer, located, "issuer")
    citizens = _check_address(given.hosts.citizens, located, "hosts", "citizens") if given.hosts.citizens else host
    staff = _check_address(given.hosts.staff, located, "hosts", "staff") if given.hosts.staff else host
    if given.identity == "test" and not all(map(is_loopback, (given.listen.host, host, citizens, staff))):
        raise located.error("identity: test signs in anybody as anybody; it is refused but on loopback", "identity")
    _check_identity(given, located)
    database = _read_database(given, folder, located)
    workdays_file = folder / given.workdays if given.workdays else SHIPPED_WORKDAYS
    workdays = read_workdays(workdays_file)
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
        workdays=workdays,
        workdays_file=workdays_file,
        deadlines=read_deadlines(given.deadlines, workdays, located),
        figures=read_figures(given.figures, folder, located),
        backup=read_limits(given.backup, located),
        openid=read_openid(given.openid, folder / given.secrets, located),
        assurance=read_assurance(given.assurance),
        unusual=read_unusual(given.unusual, located),
        hook_networks=read_networks(given.hook_networks, located),
        witnesses=read_witnesses(given.witnesses, folder, located),
        timestamps=read_timestamps(given.timestamps, folder, located),
        citizens_host=given.hosts.citizens,
        staff_host=given.hosts.staff,
        second_person=given.configuration.second_person,
        agreements_required=given.agreements.required,
        leave_seconds=_read_leave(given.listen, located),
        load=read_load(given.load, located),
        tracing=read_tracing(given.tracing, located),
    )


def _read_leave(given: Listen, located: Located) -> float:
    if not 0 <= given.leave_seconds <= LONGEST_LEAVE:
        raise located.error(f"leave_seconds: 0 to {LONGEST_LEAVE}", "listen", "leave_seconds")
    return given.leave_seconds


def _check_identity(given: SettingsFile, located: Located) -> None:
    if given.identity == "openid" and given.openid is None:
        raise located.error("identity: openid needs the block openid, with the provider's issuer", "identity")
    if given.identity == "none" and given.openid is not None:
        raise located.error("the block openid is not used under identity: none", "openid")


def _read_database(given: SettingsFile, folder: Path, located: Located) -> Path | PostgresqlAddress:
    password_file = folder / given.secrets / given.database_secret if given.database_secret else None
    address = read_address(given.database, password_file, lambda message: located.error(message, "database"))
    return address if address is not None else folder / given.database


def _check_address(address: str, located: Located, *key: str) -> str:
    """The host of a public address."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    whole = f"{parts.scheme}://{parts.netloc}"
    if parts.scheme not in _SCHEMES or not host or whole != address or "@" in parts.netloc:
        raise located.error(f"{key[-1]} must be an address like https://broker.example, without a path", *key)
    if parts.scheme == "http" and not is_loopback(host):
        raise located.error("plain http would send citizens' sessions in clear; use https", *key)
    return host


LONGEST_LEAVE: Final = 300
_SCHEMES: Final = frozenset({"http", "https"})
