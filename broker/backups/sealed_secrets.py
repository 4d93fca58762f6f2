"""The broker's secrets in a backup: left out, or sealed to a public key whose private half is kept somewhere else.

Whoever has a backup and these files could sign as the broker and read every person's details; so they are never in a
backup in clear. Sealing is HPKE (RFC 9180: X25519, HKDF-SHA256, AES-256-GCM). A pair of keys is made with openssl:

    openssl genpkey -algorithm X25519 -out backup.key && openssl pkey -in backup.key -pubout -out backup.pub
"""

import hashlib
import io
import tarfile
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from broker.backups.archive import packed
from broker.backups.errors import BackupDamaged, BackupRefused
from broker.backups.staging import write_whole
from broker.secret_files import read_secret
from broker.settings import Settings
from policies.strict_yaml import ConfigurationError

MEMBER: Final = "secrets.hpke"
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def secret_files(settings: Settings) -> dict[str, Path]:
    """Every file in the two folders of secrets, by the name it has in a backup."""
    found = {}
    same = settings.route_secrets.resolve() == settings.secrets.resolve()
    for kind, folder in list(_folders(settings).items())[: 1 if same else None]:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                found[f"{kind}/{file.relative_to(folder).as_posix()}"] = file
    return found


def read_recipient(file: Path) -> X25519PublicKey:
    """Raises ConfigurationError."""
    try:
        key = load_pem_public_key(file.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{file}:1: not a public key (PEM)") from error
    if not isinstance(key, X25519PublicKey):
        raise ConfigurationError(f"{file}:1: not an X25519 public key")
    return key


def fingerprint(key: X25519PublicKey) -> str:
    """Hex SHA-256 of the public key's 32 bytes."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()


def seal(settings: Settings, recipient: X25519PublicKey, backup: str) -> bytes:
    """All secrets, for this backup and no other. Raises ConfigurationError where one may be read by others."""
    files = [(name, read_secret(file)) for name, file in secret_files(settings).items()]
    return _SUITE.encrypt(packed(files), recipient, info=_bound_to(backup))


def unseal(sealed: bytes, key_file: Path, backup: str) -> dict[str, bytes]:
    """The secrets by their names. Raises ConfigurationError, or BackupRefused where they are sealed to another key."""
    key = load_pem_private_key(read_secret(key_file), None)
    if not isinstance(key, X25519PrivateKey):
        raise ConfigurationError(f"{key_file}:1: not an X25519 private key")
    try:
        opened = _SUITE.decrypt(sealed, key, info=_bound_to(backup))
    except (InvalidTag, ValueError) as error:
        raise BackupRefused("the secrets in this backup are sealed to another key") from error
    with tarfile.open(fileobj=io.BytesIO(opened), mode="r:") as tar:
        return {entry.name: _content(tar, entry) for entry in tar}


def put_back(secrets: dict[str, bytes], settings: Settings) -> list[str]:
    """Write those that are missing; their names. Where one differs, raises BackupRefused before anything is written."""
    folders = _folders(settings)
    places = {name: folders[name.partition("/")[0]] / name.partition("/")[2] for name in secrets}
    for name, place in places.items():
        if place.exists() and place.read_bytes() != secrets[name]:
            raise BackupRefused(f"{place}: is there already and is not the one in the backup")
    missing = [name for name, place in places.items() if not place.exists()]
    for name in missing:
        places[name].parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(places[name], secrets[name])
    return missing


def _folders(settings: Settings) -> dict[str, Path]:
    return {"secrets": settings.secrets, "route_secrets": settings.route_secrets}


def _bound_to(backup: str) -> bytes:
    return f"consent-broker secrets of {backup}".encode()


def _content(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    stream = tar.extractfile(entry)
    if stream is None:
        raise BackupDamaged(MEMBER, "it holds something that is not a file")
    return stream.read()
