"""Which key must have signed a backup: the one pinned by whoever asks, else the log's own key that lies here."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from audit.checkpoint import LogSigner
from broker.backups.errors import BackupDamaged, BackupRefused
from broker.keys import LOG
from broker.secret_files import read_secret
from broker.settings import Settings
from policies.strict_yaml import ConfigurationError


def vkey_for(name: str, pinned: str, settings: Settings | None) -> str:
    """The verifier key to hold a backup against that says it was signed by `name`.

    Raises BackupDamaged where it was signed as another log, BackupRefused where there is no key to trust.
    """
    if pinned:
        return pinned
    if settings is None or not (settings.secrets / LOG).exists():
        raise BackupRefused(f"there is no {LOG} here to hold it against: give the verifier key you pinned (--key)")
    if name != settings.log_origin and not name.startswith(f"{settings.log_origin}/fork-"):
        raise BackupDamaged("manifest", f"it is signed as another log than {settings.log_origin}")
    return own_signer(settings, name).vkey


def own_signer(settings: Settings, origin: str) -> LogSigner:
    """The log's key that lies here. Raises ConfigurationError."""
    key = load_pem_private_key(read_secret(settings.secrets / LOG), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(f"{settings.secrets / LOG}:1: not an Ed25519 key")
    return LogSigner(origin, key)
