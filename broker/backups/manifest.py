"""What a backup holds, signed by the log's own key.

That key and no other: its public half is what operators and auditors have pinned already, so a backup can be checked
where nothing else of the broker is left. The log proves itself, but the tables beside it (grants, keys, requesters) are
proven by nothing else: unsigned, whoever can write to the backups' disk could have a made-up state restored.
"""

import re
from datetime import datetime
from typing import Final, Literal

import msgspec

from audit import verify
from audit.checkpoint import LogSigner
from audit.errors import NoteRefused
from audit.note import read_note
from broker.backups.errors import BackupDamaged

FORM: Final = "consent-broker backup v1"
"""The signed note's first line. Another format is another line, which this program refuses."""
NAME: Final = "manifest"
_MEMBER: Final = re.compile(r"(?!.*(?:^|/)\.{1,2}(?:/|$))[^/\x00-\x1f][^\x00-\x1f]*")

Store = Literal["sqlite", "postgresql"]


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file in the archive, as it is stored there."""

    name: str
    size: int
    sha256: str


class Loaded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """SHA-256 of the four files that the log last recorded as loaded; empty before the first start."""

    catalogue: str = ""
    rules: str = ""
    routes: str = ""
    workdays: str = ""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    backup: str
    made_at: str
    """RFC 3339, when the copy's moment was."""
    origin: str
    size: int
    root: str
    """The log in the copy: its name, entries and root (hex)."""
    store: Store
    revision: str
    loaded: Loaded
    columns: dict[str, list[str]] = {}
    """Of PostgreSQL: each table's columns in the order they were copied."""
    configuration: str
    """The name of the configuration file among the members below `configuration/`."""
    elsewhere: list[str]
    """What a restored broker needs and this backup does not hold in clear."""
    sealed_to: str = ""
    """Hex SHA-256 of the public key that the secrets are sealed to; empty where they are left out."""
    members: list[Member]


class _Dated(msgspec.Struct, frozen=True):
    made_at: str


def sign(manifest: Manifest, signer: LogSigner) -> bytes:
    """The signed note that stands first in the archive."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=1).decode()
    return signer.state(FORM, f"{text}\n")


def unverified_signer(note: bytes) -> str:
    """The name under which it says it was signed: only to find out which key would have to have signed it."""
    try:
        (signature,) = read_note(note).signatures
    except (NoteRefused, ValueError) as error:
        raise BackupDamaged(NAME, "not a note with one signature") from error
    return signature.name


def unverified_time(note: bytes) -> str:
    """When it says it was made: only to choose which one to hold against the key."""
    try:
        _, _, text = read_note(note).text.partition("\n")
        return msgspec.json.decode(text, type=_Dated).made_at
    except (NoteRefused, msgspec.MsgspecError) as error:
        raise BackupDamaged(NAME, "it does not say when it was made") from error


def seconds_of(manifest: Manifest) -> int:
    """When the copy's moment was, since 1970."""
    return int(datetime.fromisoformat(manifest.made_at).timestamp())


def open_manifest(note: bytes, vkey: str) -> Manifest:
    """Raises BackupDamaged unless this key signed it."""
    try:
        form, _, text = verify.open_text(note, vkey).partition("\n")
    except verify.VerificationError as error:
        raise BackupDamaged(NAME, f"not signed by the log's key: {error.problems[0].detail}") from error
    if form != FORM:
        raise BackupDamaged(NAME, f"not a backup that this program reads ({FORM})")
    try:
        manifest = msgspec.json.decode(text, type=Manifest)
    except msgspec.MsgspecError as error:
        raise BackupDamaged(NAME, "not of this format") from error
    if manifest.origin != verify.parse_vkey(vkey)[0]:
        raise BackupDamaged(NAME, "it is signed in the name of another log")
    names = [member.name for member in manifest.members]
    if len(set(names)) != len(names) or not all(map(_MEMBER.fullmatch, names)):
        raise BackupDamaged(NAME, "a member has no name of its own, or leads out of the archive")
    return manifest
