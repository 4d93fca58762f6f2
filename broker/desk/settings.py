"""The desk's one configuration file, read strictly; whoever holds the files that it names acts as this centre."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from audit import verify
from broker.desk.partners import Partner, read_partner
from broker.desk.vault import Vault
from broker.loopback import is_loopback
from broker.secret_files import read_secret
from broker.signing import SigningKey
from policies.identifiers import read_identifier, read_label
from policies.strict_yaml import Located, read_yaml

LONGEST_IDLE: Final = 60
KEY: Final = "requester.pem"
VAULT: Final = "vault.key"
HANDOVER: Final = "handover.pem"
DATABASE: Final = "desk.db"


class Listen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    host: str = "127.0.0.1"
    port: int = 8420


class Names(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    zh: str
    en: str


class DeskFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may stand in the file. Paths are taken from the file's own folder."""

    broker: str
    """The broker's address, as its tokens name it."""
    log_vkey: str
    """The verifier key of the broker's log, got from elsewhere than the broker: receipts are held against it."""
    requester: str
    name: Names
    case_prefix: str
    """How this centre's case numbers begin, such as YZ."""
    desks: list[str]
    """The windows that this program serves, as the log names them."""
    matters: list[str] = []
    """What is done at these windows; by default all that the catalogue has for a fund centre."""
    address: str = ""
    """Where clerks' browsers find it; by default the address that it listens on."""
    listen: Listen = Listen()
    key: str = KEY
    vault: str = VAULT
    handover: str = HANDOVER
    database: str = DATABASE
    idle_minutes: int = 10
    """After so long without a key pressed the window locks itself."""
    partners: list[str] = []
    """Cards of other centres (`broker desk card`) that cases are handed over to and taken from."""


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """The settings in force."""

    broker: str
    log_vkey: str
    requester: str
    name: Names
    case_prefix: str
    desks: tuple[str, ...]
    matters: tuple[str, ...]
    address: str
    listen: Listen
    database: Path
    idle: int
    """Seconds."""
    partners: Mapping[str, Partner]
    key: SigningKey = field(repr=False)
    vault: Vault = field(repr=False)
    handover: EllipticCurvePrivateKey = field(repr=False)

    @property
    def secure(self) -> bool:
        return self.address.startswith("https://")


def read_desk_settings(file: Path) -> DeskSettings:
    """Raises ConfigurationError (file:line: what)."""
    given, located = read_yaml(file, DeskFile)
    folder = file.resolve().parent
    address = given.address or f"http://{given.listen.host}:{given.listen.port}"
    _check(given, located)
    _check_address(given.broker, located, "broker")
    _check_address(address, located, "address" if given.address else "listen")
    partners = [read_partner(folder / name) for name in given.partners]
    return DeskSettings(
        broker=given.broker,
        log_vkey=given.log_vkey,
        requester=given.requester,
        name=given.name,
        case_prefix=given.case_prefix,
        desks=tuple(given.desks),
        matters=tuple(given.matters),
        address=address,
        listen=given.listen,
        database=folder / given.database,
        idle=given.idle_minutes * 60,
        partners={one.requester: one for one in partners},
        key=_signing_key(folder / given.key, located),
        vault=Vault.read(folder / given.vault),
        handover=_handover_key(folder / given.handover, located),
    )


def _check(given: DeskFile, located: Located) -> None:
    try:
        verify.parse_vkey(given.log_vkey)
    except verify.VerificationError:
        raise located.error("not a log's verifier key", "log_vkey") from None
    for member in ("requester", "case_prefix"):
        try:
            read_identifier(getattr(given, member), range(1, 33))
        except ValueError as error:
            raise located.error(str(error), member) from None
    if not given.desks:
        raise located.error("name at least one window", "desks")
    for place, desk in enumerate(given.desks):
        try:
            read_label(desk)
        except ValueError as error:
            raise located.error(str(error), "desks", place) from None
    if not 1 <= given.idle_minutes <= LONGEST_IDLE:
        raise located.error(f"1 to {LONGEST_IDLE}", "idle_minutes")


def _check_address(address: str, located: Located, member: str) -> None:
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or f"{parts.scheme}://{parts.netloc}" != address or "@" in parts.netloc:
        raise located.error("must be an address like https://desk.example, without a path", member)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise located.error("plain http would send people's data in clear; use https", member)


def _signing_key(file: Path, located: Located) -> SigningKey:
    try:
        return SigningKey.of(load_pem_private_key(read_secret(file), None))
    except (ValueError, TypeError):
        raise located.error("not an unencrypted P-256 or Ed25519 private key in PEM", "key") from None


def _handover_key(file: Path, located: Located) -> EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(read_secret(file), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise located.error("not an unencrypted P-256 private key in PEM", "handover")
    return key
