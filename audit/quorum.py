"""Which witnesses are enough: tlog-policy files read strictly, and checkpoints held against them (C2SP tlog-policy).

A policy is opaque octets but for its syntax, so it is read as Latin-1: names are compared byte by byte.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.cosignature import Cosignature, cosignatures
from audit.errors import NoteRefused, PolicyRefused, QuorumMissing
from audit.note import LOG_KEY, WITNESS_KEY, Note, VerifierKey, read_note, read_tree, read_vkey, verify_note

NONE: Final = "none"
KEYWORDS: Final = frozenset({NONE, "any", "all"})
_FORBIDDEN: Final = re.compile(r"[^\t\n\x20-\x7e\x80-\xff]")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness that the policy knows; `name` is the policy's own, the key has another."""

    name: str
    key: VerifierKey
    url: str
    """The submission prefix; empty where the policy names none."""


@dataclass(frozen=True, slots=True)
class Group:
    """Witnesses a checkpoint where at least `threshold` of its members, witnesses or groups, do."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy whose every line was understood."""

    logs: tuple[VerifierKey, ...]
    witnesses: Mapping[str, Witness]
    groups: Mapping[str, Group]
    quorum: str
    """The name of a witness or group, or `none`."""


def read_policy(octets: bytes) -> Policy:
    """Read a policy file. Raises PolicyRefused (`line N: ...`) at the first line that does not hold."""
    text = octets.decode("latin-1")
    if text and not text.endswith("\n"):
        text += "\n"  # upstream readers take a last line without its newline; nothing else can be meant
    if forbidden := _FORBIDDEN.search(text):
        raise PolicyRefused("a control character", text.count("\n", 0, forbidden.start()) + 1)
    draft = _Draft()
    for number, line in enumerate(text.split("\n"), 1):
        words = [word for word in re.split(r"[ \t]+", line) if word]
        if not words or words[0].startswith("#"):
            continue
        try:
            draft.add(words)
        except (NoteRefused, PolicyRefused) as error:
            raise PolicyRefused(str(error), number) from error
    if not draft.quorum:
        raise PolicyRefused("there is no quorum line", text.count("\n") or 1)
    return Policy(tuple(draft.logs), draft.witnesses, draft.groups, draft.quorum)


def satisfied(policy: Policy, note: bytes) -> tuple[Cosignature, ...]:
    """The verified cosignatures, newest per witness, by which this checkpoint meets the policy.

    Raises QuorumMissing, or NoteRefused where the note is malformed, or a known key's signature on it is wrong or,
    where the policy lists logs, none of them signed it under its own name.
    """
    unverified = read_note(note)
    if policy.logs:
        origin = read_tree(unverified.text).origin
        verify_note(unverified, (log for log in policy.logs if log.name == origin))
    signed = {name: found for name, one in policy.witnesses.items() if (found := _newest(unverified, one)) is not None}
    if policy.quorum != NONE and not _witnessed(policy, policy.quorum, signed):
        raise QuorumMissing(f"{len(signed)} of {len(policy.witnesses)} witnesses signed: not the policy's quorum")
    return tuple(signed.values())


def _newest(note: Note, witness: Witness) -> Cosignature | None:
    return max(cosignatures(note, witness.key), key=lambda one: one.time, default=None)


def _witnessed(policy: Policy, name: str, signed: Mapping[str, Cosignature]) -> bool:
    group = policy.groups.get(name)
    if group is None:
        return name in signed
    return sum(_witnessed(policy, member, signed) for member in group.members) >= group.threshold


@dataclass(slots=True)
class _Draft:
    """The lines read so far; each may only name what stands above it."""

    logs: list[VerifierKey] = field(default_factory=list)
    witnesses: dict[str, Witness] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    quorum: str = ""
    taken: set[str] = field(default_factory=set)
    """Members of groups: each name may be one only once, so that no witness counts twice."""

    def add(self, words: list[str]) -> None:
        keyword, *rest = words
        kinds: dict[str, tuple[range, Callable[[list[str]], None]]] = {
            "log": (range(1, 3), self._add_log),
            "witness": (range(2, 4), self._add_witness),
            "group": (range(3, 1000), self._add_group),
            "quorum": (range(1, 2), self._set_quorum),
        }
        if keyword not in kinds:
            raise PolicyRefused("not a log, witness, group or quorum")
        lengths, add = kinds[keyword]
        if len(rest) not in lengths:
            raise PolicyRefused(f"a {keyword} line has too few or too many items")
        add(rest)

    def _add_log(self, words: list[str]) -> None:
        key = read_vkey(_utf8(words[0]), LOG_KEY)
        if any(_raw(key.key) == _raw(other.key) for other in self.logs):
            raise PolicyRefused("this log's key stands twice")
        check_url(*words[1:])
        self.logs.append(key)

    def _add_witness(self, words: list[str]) -> None:
        name, key = self._new_name(words[0]), read_vkey(_utf8(words[1]), WITNESS_KEY)
        if any(_raw(key.key) == _raw(other.key.key) for other in self.witnesses.values()):
            raise PolicyRefused("this witness's key stands twice")
        self.witnesses[name] = Witness(name, key, check_url(*words[2:]))

    def _add_group(self, words: list[str]) -> None:
        name, threshold, *members = words
        self._new_name(name)
        if threshold not in {"any", "all"} and _NUMBER.fullmatch(threshold) is None:
            raise PolicyRefused("a group's threshold is any, all or a number")
        needed = {"any": 1, "all": len(members)}.get(threshold) or int(threshold)
        if not 1 <= needed <= len(members):
            raise PolicyRefused(f"a group of {len(members)} cannot need {needed}")
        for member in members:
            self._take(member)
        self.groups[name] = Group(needed, tuple(members))

    def _take(self, member: str) -> None:
        if member not in self.witnesses and member not in self.groups:
            raise PolicyRefused("a group's member is not defined above")
        if member in self.taken:
            raise PolicyRefused("a name is a member twice")
        self.taken.add(member)

    def _set_quorum(self, words: list[str]) -> None:
        if self.quorum:
            raise PolicyRefused("there is a second quorum line")
        if words[0] != NONE and words[0] not in self.witnesses and words[0] not in self.groups:
            raise PolicyRefused("the quorum is not defined above")
        self.quorum = words[0]

    def _new_name(self, name: str) -> str:
        if name in KEYWORDS:
            raise PolicyRefused("none, any and all name nothing")
        if name in self.witnesses or name in self.groups:
            raise PolicyRefused("this name is defined above")
        return name


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes_raw()


def _utf8(text: str) -> str:
    try:
        return text.encode("latin-1").decode()
    except UnicodeDecodeError as error:
        raise PolicyRefused("a verifier key is not UTF-8") from error


def check_url(url: str = "") -> str:
    """An address without its last slash, empty where there is none. Raises PolicyRefused."""
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        plain = parts.scheme in {"http", "https"} and parts.hostname and not set("?#@") & set(url)
    except ValueError:
        plain = False
    if not plain:
        raise PolicyRefused("not a plain http or https address")
    return url.rstrip("/")
