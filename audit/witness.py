"""A witness's rules: what a log must show before its checkpoint is cosigned (C2SP tlog-witness, add-checkpoint).

 1 form       old size, at most 63 proof lines, a signed note                            400
 2 log        the origin is one that this witness was told to watch                      404
 3 signature  one of that log's own keys signed; other lines are ignored                 403
 4 sizes      old size <= the checkpoint's; an empty tree has the empty root             400, 422
 5 turn       the old size is the one cosigned last, else the answer is that size        409
 6 proof      the new tree continues the tree cosigned last                              422
 7 record     the new tree is stored, durable                                            audit/witness_store.py
 8 answer     only then does the cosignature leave                                       200

5 to 7 are one transaction that no other can overlap. So no two roots are ever cosigned for one size, and none smaller
than before, whatever crashes in between.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from audit.cosignature import Cosigner
from audit.errors import NoteRefused, SignatureRefused
from audit.merkle import EMPTY_ROOT, HASH_LENGTH
from audit.note import Note, Signature, Tree, VerifierKey, read_base64, read_note, read_size, read_tree, verify_note
from audit.verify import VerificationError, verify_consistency
from audit.witness_store import Watched, WitnessStore

REQUEST_LIMIT: Final = 128 * 1024
"""Bytes: room for 16 post-quantum signatures, which must be read over, and to spare."""
PROOF_LIMIT: Final = 63
SIZE_TYPE: Final = "text/x.tlog.size"
_TEXT: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class WitnessAnswer:
    """What goes back to the log, in the protocol's own terms."""

    status: int
    body: str
    media_type: str = _TEXT


class RequestRefused(Exception):
    """A rule that does not hold, with the answer that says so."""

    def __init__(self, answer: WitnessAnswer) -> None:
        super().__init__(answer.body.strip())
        self.answer = answer


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request taken apart; nothing in it is verified."""

    old: int
    path: tuple[bytes, ...]
    unverified_note: Note


@dataclass(frozen=True, slots=True)
class Submitted:
    """A checkpoint that its own log signed; whether it continues the last one is not yet known."""

    tree: Tree
    text: str
    signatures: tuple[Signature, ...]
    """The log's own, verified: no other line is kept."""


class Witness:
    """Answers add-checkpoint. Owns nothing but the key: what was cosigned lives in the store."""

    def __init__(self, cosigner: Cosigner, store: WitnessStore, now: Callable[[], int]) -> None:
        """`now` is in seconds since 1970."""
        self._cosigner = cosigner
        self._store = store
        self._now = now

    def add_checkpoint(self, body: bytes) -> WitnessAnswer:
        """Cosign, or say which rule does not hold. Blocks on the disk."""
        try:
            return self._add(body)
        except RequestRefused as refused:
            return refused.answer

    def _add(self, body: bytes) -> WitnessAnswer:
        request = read_request(body)  # 1
        origin = request.unverified_note.text.partition("\n")[0]
        keys = self._store.keys_of(origin)
        if not keys:  # 2
            raise refuse(404, "unknown log")
        submitted = verify_submitted(request, keys)  # 3
        check_sizes(request.old, submitted.tree)  # 4
        with self._store.turn(origin) as turn:
            check_continues(turn.watched, request, submitted.tree)  # 5, 6
            line = self._cosigner.cosign(submitted.text, self._now())
            lines = "".join(f"{one.line}\n" for one in submitted.signatures)
            turn.replace(submitted.tree.size, submitted.tree.root, f"{submitted.text}\n{lines}{line}".encode())  # 7
        return WitnessAnswer(200, line)  # 8


def refuse(status: int, reason: str) -> RequestRefused:
    return RequestRefused(WitnessAnswer(status, f"{reason}\n"))


def read_request(body: bytes) -> AddCheckpoint:
    """Rule 1. Raises RequestRefused(400)."""
    try:
        return _take_apart(body)
    except UnicodeDecodeError as error:
        raise refuse(400, "invalid input: not ASCII") from error
    except NoteRefused as error:
        raise refuse(400, f"invalid input: {error}") from error


def _take_apart(body: bytes) -> AddCheckpoint:
    head, blank, note = body.partition(b"\n\n")
    old, *lines = head.decode("ascii").split("\n")
    if not blank or not old.startswith("old ") or len(lines) > PROOF_LIMIT:
        raise NoteRefused("not an old size, at most 63 proof lines and a checkpoint")
    path = tuple(map(read_base64, lines))
    if any(len(node) != HASH_LENGTH for node in path):
        raise NoteRefused("a proof line is not a hash")
    return AddCheckpoint(read_size(old.removeprefix("old ")), path, read_note(note))


def verify_submitted(request: AddCheckpoint, keys: Sequence[VerifierKey]) -> Submitted:
    """Rule 3. Raises RequestRefused(403), or 400 where the log signed what is no checkpoint."""
    note = request.unverified_note
    try:
        signatures = verify_note(note, keys)
        return Submitted(read_tree(note.text), note.text, signatures)
    except SignatureRefused as error:
        raise refuse(403, str(error)) from error
    except NoteRefused as error:
        raise refuse(400, f"invalid checkpoint: {error}") from error


def check_sizes(old: int, tree: Tree) -> None:
    """Rule 4."""
    if old > tree.size:
        raise refuse(400, "invalid input: the old size is larger than the checkpoint's")
    if tree.size == 0 and tree.root != EMPTY_ROOT:
        raise refuse(422, "an empty tree has another root")


def check_continues(watched: Watched, request: AddCheckpoint, tree: Tree) -> None:
    """Rules 5 and 6. From the empty tree there is nothing to prove, and no proof may be given."""
    if watched.size != request.old:
        raise RequestRefused(WitnessAnswer(409, f"{watched.size}\n", SIZE_TYPE))
    if watched.size == 0:
        if request.path:
            raise refuse(422, "a consistency proof from the empty tree must be empty")
        return
    try:
        verify_consistency(request.path, old_size=watched.size, old_root=watched.root, size=tree.size, root=tree.root)
    except VerificationError as error:
        raise refuse(422, "the consistency proof does not verify") from error
