"""Secrets are not in a backup, or only for who holds the recipient's private key; then one file is a whole broker."""

import gzip
import shutil
import tarfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from broker.backup_record import DONE
from broker.backups.errors import BackupRefused
from broker.backups.sealed_secrets import read_recipient
from broker.secret_files import write_secret
from policies.strict_yaml import ConfigurationError
from tests.backup.house import House


def pair(folder: Path, name: str) -> tuple[Path, Path]:
    """What `openssl genpkey` and `openssl pkey -pubout` write."""
    key = X25519PrivateKey.generate()
    private, public = folder / f"{name}.key", folder / f"{name}.pub"
    write_secret(private, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


def everything_in(file: Path) -> bytes:
    """Of an archive, as it is and unpacked."""
    content = [file.read_bytes()]
    with tarfile.open(file) as tar:
        for entry in tar:
            stream = tar.extractfile(entry)
            assert stream is not None
            content.append(gzip.decompress(stream.read()) if entry.name.endswith(".gz") else stream.read())
    return b"".join(content)


@pytest.mark.parametrize("sealed", [False, True])
def test_no_secret_is_in_a_backup_in_clear(small: House, backups: Path, tmp_path: Path, sealed: bool) -> None:
    _, public = pair(tmp_path, "safe")
    write_secret(small.settings.route_secrets / "gateway-key", b"a-gateways-secret-in-clear")
    held = everything_in(small.back_up(backups, read_recipient(public) if sealed else None).file)
    for file in small.settings.secrets.iterdir():
        lines = file.read_bytes().splitlines()
        assert not [line for line in lines if len(line) > 20 and b"-----" not in line and line in held], file.name


def test_on_a_bare_machine_one_file_and_two_keys_are_enough(small: House, backups: Path, tmp_path: Path) -> None:
    private, public = pair(tmp_path, "safe")
    small.grow("first")
    pinned = small.vkey
    made = small.back_up(backups, read_recipient(public))
    assert made.manifest.elsewhere == []
    shutil.rmtree(small.folder)
    small.folder.mkdir()
    with pytest.raises(BackupRefused, match="--key"):
        small.restore(made.file, unseal=private)
    assert list(small.folder.iterdir()) == []
    restored = small.restore(made.file, unseal=private, pinned=pinned, newest=True)
    assert restored.outcome == DONE
    assert {"configuration/broker.yaml", "configuration/departments.yaml", "secrets/log.key"} <= set(restored.put_back)
    small.grow("later")
    small.hold_receipts()


def test_only_the_recipient_opens_them(small: House, backups: Path, tmp_path: Path) -> None:
    _, public = pair(tmp_path, "safe")
    stranger, _ = pair(tmp_path, "stranger")
    made = small.back_up(backups, read_recipient(public))
    small.lose_database()
    with pytest.raises(BackupRefused, match="another key"):
        small.restore(made.file, unseal=stranger)
    with pytest.raises(ConfigurationError, match="not a public key"):
        read_recipient(stranger)


def test_a_secret_that_is_there_is_never_replaced(small: House, backups: Path, tmp_path: Path) -> None:
    private, public = pair(tmp_path, "safe")
    made = small.back_up(backups, read_recipient(public))
    small.lose_database()
    issuer, lookup = small.settings.secrets / "issuer.key", small.settings.secrets / "subject-lookup.key"
    issuer.unlink()
    lookup.write_bytes(b"renewed since")
    with pytest.raises(BackupRefused, match="subject-lookup"):
        small.restore(made.file, unseal=private)
    assert not issuer.exists(), "half of them were put back"
    assert lookup.read_bytes() == b"renewed since"


def test_a_configuration_that_differs_is_left_alone_and_told(small: House, backups: Path) -> None:
    made = small.back_up(backups)
    small.lose_database()
    routes = small.folder / "departments.yaml"
    routes.write_text("items: []  # changed since\n", encoding="utf-8")
    restored = small.restore(made.file)
    assert restored.differing == ["configuration/departments.yaml"]
    assert routes.read_text(encoding="utf-8") == "items: []  # changed since\n"
