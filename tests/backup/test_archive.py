"""No byte of an archive is free: whatever is changed, left out or added is noticed, and named."""

import random
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from audit.errors import CheckpointError
from broker.backups.archive import Archive
from broker.backups.errors import BackupDamaged
from tests.backup.house import House

FLIPS = 600
"""Of what no digest covers, and of everything; others in each run."""


def opened(octets: bytes, vkey: str) -> Archive:
    archive = Archive(BytesIO(octets), lambda _: vkey)
    archive.check()
    return archive


def test_every_flipped_byte_is_noticed(small: House, backups: Path) -> None:
    small.grow("first", 1)
    octets = small.back_up(backups).file.read_bytes()
    opened(octets, small.vkey)
    with tarfile.open(fileobj=BytesIO(octets)) as tar:
        entries = tar.getmembers()
    outside = [*range(len(octets) - 1024, len(octets))]
    for entry in entries:
        end = entry.offset_data + entry.size
        outside += [*range(entry.offset, entry.offset_data), *range(end, end + -entry.size % 512)]
    chance = random.Random()
    changed = bytearray(octets)
    for position in {*chance.sample(outside, FLIPS), *chance.sample(range(len(octets)), FLIPS)}:
        bit = 1 << chance.randrange(8)
        changed[position] ^= bit
        with pytest.raises(BackupDamaged):
            opened(bytes(changed), small.vkey)
        changed[position] ^= bit
    assert changed == octets


def test_the_first_bad_member_is_named(small: House, backups: Path) -> None:
    octets = bytearray(small.back_up(backups).file.read_bytes())
    with tarfile.open(fileobj=BytesIO(octets)) as tar:
        entries = tar.getmembers()
    for entry in reversed(entries):
        octets[entry.offset_data + entry.size // 2] ^= 1
        with pytest.raises(BackupDamaged) as caught:
            opened(bytes(octets), small.vkey)
        assert caught.value.member == entry.name


def test_cut_short_anywhere_or_prolonged_it_is_damaged(small: House, backups: Path) -> None:
    octets = small.back_up(backups).file.read_bytes()
    for length in {*range(0, len(octets), 97), len(octets) - 1}:
        with pytest.raises(BackupDamaged):
            opened(octets[:length], small.vkey)
    with pytest.raises(BackupDamaged, match="the end"):
        opened(octets + b"\0", small.vkey)


def test_any_tar_opens_it(small: House, backups: Path, tmp_path: Path) -> None:
    made = small.back_up(backups)
    subprocess.run(["tar", "-xf", made.file, "-C", tmp_path], check=True)
    assert (tmp_path / "configuration/broker.yaml").read_bytes() == small.config.read_bytes()
    subprocess.run(["gunzip", tmp_path / "database/broker.db.gz"], check=True)
    assert (tmp_path / "database/broker.db").read_bytes().startswith(b"SQLite format 3\0")


def test_what_is_signed_is_never_a_checkpoint(small: House) -> None:
    with small.running() as running:
        signer = running.storage.ledger.signer
        for what, text in (("one-word", "1\n"), ("two words", "a\n\nb\n"), ("two words", "no end"), ("a b\nc", "d\n")):
            with pytest.raises(CheckpointError):
                signer.state(what, text)
