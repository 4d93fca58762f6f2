"""A new desk's folder: configuration, keys and an empty database; and the card that other centres know it by."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import ECAlgorithm

from broker.desk.settings import DATABASE, HANDOVER, KEY, VAULT, DeskSettings
from broker.desk.store import Store
from broker.desk.vault import Vault
from broker.secret_files import write_secret
from broker.signing import SigningKey

CONFIGURATION: Final = "desk.yaml"


@dataclass(frozen=True, slots=True)
class NewDesk:
    broker: str
    log_vkey: str
    requester: str
    name_zh: str
    name_en: str
    case_prefix: str
    desks: tuple[str, ...]
    matters: tuple[str, ...]
    port: int


def found_desk(folder: Path, new: NewDesk) -> Path:
    """The configuration file. Nothing that exists is overwritten: FileExistsError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    given: dict[str, Any] = {
        "broker": new.broker,
        "log_vkey": new.log_vkey,
        "requester": new.requester,
        "name": {"zh": new.name_zh, "en": new.name_en},
        "case_prefix": new.case_prefix,
        "desks": list(new.desks),
        "matters": list(new.matters),
        "listen": {"host": "127.0.0.1", "port": new.port},
    }
    with (folder / CONFIGURATION).open("x", encoding="utf-8") as file:
        yaml.safe_dump(given, file, allow_unicode=True, sort_keys=False)
    write_secret(folder / KEY, SigningKey.generate().pem())
    opening = generate_private_key(SECP256R1())
    write_secret(folder / HANDOVER, opening.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    Vault.make(folder / VAULT)
    Store.create(folder / DATABASE).close()
    return folder / CONFIGURATION


def card_of(settings: DeskSettings) -> dict[str, Any]:
    """What other centres and the broker's operator get; it holds no secret."""
    return {
        "requester": settings.requester,
        "name_zh": settings.name.zh,
        "name_en": settings.name.en,
        "signs": dict(settings.key.public.jwk),
        "opens": ECAlgorithm.to_jwk(settings.handover.public_key(), as_dict=True),
    }
