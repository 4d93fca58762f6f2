"""Signed notes, checkpoints and verifier keys of others, read strictly (C2SP signed-note, tlog-checkpoint)."""

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.errors import NoteRefused, SignatureRefused
from audit.merkle import HASH_LENGTH

LOG_KEY: Final = 0x01
WITNESS_KEY: Final = 0x04
"""Signature types (C2SP signed-note): a key made for one is never taken for the other."""
SIGNATURE_LIMIT: Final = 100
KEY_ID_LENGTH: Final = 4
_KEY_LENGTH: Final = 32
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_SIGNATURE: Final = re.compile(r"\N{EM DASH} ([^\s+]+) ([A-Za-z0-9+/=]+)")
_CHECKPOINT: Final = re.compile(r"([^\n]+)\n([^\n]+)\n([^\n]+)\n")


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line taken apart; nothing in it is verified."""

    name: str
    key_id: bytes
    unverified_octets: bytes
    line: str


@dataclass(frozen=True, slots=True)
class Note:
    """A note taken apart; nothing in it is verified. `text` ends with a newline."""

    text: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """Somebody's Ed25519 verifier key of one signature type."""

    name: str
    key_id: bytes
    key: Ed25519PublicKey
    vkey: str

    @property
    def unique_name(self) -> str:
        """Name and key id: a name alone may be that of an older key too."""
        return f"{self.name}+{self.key_id.hex()}"

    def signed(self, note: Note) -> tuple[Signature, ...]:
        """The signatures that are said to be this key's."""
        return tuple(one for one in note.signatures if (one.name, one.key_id) == (self.name, self.key_id))


@dataclass(frozen=True, slots=True)
class Tree:
    """What a checkpoint says; worth as much as the signatures on it."""

    origin: str
    size: int
    root: bytes


def read_vkey(vkey: str, signature_type: int) -> VerifierKey:
    """Read a verifier key of this type. Its id is computed anew and must be the one written. Raises NoteRefused."""
    name, _, rest = vkey.partition("+")
    key_id, _, encoded = rest.partition("+")
    check_name(name)
    material = read_base64(encoded)
    if len(material) != 1 + _KEY_LENGTH or material[0] != signature_type:
        raise NoteRefused("a verifier key is of another type")
    computed = hashlib.sha256(name.encode() + b"\n" + material).digest()[:KEY_ID_LENGTH]
    if computed.hex() != key_id:
        raise NoteRefused("a verifier key's id is not its own")
    return VerifierKey(name, computed, Ed25519PublicKey.from_public_bytes(material[1:]), vkey)


def check_name(name: str) -> None:
    """Raises NoteRefused unless this can name a key: not empty, without spaces, plus or control characters."""
    if not name or any(char == "+" or char.isspace() or char < " " or char == "\x7f" for char in name):
        raise NoteRefused("a key's name is empty, or has spaces, plus or control characters")


def read_note(octets: bytes) -> Note:
    """Take a signed note apart. Raises NoteRefused unless every line of it is well formed."""
    try:
        text, blank, block = octets.decode().rpartition("\n\n")
    except UnicodeDecodeError as error:
        raise NoteRefused("the note is not UTF-8") from error
    lines = block.split("\n")
    if not blank or not text or lines.pop() or not 0 < len(lines) <= SIGNATURE_LIMIT:
        raise NoteRefused("the note does not end in signature lines")
    if any(char < " " and char != "\n" for char in text + block):
        raise NoteRefused("the note has control characters")
    return Note(f"{text}\n", tuple(map(read_signature, lines)))


def read_signature(line: str) -> Signature:
    """Take a signature line, without its newline, apart. Raises NoteRefused."""
    found = _SIGNATURE.fullmatch(line)
    if found is None:
        raise NoteRefused("a signature line is malformed")
    try:
        octets = base64.b64decode(found[2], validate=True)
    except ValueError as error:
        raise NoteRefused("a signature line is not base64") from error
    if len(octets) <= KEY_ID_LENGTH:
        raise NoteRefused("a signature line is too short")
    # One that is not written in its one canonical way is taken for wrong, not for malformed: others' readers pass over
    # the spare bits, so it may well stand in a stranger's line, which is none of our business.
    canonical = base64.b64encode(octets).decode() == found[2]
    return Signature(found[1], octets[:KEY_ID_LENGTH], octets[KEY_ID_LENGTH:] if canonical else b"", line)


def verify_note(note: Note, keys: Iterable[VerifierKey]) -> tuple[Signature, ...]:
    """The lines by which these log keys signed the text. Raises SignatureRefused where none did, or one wrongly."""
    signatures = [(key, one) for key in keys for one in key.signed(note)]
    try:
        for key, one in signatures:
            key.key.verify(one.unverified_octets, note.text.encode())
    except InvalidSignature as error:
        raise SignatureRefused("invalid signature") from error
    if not signatures:
        raise SignatureRefused("invalid signature: no trusted key signed the note")
    return tuple(one for _, one in signatures)


def read_tree(text: str) -> Tree:
    """Read a checkpoint's text: origin, size, root and nothing else. Raises NoteRefused.

    Extension lines are refused: nobody here would know what a signature under them says.
    """
    found = _CHECKPOINT.fullmatch(text)
    if found is None:
        raise NoteRefused("the text is not origin, size and root")
    root = read_base64(found[3])
    if len(root) != HASH_LENGTH:
        raise NoteRefused("the root is not a hash")
    return Tree(found[1], read_size(found[2]), root)


def read_size(text: str) -> int:
    """Read a tree's size, written its one way. Raises NoteRefused."""
    if _SIZE.fullmatch(text) is None or int(text) >= 1 << 63:
        raise NoteRefused("a size is not a decimal number")
    return int(text)


def read_base64(text: str) -> bytes:
    """Decode base64 that is not empty and written in its one canonical way (RFC 4648, section 4)."""
    try:
        octets = base64.b64decode(text, validate=True)
    except ValueError:
        octets = b""
    if not octets or base64.b64encode(octets).decode() != text:
        raise NoteRefused("not strict base64")
    return octets
