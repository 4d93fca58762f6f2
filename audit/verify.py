"""Check an export of the log, one receipt or an evidence package, with no server code: copy this one file anywhere.

    python verify.py DIR --key VKEY [--since OLD_CHECKPOINT_FILE] [--witness VKEY ...] [--json]
    python verify.py --receipt FILE.json --key VKEY [--json]
    python verify.py --package FILE.zip --key VKEY --signer THUMBPRINT [--json]

Needs Python 3.11 and `cryptography`. It shares no code with the broker on purpose: a second, independent reading of
RFC 9162 (trees), C2SP signed-note, tlog-checkpoint, tlog-tiles, tlog-proof and RFC 8785 (canonical JSON). VKEY is the
log's verifier key, got from somewhere you trust and never from the folder under test. Keep the checkpoint of each run:
`--since` is what shows a log that was truncated or rewritten; each `--witness` must have cosigned the log (C2SP
tlog-cosignature). Time stamps (RFC 3161) are tied to the log here and checked by `openssl ts -verify -CAfile ROOTS
-data timestamps/N.checkpoint -in timestamps/N.tsr`. THUMBPRINT (RFC 7638) is that of the broker's key that signs its
packages: the `kid` at /.well-known/jwks.json, got as VKEY is. A package shows what is in it; what is not in it only DIR
can show. Exit: 0 verified, 5 verification failed, 2 usage.
"""

import argparse
import base64
import hashlib
import io
import json
import re
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

RULES: Final[Mapping[str, str]] = {
    "key": "the verifier key is an Ed25519 vkey whose key id is its own, and the folder names no other",
    "checkpoint": "the checkpoint is well formed and signed by the pinned key under its own name",
    "files": "the folder holds every file of a log of this size, and no other",
    "bundle": "an entry bundle holds exactly its entries",
    "tiles": "the hashes in the tiles, full and partial, are those of the entries",
    "root": "the entries hash to the checkpoint's root",
    "since": "the auditor's older checkpoint is of an earlier state of this log",
    "seals": "each checkpoint that was cosigned or time-stamped is of an earlier state of this log",
    "witness": "each witness that was named cosigned this log",
    "form": "an entry is a JSON object of v, index, time, event and body, and no member stands twice",
    "index": "an entry's index is its position",
    "time": "an entry's time is later than that of the entry before",
    "event": "an event is named noun.past-participle",
    "body": "what the following rules read is there and of its type",
    "grant-once": "a consent is granted once",
    "consent-granted": "an exchange is admitted on consents granted before, and on at least one",
    "consent-standing": "an exchange is admitted on no consent that is withdrawn or paused",
    "uses": "a consent is not used more often than was granted",
    "call-once": "a call is admitted once",
    "call-admitted": "a call is released, withheld or interrupted only after it was admitted",
    "one-ending": "a call ends once",
    "call-released": "a call is viewed or decided upon only after it was released",
    "collected": "only what was pending when its call was released is collected later",
    "item-admitted": "only what was admitted is released",
    "party-standing": "nothing is released of a person without a consent, or after its withdrawal",
    "proof": "a proof is a well-formed C2SP tlog-proof",
    "inclusion": "the entry is in the tree that the checkpoint signs",
    "consistency": "the older tree is the beginning of the newer one",
    "receipt": "a receipt holds an entry and its proof",
    "results": "the results are exactly those whose digests the entry holds",
    "package": "a package is the one archive, or the folder, that its files make",
    "signer": "a package's list of files is signed by the key whose thumbprint was pinned",
    "listed": "a package holds exactly the files of its list, unchanged",
    "notice": "each notice is the text whose digest an entry of its request holds",
    "token": "each consent is the token whose digest its grant's entry holds, signed by the device that it names",
    "evidence": "each passkey's word is the one whose digest its grant's entry holds",
}
HASH: Final = 32
LOG_KEY: Final = 1
WITNESS_KEY: Final = 4
WIDTH: Final = 256
SALT: Final = 16
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
PROBLEMS_SHOWN: Final = 5
"""Of each rule: after one deleted entry every later one is out of place."""
ENTRY_MEMBERS: Final = {"v": int, "index": int, "time": str, "event": str, "body": dict}

T = TypeVar("T")
Progress: TypeAlias = Callable[[int, int], None]
"""(entries done, entries in all)"""
Read: TypeAlias = Callable[[str, int], bytes]
"""(path, at most so many bytes) to what the file holds; OSError where there is none."""
ConsentId: TypeAlias = tuple[str, str]
"""(iss, jti)"""


@dataclass(frozen=True, slots=True)
class Problem:
    """A broken rule; where it can be told, with the index and the call or exchange of the entry that breaks it."""

    rule: str
    detail: str
    index: int | None = None
    call: str = ""

    def __str__(self) -> str:
        # Quoted as ASCII: what stands in a forged log must not steer the reader's terminal.
        call = f" (call {json.dumps(self.call)})" if self.call else ""
        return ("" if self.index is None else f"entry {self.index}{call}: ") + f"{self.rule}: {self.detail}"


class VerificationError(Exception):
    """Something does not hold: the first problems found, at most five of each rule."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(map(str, problems[:3])))
        self.problems = problems

    @property
    def first_bad_entry(self) -> int | None:
        return min((problem.index for problem in self.problems if problem.index is not None), default=None)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree's size and root, as signed by the pinned key."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Proof:
    """A tlog-proof taken apart. Its checkpoint is a signed note still to be opened; `extra` is nobody's word."""

    index: int
    path: tuple[bytes, ...]
    unverified_checkpoint: bytes
    unverified_extra: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    index: int
    time: str
    event: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """An entry that is in the log, and how many results were shown to be the ones it released."""

    entry: Entry
    checkpoint: Checkpoint
    results: int

    def __str__(self) -> str:
        entry = f"{self.entry.event} is entry {self.entry.index} of {self.checkpoint.origin}, written {self.entry.time}"
        return f"VERIFIED: {entry}; {self.results} results are those that were released"


@dataclass(frozen=True, slots=True)
class Report:
    """A whole log that keeps every rule. `unfinished` counts calls that were admitted and have not ended yet."""

    checkpoint: Checkpoint
    since: Checkpoint | None
    first_time: str
    last_time: str
    unfinished: int
    witnessed: Mapping[str, int]
    """By witness asked for: how many of the entries it cosigned."""
    time_stamps: tuple[int, ...]
    """The sizes at which there is a time stamp, still to be checked with openssl."""

    def __str__(self) -> str:
        since = f"\nIt continues your checkpoint of {self.since.size:,} entries." if self.since else ""
        span = f"from {self.first_time} to {self.last_time}, {self.unfinished} calls not ended"
        seals = "".join(f"\n{name} cosigned its first {size:,} entries." for name, size in self.witnessed.items())
        if self.time_stamps:
            seals += (
                f"\n{len(self.time_stamps)} time stamps, up to {max(self.time_stamps):,} entries: openssl ts -verify"
            )
        return f"VERIFIED: {self.checkpoint.size:,} entries of {self.checkpoint.origin}, {span}{since}{seals}"


def _failed(rule: str, detail: str) -> VerificationError:
    return VerificationError(Problem(rule, detail))


# --- Signed notes, checkpoints and proofs (C2SP) --------------------------------------------------------------------


def parse_vkey(vkey: str, kind: int = LOG_KEY) -> tuple[str, bytes, Ed25519PublicKey]:
    """Read an Ed25519 verifier key (C2SP signed-note): name, key id, key. The id is computed anew, not believed."""
    name, _, rest = vkey.partition("+")
    key_id, _, encoded = rest.partition("+")
    material = _base64(encoded, "key")
    if not name or any(char.isspace() or char < " " for char in name):
        raise _failed("key", "the name is empty or has spaces")
    if len(material) != 1 + HASH or material[0] != kind:
        raise _failed("key", "not an Ed25519 verifier key of this kind")
    computed = hashlib.sha256(name.encode() + b"\n" + material).digest()[:4]
    if key_id != computed.hex():
        raise _failed("key", "the key id is not the key's")
    return name, computed, Ed25519PublicKey.from_public_bytes(material[1:])


def open_text(note: bytes, vkey: str) -> str:
    """Verify a signed note and give its text (C2SP signed-note).

    The pinned key must have signed, and each line in its name must verify; other keys' lines need only be well formed.
    """
    name, key_id, key = parse_vkey(vkey)
    try:
        text, blank, block = note.decode().rpartition("\n\n")
    except UnicodeDecodeError:
        raise _failed("checkpoint", "the note is not UTF-8") from None
    lines = block.split("\n")
    if not blank or lines.pop() or not 0 < len(lines) <= 100:  # noqa: PLR2004 - the limit of golang.org/x/mod
        raise _failed("checkpoint", "the note does not end in signature lines")
    if any(char < " " and char != "\n" for char in text + block):
        raise _failed("checkpoint", "the note has control characters")
    ours = [signature[4:] for signer, signature in map(_signature, lines) if (signer, signature[:4]) == (name, key_id)]
    try:
        for signature in ours:
            key.verify(signature, f"{text}\n".encode())
    except InvalidSignature:
        raise _failed("checkpoint", "the pinned key's signature is wrong") from None
    if not ours:
        raise _failed("checkpoint", "the note is not signed by the pinned key")
    return f"{text}\n"


def _signature(line: str) -> tuple[str, bytes]:
    """Split a signature line: the signer's name, and the key id with the signature proper."""
    found = re.fullmatch(r"\N{EM DASH} ([^\s+]+) (\S+)", line)
    octets = _base64(found[2], "checkpoint") if found else b""
    if not found or len(octets) <= 4:  # noqa: PLR2004 - the key id alone is four bytes
        raise _failed("checkpoint", "a signature line is malformed")
    return found[1], octets


def open_note(note: bytes, vkey: str) -> Checkpoint:
    """Verify a checkpoint (C2SP tlog-checkpoint). Its origin must be the pinned key's name."""
    found = re.fullmatch(r"([^\n]+)\n(0|[1-9][0-9]{0,18})\n([^\n]+)\n(?:[^\n]+\n)*", open_text(note, vkey))
    if not found:
        raise _failed("checkpoint", "the text is not origin, size and root")
    checkpoint = Checkpoint(found[1], int(found[2]), _base64(found[3], "checkpoint"))
    if checkpoint.origin != parse_vkey(vkey)[0]:
        raise _failed("checkpoint", "the origin is not the pinned key's name")
    if (
        len(checkpoint.root) != HASH
        or checkpoint.size >= 2**63
        or not (checkpoint.size or checkpoint.root == EMPTY_ROOT)
    ):
        raise _failed("checkpoint", "no tree has this size and root")
    return checkpoint


def cosigned_by(note: bytes, witness: str) -> int | None:
    """When (seconds since 1970) this witness cosigned a note that is open already; None where it did not.

    C2SP tlog-cosignature, v1: an eight-byte time, then Ed25519 over two lines and the note's text.
    """
    name, key_id, key = parse_vkey(witness, WITNESS_KEY)
    text, _, block = note.decode().rpartition("\n\n")
    times = []
    for signer, signature in map(_signature, block.splitlines()):
        if (signer, signature[:4]) == (name, key_id):
            times.append(int.from_bytes(signature[4:12], "big"))
            try:
                key.verify(signature[12:], f"cosignature/v1\ntime {times[-1]}\n{text}\n".encode())
            except InvalidSignature:
                raise _failed("witness", f"{name}'s cosignature is wrong") from None
    return max(times, default=None)


def parse_proof(text: str) -> Proof:
    """Take a C2SP tlog-proof apart; that verifies nothing in it."""
    found = re.match(r"c2sp\.org/tlog-proof@v1\n(?:extra (.+)\n)?index (0|[1-9][0-9]{0,18})\n((?:.+\n)*)\n", text)
    if not found:
        raise _failed("proof", "not a tlog-proof of version 1")
    path = tuple(_base64(line, "proof") for line in found[3].split("\n")[:-1])
    if any(len(node) != HASH for node in path):
        raise _failed("proof", "a hash of the path has another length")
    extra = _base64(found[1], "proof") if found[1] else b""
    return Proof(int(found[2]), path, text[found.end() :].encode("utf-8", "surrogatepass"), extra)


def _base64(text: str, rule: str) -> bytes:
    """Decode base64 that is not empty and written in its one canonical way (RFC 4648, section 4)."""
    try:
        octets = base64.b64decode(text, validate=True)
    except ValueError:
        octets = b""
    if not octets or base64.b64encode(octets).decode() != text:
        raise _failed(rule, "not strict base64")
    return octets


# --- Merkle trees (RFC 9162, section 2.1) ---------------------------------------------------------------------------


def _leaf(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def _children(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _full_root(hashes: Sequence[bytes]) -> bytes:
    """Compute the root over a power of two of hashes."""
    while len(hashes) > 1:
        hashes = [_children(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]


def verify_inclusion(leaf_hash: bytes, index: int, path: Sequence[bytes], *, size: int, root: bytes) -> None:
    """Verify that the leaf stands at `index` of the tree (RFC 9162, 2.1.3.2)."""
    if any(len(node) != HASH for node in (leaf_hash, root, *path)) or not 0 <= index < size:
        raise _failed("inclusion", "no such leaf, or a hash of another length")
    fn, sn, node = index, size - 1, leaf_hash
    for sibling in path:
        if sn == 0:
            raise _failed("inclusion", "the path is too long")
        if fn & 1 or fn == sn:
            node = _children(sibling, node)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            node = _children(node, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn or node != root:
        raise _failed("inclusion", "the path does not lead to the root")


def verify_consistency(path: Sequence[bytes], *, old_size: int, old_root: bytes, size: int, root: bytes) -> None:
    """Verify that the older tree is the beginning of the newer (RFC 9162, 2.1.4.2). The empty tree proves nothing."""
    if any(len(node) != HASH for node in (old_root, root, *path)) or not 0 < old_size <= size:
        raise _failed("consistency", "no such trees, or a hash of another length")
    if old_size == size or not path:
        if path or (old_size, old_root) != (size, root):
            raise _failed("consistency", "trees of one size have one root and an empty path, others do not")
        return
    first, *rest = path if old_size & (old_size - 1) else (old_root, *path)
    fn, sn, old, new = old_size - 1, size - 1, first, first
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    for node in rest:
        if sn == 0:
            raise _failed("consistency", "the path is too long")
        if fn & 1 or fn == sn:
            old, new = _children(node, old), _children(node, new)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            new = _children(new, node)
        fn, sn = fn >> 1, sn >> 1
    if sn or (old, new) != (old_root, root):
        raise _failed("consistency", "the path does not lead to both roots")


# --- Entries and receipts -------------------------------------------------------------------------------------------


def _json(octets: bytes, rule: str) -> Any:
    try:
        # int() raises for the constants it is given: NaN and the infinities.
        return json.loads(octets.decode(), object_pairs_hook=_unique, parse_constant=int)
    except (ValueError, RecursionError):
        raise _failed(rule, "not JSON in UTF-8 without duplicate members") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


def read_entry(octets: bytes) -> Entry:
    """Read an entry's exact bytes. What they say is worth nothing until they are shown to be in the log."""
    members = _json(octets, "form")
    if not isinstance(members, dict) or {name: type(value) for name, value in members.items()} != ENTRY_MEMBERS:
        raise _failed("form", "not an object of exactly v, index, time, event and body")
    entry = Entry(members["index"], members["time"], members["event"], members["body"])
    try:
        moment = f"{datetime.fromisoformat(entry.time):%Y-%m-%dT%H:%M:%S.%fZ}"
    except ValueError:
        moment = ""
    if members["v"] != 1 or moment != entry.time:
        raise _failed("form", "another version, or a time that is not RFC 3339 UTC with six digits")
    return entry


def _member(members: object, name: str, kind: type[T]) -> T:
    value = members.get(name) if isinstance(members, Mapping) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise _failed("body", f"{name} is missing or of another type")
    return value


def _party_item(members: object) -> tuple[str, str]:
    return _member(members, "party", str), _member(members, "item", str)


def verify_receipt(
    receipt: Mapping[str, Any], vkey: str, results: Sequence[Mapping[str, Any]] | None = None
) -> VerifiedReceipt:
    """Verify an exchange's `receipt`; with its `results`, also that these, all and unchanged, are what was released."""
    encoded, text = receipt.get("entry"), receipt.get("proof")
    if not isinstance(encoded, str) or not isinstance(text, str):
        raise _failed("receipt", "entry or proof is missing")
    octets, proof = _base64(encoded, "receipt"), parse_proof(text)
    checkpoint = open_note(proof.unverified_checkpoint, vkey)
    verify_inclusion(_leaf(octets), proof.index, proof.path, size=checkpoint.size, root=checkpoint.root)
    entry = read_entry(octets)
    if entry.index != proof.index:
        raise _failed("index", "the entry's index is not its position")
    if results is not None:
        _verify_results(entry, results)
    return VerifiedReceipt(entry, checkpoint, len(results or ()))


def _verify_results(entry: Entry, results: Sequence[Mapping[str, Any]]) -> None:
    recorded = {_party_item(one): _member(one, "digest", str) for one in _member(entry.body, "results", list)}
    given = {_party_item(one): _salted_digest(one) for one in results}
    if entry.event != "exchange.released" or not given or len(given) != len(results):
        raise _failed("results", "not a release, or not one result for each item")
    for key in recorded.keys() | given.keys():
        if recorded.get(key) != given.get(key):
            raise _failed("results", f"{json.dumps(key)} is not what was released")


def _salted_digest(result: Mapping[str, Any]) -> str:
    """Hex SHA-256 over the salt (base64url) and the RFC 8785 bytes of the result without `salt`."""
    encoded = _member(result, "salt", str)
    padding = "=" * (-len(encoded) % 4)
    salt = _base64(encoded.translate(str.maketrans("-_+/=", "+/!!!")) + padding, "results")
    if len(salt) != SALT:  # any other would blur where the salt ends
        raise _failed("results", f"a salt is not {SALT} bytes long")
    try:
        canonical = _canonical({name: value for name, value in result.items() if name != "salt"}).encode()
    except (ValueError, RecursionError):
        raise _failed("results", "a result has no canonical form") from None
    return hashlib.sha256(salt + canonical).hexdigest()


def _canonical(value: object) -> str:
    """RFC 8785 without floating point: ValueError for that, for integers beyond 2**53 - 1, for anything not JSON."""
    match value:
        case None | bool() | str():
            return json.dumps(value, ensure_ascii=False)
        case int() if abs(value) < 2**53:
            return str(value)
        case list():
            return f"[{','.join(map(_canonical, value))}]"
        case dict() if all(isinstance(name, str) for name in value):
            members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
            return "{" + ",".join(f"{_canonical(name)}:{_canonical(member)}" for name, member in members) + "}"
    raise ValueError(type(value).__name__)


# --- Evidence packages ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VerifiedPackage:
    """A package every byte of which holds; `about` and `missing` are its signer's word."""

    about: Mapping[str, Any]
    checkpoint: Checkpoint
    entries: tuple[int, ...]
    notices: int
    tokens: int
    evidence: int
    missing: tuple[str, ...]
    """What the broker says that it has no more, such as the words shown to somebody who was erased."""

    def __str__(self) -> str:
        found = (
            f"{len(self.entries)} entries of {self.checkpoint.origin}, {self.notices} notices, {self.tokens} consents"
        )
        missing = f"\nNot in it, for the broker has them no more: {', '.join(self.missing)}" if self.missing else ""
        return f"VERIFIED: {json.dumps(self.about)}: {found}, {self.evidence} passkeys' words{missing}"


def verify_package(place: Path, vkey: str, signer: str) -> VerifiedPackage:
    """Verify an evidence package, an archive or its folder, against the pinned log key and signer's thumbprint."""
    try:
        return _verify_package(place, vkey, signer)
    except (KeyError, TypeError):
        raise _failed("body", "an entry is not of the form that the ledger writes") from None


def _verify_package(place: Path, vkey: str, signer: str) -> VerifiedPackage:
    files = _package_folder(place) if place.is_dir() else _package_archive(_read_file(place))
    listed = _open_list(files, signer)
    if files.get("keys/log.vkey") != f"{vkey}\n".encode():
        raise _failed("key", "the package is of another log than the one whose key you pinned")
    checkpoint = open_note(files.get("checkpoint", b""), vkey)
    entries = [_package_entry(files, name, checkpoint, vkey) for name in sorted(files) if name.startswith("entries/")]
    grants = {one.body["consent"]["jti"]: one.body for one in entries if one.event == "consent.granted"}
    counted = {kind: sorted(name for name in files if name.startswith(f"{kind}/")) for kind in _PARTS}
    for kind, names in counted.items():
        for name in names:
            _PARTS[kind](files, name, entries, grants)
    missing = tuple(map(str, _member(listed, "missing", list)))
    numbers = tuple(sorted(one.index for one in entries))
    notices, tokens, words = (len(counted[kind]) for kind in ("notices", "consents", "evidence"))
    return VerifiedPackage(_member(listed, "about", dict), checkpoint, numbers, notices, tokens, words, missing)


def _package_folder(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): _read_file(path) for path in folder.rglob("*") if path.is_file()}


def _package_archive(octets: bytes) -> dict[str, bytes]:
    """Take the archive apart, and make it anew: there is one way to write it, so that no byte of it can be another."""
    try:
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, EOFError, RuntimeError, zlib.error):
        raise _failed("package", "not an archive that can be read") from None
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            plain = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            plain.create_system, plain.external_attr = 3, 0o600 << 16
            archive.writestr(plain, files[name])
    if whole.getvalue() != octets:
        raise _failed("package", "the archive is not written as the broker writes it: unpack it, and verify the folder")
    return files


def _open_list(files: Mapping[str, bytes], signer: str) -> Mapping[str, Any]:
    """Verify the manifest's signature, and each file's digest in it."""
    key = _public_key(files.get("keys/issuer.jwk.json", b""), signer, "signer")
    listed = _open_token(files.get("manifest.jwt", b""), key, "evidence-manifest+jwt", "signer")
    if listed.get("format") != "consent-broker/evidence/1":
        raise _failed("signer", "the list is of another form than this file knows")
    digests = _member(listed, "files", dict)
    for name in sorted(digests.keys() | files.keys() - {"manifest.jwt"}):
        if name not in files or digests.get(name) != hashlib.sha256(files[name]).hexdigest():
            raise _failed("listed", f"{json.dumps(name)} is missing, changed, or not in the list")
    return listed


def _package_entry(files: Mapping[str, bytes], name: str, checkpoint: Checkpoint, vkey: str) -> Entry:
    number = name.removeprefix("entries/").removesuffix(".json")
    proof = files.get(f"proofs/{number}.tlog-proof", b"").decode("utf-8", "surrogateescape")
    verified = verify_receipt({"entry": base64.b64encode(files[name]).decode(), "proof": proof}, vkey)
    if verified.checkpoint != checkpoint or f"{verified.entry.index:09}" != number:
        raise _failed("package", f"{json.dumps(name)} is another entry, or proven in another tree")
    return verified.entry


def _package_notice(files: Mapping[str, bytes], name: str, entries: Sequence[Entry], _: Mapping[str, Any]) -> None:
    request, digest = name.removeprefix("notices/").removesuffix(".txt"), hashlib.sha256(files[name]).hexdigest()
    shown = [
        one.body["notice"]["sha256"] for one in entries if one.body.get("request") == request and "notice" in one.body
    ]
    if digest not in shown:
        raise _failed("notice", f"no entry of {json.dumps(request)} says that these words were shown")


def _package_token(files: Mapping[str, bytes], name: str, _: Sequence[Entry], grants: Mapping[str, Any]) -> None:
    granted = grants.get(name.removeprefix("consents/").removesuffix(".jwt"), {})
    if hashlib.sha256(files[name]).hexdigest() != granted.get("token_sha256"):
        raise _failed("token", f"{json.dumps(name)} is not the consent that was granted")
    device = granted["consent"]["iss"]
    key = _public_key(files.get(f"keys/device-{device}.jwk.json", b""), device, "token")
    claims = _open_token(files[name], key, "consent+jwt", "token")
    if (claims.get("iss"), claims.get("jti")) != (device, granted["consent"]["jti"]):
        raise _failed("token", f"{json.dumps(name)} is another consent than its name says")


def _package_evidence(files: Mapping[str, bytes], name: str, _: Sequence[Entry], grants: Mapping[str, Any]) -> None:
    granted = grants.get(name.removeprefix("evidence/").removesuffix(".json"), {})
    if hashlib.sha256(files[name]).hexdigest() != granted.get("evidence_sha256"):
        raise _failed("evidence", f"{json.dumps(name)} is not what stood beside the consent")


_PARTS: Final[Mapping[str, Callable[[Mapping[str, bytes], str, Sequence[Entry], Mapping[str, Any]], None]]] = {
    "notices": _package_notice,
    "consents": _package_token,
    "evidence": _package_evidence,
}


def _public_key(jwk: bytes, thumbprint: str, rule: str) -> EllipticCurvePublicKey | Ed25519PublicKey:
    """Read a JWK whose thumbprint (RFC 7638) is known from elsewhere."""
    members = _json(jwk, rule)
    names = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x")}
    kind = members.get("kty") if isinstance(members, dict) else None
    if kind not in names or set(members) != {*names[kind]}:
        raise _failed(rule, "not a public key of a kind that is known")
    canonical = _canonical(members).encode()
    if _base64url(hashlib.sha256(canonical).digest()) != thumbprint:
        raise _failed(rule, "the key is not the one of this thumbprint")
    try:
        x = _octets(members["x"], rule)
        if kind == "OKP":
            return Ed25519PublicKey.from_public_bytes(x)
        numbers = int.from_bytes(x, "big"), int.from_bytes(_octets(members["y"], rule), "big")
        return EllipticCurvePublicNumbers(*numbers, SECP256R1()).public_key()
    except ValueError:
        raise _failed(rule, "no such public key") from None


def _open_token(token: bytes, key: EllipticCurvePublicKey | Ed25519PublicKey, typ: str, rule: str) -> Mapping[str, Any]:
    """Verify a compact JWS whose key is known, and give its payload."""
    parts = token.split(b".")
    if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        raise _failed(rule, "not a compact JWS")
    header, payload, signature = (_octets(part.decode("latin-1"), rule) for part in parts)
    members = _json(header, rule)
    if not isinstance(members, dict) or members.get("typ") != typ or len(signature) != 2 * HASH:
        raise _failed(rule, f"not a signed {typ}")
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, token.rpartition(b".")[0])
        else:
            halves = (int.from_bytes(half, "big") for half in (signature[:HASH], signature[HASH:]))
            key.verify(encode_dss_signature(*halves), token.rpartition(b".")[0], ECDSA(SHA256()))
    except InvalidSignature:
        raise _failed(rule, "the signature is wrong") from None
    claims = _json(payload, rule)
    if not isinstance(claims, dict):
        raise _failed(rule, "the payload is not a JSON object")
    return claims


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def _octets(text: object, rule: str) -> bytes:
    """Decode base64url without padding, written in its one canonical way."""
    try:
        octets = base64.urlsafe_b64decode(f"{text}{'=' * (-len(str(text)) % 4)}")
    except ValueError:
        octets = b""
    if not octets or _base64url(octets) != text:
        raise _failed(rule, "not strict base64url")
    return octets


# --- The story that the entries tell --------------------------------------------------------------------------------


class _Story:
    """What the entries up to here have established; each is taken in, then held against the rules."""

    def __init__(self) -> None:
        self.granted: dict[ConsentId, int] = {}
        self.withdrawn: set[ConsentId] = set()
        self.paused: set[ConsentId] = set()
        self.running: dict[str, tuple[dict[str, ConsentId], frozenset[tuple[str, str]]]] = {}
        """By call: the consents by party, and the (party, item)s."""
        self.ended: set[str] = set()
        self.released: set[str] = set()
        self.late: dict[str, tuple[dict[str, ConsentId], set[tuple[str, str]]]] = {}
        """By call: the consents by party, and what was pending when it was released."""

    def tell(self, event: str, body: dict[str, Any]) -> None:
        match event:
            case "consent.granted":
                self._grant(_consent(body.get("consent")), _member(body, "uses", int))
            case "consent.withdrawn":
                self.withdrawn.add(_consent(body.get("consent")))
            case "consent.paused":
                self.paused.add(_consent(body.get("consent")))
            case "consent.resumed":
                self.paused.discard(_consent(body.get("consent")))
            case "exchange.admitted":
                self._admit(_member(body, "call", str), body)
            case "exchange.released" | "exchange.withheld" if "collects" in body:
                self._collect(body)
            case "exchange.released":
                self._release(_member(body, "call", str), *self._end(body), _member(body, "results", list))
                self.released.add(_member(body, "call", str))
            case "exchange.withheld" | "exchange.interrupted":
                self._end(body)
            case "exchange.viewed" | "exchange.decided" if _member(body, "call", str) not in self.released:
                raise _failed("call-released", "this call was not released before")

    def _grant(self, consent: ConsentId, uses: int) -> None:
        if consent in self.granted:
            raise _failed("grant-once", "this consent was granted before")
        self.granted[consent] = uses

    def _admit(self, call: str, body: dict[str, Any]) -> None:
        if call in self.running or call in self.ended:
            raise _failed("call-once", "this call was admitted before")
        spent = [(_member(one, "party", str), _consent(one), one) for one in _member(body, "consents", list)]
        items = frozenset(_party_item(one) for one in _member(body, "items", list))
        self.running[call] = {party: consent for party, consent, _ in spent}, items
        for _, consent, one in spent:
            if consent not in self.granted:
                raise _failed("consent-granted", "a consent was not granted before")
            if not self._stands(consent):
                raise _failed("consent-standing", "a consent was withdrawn or paused")
            if not 1 <= _member(one, "use", int) <= self.granted[consent]:
                raise _failed("uses", f"a consent for {self.granted[consent]} uses is used once more")
        if not spent:
            raise _failed("consent-granted", "there is no consent")

    def _stands(self, consent: ConsentId | None) -> bool:
        return consent is not None and consent not in self.withdrawn and consent not in self.paused

    def _end(self, body: dict[str, Any]) -> tuple[dict[str, ConsentId], frozenset[tuple[str, str]]]:
        call = _member(body, "call", str)
        if call in self.ended:
            raise _failed("one-ending", "this call has ended before")
        if call not in self.running:
            raise _failed("call-admitted", "this call was not admitted before")
        self.ended.add(call)
        return self.running.pop(call)

    def _release(
        self, call: str, consents: dict[str, ConsentId], items: frozenset[tuple[str, str]], results: list[object]
    ) -> None:
        self._check_results(consents, items, results)
        pending = {_party_item(one) for one in results if _member(one, "outcome", str) == "pending"}
        if pending:
            self.late[call] = consents, pending

    def _collect(self, body: dict[str, Any]) -> None:
        _member(body, "collects", int)
        consents, pending = self.late.get(_member(body, "call", str), ({}, set()))
        results = _member(body, "results", list) if "results" in body else []
        if not pending or not {_party_item(one) for one in results} <= pending:
            raise _failed("collected", "this was not pending when its call was released")
        self._check_results(consents, frozenset(pending), results)

    def _check_results(
        self, consents: dict[str, ConsentId], items: frozenset[tuple[str, str]], results: list[object]
    ) -> None:
        for result in results:
            party, item = _party_item(result)
            if (party, item) not in items:
                raise _failed("item-admitted", f"{json.dumps([party, item])} was not admitted")
            if not self._stands(consents.get(party)) and _member(result, "outcome", str) != "withheld":
                raise _failed("party-standing", f"{json.dumps([party, item])} left without a standing consent")


def _consent(members: object) -> ConsentId:
    return _member(members, "iss", str), _member(members, "jti", str)


# --- An exported log ------------------------------------------------------------------------------------------------


def _width(size: int, level: int, number: int) -> int:
    return max(0, min(WIDTH, (size >> 8 * level) - number * WIDTH))


def _path(level: int | str, number: int, width: int) -> str:
    path = f"{number % 1000:03}" + ("" if width == WIDTH else f".p/{width}")
    while number := number // 1000:
        path = f"x{number % 1000:03}/{path}"
    return f"tile/{level}/{path}"


class _Audit:
    """One pass over an exported log. It holds one tile's hashes for each level, the story and the first problems."""

    def __init__(self, read: Read, checkpoint: Checkpoint, since: Checkpoint | None, sealed: list[Checkpoint]) -> None:
        self.problems: list[Problem] = []
        self._found: Counter[str] = Counter()
        self.story = _Story()
        self.first_time = self.last_time = ""
        self._stored, self._checkpoint, self._since = read, checkpoint, since
        self._sealed: dict[int, list[Checkpoint]] = {}  # by the number of the bundle that its last entry is in
        for seal in sealed:
            self._sealed.setdefault((seal.size - 1) // WIDTH, []).append(seal)
        self._rows: list[list[bytes]] = [[]]  # by level, the hashes of the tile being filled
        self._size = 0

    def run(self, progress: Progress | None) -> None:
        size = self._checkpoint.size
        if self._since is not None and self._since.size > size:
            self._add("since", f"the log has {size} entries, your checkpoint {self._since.size}: it was cut short")
        for number in range(-(-size // WIDTH)):
            self._read_bundle(number)
            if progress is not None:
                progress(self._size, size)
        for level in range(1, len(self._rows)):
            if self._rows[level]:
                self._differing(level)
        for seal in (seal for late in self._sealed.values() for seal in late if seal.size):
            self._add("seals", f"the log has {size} entries, a checkpoint that others sealed {seal.size}")
        if self._root(len(self._rows[0])) != self._checkpoint.root:
            self._add("root", "these entries are not those that the checkpoint signs")

    def look_around(self, folder: Path) -> None:
        for path in folder.rglob("*"):
            if not path.is_dir() and not self._is_expected(path.relative_to(folder).as_posix()):
                self._add("files", f"{json.dumps(path.relative_to(folder).as_posix())} does not belong here")

    def report(self, witnessed: Mapping[str, int], time_stamps: tuple[int, ...]) -> Report:
        """Raises VerificationError with what was found."""
        if self.problems:
            raise VerificationError(*self.problems)
        span, running = (self.first_time, self.last_time), len(self.story.running)
        return Report(self._checkpoint, self._since, *span, running, witnessed, time_stamps)

    def _add(self, rule: str, detail: str, index: int | None = None, octets: bytes = b"") -> None:
        self._found[rule] += 1
        if self._found[rule] <= PROBLEMS_SHOWN:
            self.problems.append(Problem(rule, detail, index, _call_of(octets)))

    def _read_bundle(self, number: int) -> None:
        entries = list(self._split(number))
        before = self._size
        self._size += len(entries)
        self._rows[0] = [_leaf(octets) for octets in entries]
        for position in self._differing(0):
            self._add("tiles", "its hash is not the one in tile/0", before + position, entries[position])
        if self._since is not None and before < self._since.size <= self._size:
            self._compare(self._since, before, "since", "your checkpoint")
        for seal in self._sealed.pop(number, ()):
            self._compare(seal, before, "seals", "a checkpoint that others sealed")
        for index, octets in enumerate(entries, before):
            self._check_entry(index, octets)
        self._carry()

    def _compare(self, older: Checkpoint, before: int, rule: str, whose: str) -> None:
        if older.size > self._size or self._root(older.size - before) != older.root:
            self._add(rule, f"the first {older.size} entries are not those of {whose}")

    def _split(self, number: int) -> Iterator[bytes]:
        """Split an entry bundle. One that cannot be split ends the pass: no later position is certain."""
        width = _width(self._checkpoint.size, 0, number)
        path = _path("entries", number, width)
        octets, at = self._read(path, WIDTH * (2 + 0xFFFF)), 0
        for position in range(width):
            begin, at = at + 2, at + 2 + int.from_bytes(octets[at : at + 2], "big")
            if max(begin, at) > len(octets):
                self._add("bundle", f"{path} ends before this entry does", self._size + position)
                raise VerificationError(*self.problems)
            yield octets[begin:at]
        if at != len(octets):
            self._add("bundle", f"{path} goes on after this, its last entry", self._size + width - 1)

    def _check_entry(self, index: int, octets: bytes) -> None:
        try:
            entry = read_entry(octets)
            if entry.index != index:
                self._add("index", f"it says that it is entry {entry.index}", index, octets)
            if entry.time <= self.last_time:
                self._add("time", f"{entry.time} is not after {self.last_time}", index, octets)
            if not re.fullmatch(r"[a-z]+\.[a-z_]+", entry.event):
                self._add("event", "it is not named noun.past-participle", index, octets)
            self.first_time, self.last_time = self.first_time or entry.time, entry.time
            self.story.tell(entry.event, entry.body)
        except VerificationError as error:
            self._add(error.problems[0].rule, error.problems[0].detail, index, octets)

    def _differing(self, level: int) -> list[int]:
        """Hold the tile being filled against the folder's: the positions that differ, above level 0 as problems."""
        hashes = self._rows[level]
        number = ((self._size >> 8 * level) - 1) // WIDTH
        path = _path(level, number, len(hashes))
        stored = self._read(path, WIDTH * HASH)
        if len(stored) != len(hashes) * HASH:
            self._add("tiles", f"{path} is missing or of another length")
            return []
        differing = [at for at, node in enumerate(hashes) if stored[at * HASH : (at + 1) * HASH] != node]
        for at in differing if level else ():
            first, last = (number * WIDTH + at) << 8 * level, ((number * WIDTH + at + 1) << 8 * level) - 1
            self._add("tiles", f"{path} does not hold the root of entries {first} to {last}")
        return differing

    def _carry(self) -> None:
        """Turn each tile that is full into one hash of the level above."""
        level = 0
        while len(self._rows[level]) == WIDTH:
            if level:
                self._differing(level)
            if level + 1 == len(self._rows):
                self._rows.append([])
            self._rows[level + 1].append(_full_root(self._rows[level]))
            self._rows[level] = []
            level += 1

    def _root(self, leaves: int) -> bytes:
        """Join the complete subtrees, from the smallest to the largest; of the last bundle only the first `leaves`."""
        root = b""
        for row in (self._rows[0][:leaves], *self._rows[1:]):
            rest = len(row)
            while rest:
                width = rest & -rest
                subtree = _full_root(row[rest - width : rest])
                root, rest = _children(subtree, root) if root else subtree, rest - width
        return root or EMPTY_ROOT

    def _read(self, path: str, limit: int) -> bytes:
        try:
            return self._stored(path, limit + 1)
        except OSError:
            self._add("files", f"{path} is missing or cannot be read")
            return b""

    def _is_expected(self, path: str) -> bool:
        found = re.fullmatch(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/)*[0-9]{3})(\.p/[0-9]+)?", path)
        if found is None:
            seals = r"witnessed/[0-9]{1,19}|timestamps/[0-9]{1,19}\.(checkpoint|tsr)"
            return path in {"checkpoint", "log.vkey"} or re.fullmatch(seals, path) is not None
        number = int(re.sub("[x/]", "", found[2]))
        width = _width(self._checkpoint.size, 0 if found[1] == "entries" else int(found[1]), number)
        return width > 0 and path == _path(found[1], number, width)


def _call_of(octets: bytes) -> str:
    """Name an entry by its call or exchange, where it parses."""
    try:
        body = read_entry(octets).body
    except VerificationError:
        return ""
    return next((body[name] for name in ("call", "exchange") if isinstance(body.get(name), str)), "")


def verify_export(
    folder: Path,
    vkey: str,
    since: bytes | None = None,
    progress: Progress | None = None,
    witnesses: Sequence[str] = (),
) -> Report:
    """Verify an exported log against the pinned key and, with `since`, an older checkpoint of the auditor's own.

    Each of `witnesses` (verifier keys) must have cosigned a state of the log. Raises VerificationError with the first
    broken RULES. Memory grows with the ids in the log, the seals, and nothing else.
    """
    older = None if since is None else open_note(since, vkey)
    note = _read_file(folder / "checkpoint")
    notes = {path: _read_file(path) for path in sorted(folder.glob("witnessed/*"))}
    stamped = {path: _read_file(path) for path in sorted(folder.glob("timestamps/*.checkpoint"))}
    sealed = [_open_seal(path, seal, vkey) for path, seal in (notes | stamped).items()]
    checkpoint = open_note(note, vkey)
    audit = _Audit(lambda path, most: _read_at_most(folder / path, most), checkpoint, older, sealed)
    audit.run(progress)
    audit.look_around(folder)
    audit.report({}, ())
    if (folder / "log.vkey").exists() and _read_file(folder / "log.vkey") != f"{vkey}\n".encode():
        raise _failed("key", "log.vkey is not the key that you pinned: whoever believes the folder is led astray")
    witnessed = dict(_witnessed([note, *notes.values()], vkey, witness) for witness in witnesses)
    return audit.report(witnessed, tuple(sorted(int(path.stem) for path in stamped)))


def verify_log(read: Read, note: bytes, vkey: str, progress: Progress | None = None) -> Report:
    """Verify a log that is not a folder: `read` gives what the file of a path would hold. Raises VerificationError."""
    audit = _Audit(read, open_note(note, vkey), None, [])
    audit.run(progress)
    return audit.report({}, ())


def _read_at_most(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        return file.read(most)


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise _failed("files", f"{path.name} is missing or cannot be read: the export is not whole") from None


def _open_seal(path: Path, note: bytes, vkey: str) -> Checkpoint:
    checkpoint = open_note(note, vkey)
    if str(checkpoint.size) != path.stem:
        raise _failed("seals", f"{json.dumps(path.name)} holds a checkpoint of {checkpoint.size} entries")
    return checkpoint


def _witnessed(notes: Sequence[bytes], vkey: str, witness: str) -> tuple[str, int]:
    sizes = [open_note(note, vkey).size for note in notes if cosigned_by(note, witness) is not None]
    if not sizes:
        raise _failed("witness", f"{parse_vkey(witness, WITNESS_KEY)[0]} cosigned none of these checkpoints")
    return parse_vkey(witness, WITNESS_KEY)[0], max(sizes)


# --- Command line ---------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit code."""
    parser = argparse.ArgumentParser(description="Verify an exported log, one receipt, or an evidence package.")
    parser.add_argument("folder", nargs="?", type=Path, help="the exported log")
    parser.add_argument("--key", required=True, help="the log's verifier key, from somewhere you trust")
    parser.add_argument("--since", type=Path, help="a checkpoint that you kept from an earlier run")
    parser.add_argument("--witness", action="append", default=[], help="a witness's verifier key; may be repeated")
    parser.add_argument("--receipt", type=Path, help="a JSON file: an exchange's answer, or its receipt alone")
    parser.add_argument("--package", type=Path, help="an evidence package: its archive, or its folder")
    parser.add_argument("--signer", help="the thumbprint of the key that signs packages, from somewhere you trust")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(arguments)
    if [given.folder, given.receipt, given.package].count(None) != 2 or (  # noqa: PLR2004 - one of three
        given.folder is None and (given.since or given.witness)
    ):
        parser.error("give either DIR, with or without --since and --witness, or --receipt FILE, or --package FILE")
    if (given.package is None) != (given.signer is None):
        parser.error("--package and --signer belong together")
    try:
        parse_vkey(given.key)
        for witness in given.witness:
            parse_vkey(witness, WITNESS_KEY)
        since, receipt = (path and path.read_bytes() for path in (given.since, given.receipt))
    except (VerificationError, OSError) as error:
        parser.error(str(error))
    if given.folder and not given.folder.is_dir():
        parser.error("there is no such folder")
    if given.package and not given.package.exists():
        parser.error("there is no such package")
    try:
        if given.package:
            return _tell(verify_package(given.package, given.key, given.signer), as_json=given.json)
        if receipt is not None:
            return _tell(_verify_answer(receipt, given.key), as_json=given.json)
        report = verify_export(given.folder, given.key, since, _progress_bar(), given.witness)
        return _tell(report, as_json=given.json)
    except VerificationError as error:
        return _tell(error, as_json=given.json)


def _verify_answer(octets: bytes, vkey: str) -> VerifiedReceipt:
    answer = _json(octets, "receipt")
    if not isinstance(answer, dict):
        raise _failed("receipt", "not a JSON object")
    if "receipt" in answer:
        results = _member(answer, "results", list) if "results" in answer else None
        return verify_receipt(_member(answer, "receipt", dict), vkey, results)
    return verify_receipt(answer, vkey)


def _tell(outcome: Report | VerifiedReceipt | VerifiedPackage | VerificationError, *, as_json: bool) -> int:
    """Print the outcome; its exit code."""
    failed = isinstance(outcome, VerificationError)
    if isinstance(outcome, VerificationError):
        first = outcome.first_bad_entry
        members = {"first_bad_entry": first, "problems": [asdict(problem) for problem in outcome.problems]}
        human = "\n  ".join(
            ["FAILED" + ("" if first is None else f": the first bad entry is {first}"), *map(str, outcome.problems)]
        )
    else:
        members, human = asdict(outcome), str(outcome)
    sys.stdout.write((json.dumps({"ok": not failed, **members}, default=bytes.hex) if as_json else human) + "\n")
    return 5 if failed else 0


def _progress_bar() -> Progress | None:
    """Draw on standard error, and only where somebody is looking."""
    if not sys.stderr.isatty():
        return None

    def draw(done: int, size: int) -> None:
        bar = "#" * (40 * done // size)
        sys.stderr.write(f"\r[{bar:.<40}] {done:,} of {size:,} entries" + ("\n" if done == size else ""))
        sys.stderr.flush()

    return draw


if __name__ == "__main__":
    sys.exit(main())
