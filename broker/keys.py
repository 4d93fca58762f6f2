"""The broker's own secrets, one file each, readable by their owner only.

Whoever holds log.key can sign another log, which receipts, witnesses and anchors show; issuer.key, sign answers in the
broker's name; subject-lookup.key, test guesses of id numbers; subject-wrapping.key together with the database, read
the names and numbers of people not erased.
"""

import base64
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from audit.checkpoint import LogSigner
from broker.secret_files import read_secret, write_secret
from broker.signing import SigningKey
from consent.subjects import SubjectKeys
from policies.strict_yaml import ConfigurationError

LOG: Final = "log.key"
ISSUER: Final = "issuer.key"
LOOKUP: Final = "subject-lookup.key"
WRAPPING: Final = "subject-wrapping.key"
SECRET_SIZE: Final = 32


@dataclass(frozen=True, slots=True)
class Keys:
    """Everything secret that the program holds."""

    log: LogSigner
    issuer: SigningKey
    """ES256. Signs answers that a requester wants signed (`exchange-response+jwt`) and `statuslist+jwt`."""
    subjects: SubjectKeys


def make_keys(folder: Path) -> None:
    """Make the four files. Never overwrites one: FileExistsError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, alg in ((LOG, "EdDSA"), (ISSUER, "ES256")):
        write_secret(folder / name, SigningKey.generate(alg).pem())
    for name in (LOOKUP, WRAPPING):
        write_secret(folder / name, base64.b64encode(secrets.token_bytes(SECRET_SIZE)))


def read_keys(folder: Path, log_origin: str) -> Keys:
    """Raises ConfigurationError where a file is missing, unreadable or readable by others."""
    log = load_pem_private_key(read_secret(folder / LOG), None)
    issuer = SigningKey.of(load_pem_private_key(read_secret(folder / ISSUER), None))
    if not isinstance(log, Ed25519PrivateKey):
        raise ConfigurationError(f"{folder / LOG}:1: not an Ed25519 key")
    if issuer.public.alg != "ES256":
        raise ConfigurationError(f"{folder / ISSUER}:1: not a P-256 key")
    subjects = SubjectKeys(_read_random(folder / LOOKUP), _read_random(folder / WRAPPING))
    return Keys(LogSigner(log_origin, log), issuer, subjects)


def _read_random(file: Path) -> bytes:
    try:
        secret = base64.b64decode(read_secret(file), validate=True)
    except ValueError as error:
        raise ConfigurationError(f"{file}:1: not base64") from error
    if len(secret) != SECRET_SIZE:
        raise ConfigurationError(f"{file}:1: not {SECRET_SIZE} bytes")
    return secret
