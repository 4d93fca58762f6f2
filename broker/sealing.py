"""The settings of outside witnesses and of the outside clock, with the files they name read and checked."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from audit.errors import PolicyRefused, TimestampRefused
from audit.quorum import NONE, Policy, check_url, read_policy
from audit.timestamps import Roots
from policies.strict_yaml import ConfigurationError, Located

NAME_LIMIT: Final = 200
"""Characters: what a seal's row takes."""


class WitnessesFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    policy: str
    """A C2SP tlog-policy file: which witnesses, where, and how many are enough."""
    every_seconds: int = 10
    """How often at most each witness is asked."""


class TimestampsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    url: str
    """Of an RFC 3161 authority."""
    roots: str
    """A PEM file: the authority's root, and what stands between it and whoever signs."""
    every_minutes: int = 60
    stop_after_hours: int = 0
    """After how many hours without a time stamp nothing is released; 0 for never."""


@dataclass(frozen=True, slots=True)
class WitnessSettings:
    policy: Policy
    every: int
    """Seconds."""


@dataclass(frozen=True, slots=True)
class TimestampSettings:
    url: str
    roots: Roots
    every: int
    """Seconds."""
    stop_after: int
    """Seconds; 0 for never."""


def read_witnesses(given: WitnessesFile | None, folder: Path, located: Located) -> WitnessSettings | None:
    """Raises ConfigurationError, in the policy file's own terms for what is wrong there."""
    if given is None:
        return None
    if given.every_seconds < 1:
        raise located.error("every_seconds must be at least 1", "witnesses", "every_seconds")
    file = folder / given.policy
    try:
        policy = read_policy(_read(file))
    except PolicyRefused as error:
        raise ConfigurationError(f"{file}:{error.line}: {error.reason}") from error
    if policy.quorum == NONE:
        raise located.error("a quorum of none witnesses nothing: leave witnesses out instead", "witnesses", "policy")
    if unreachable := [name for name, witness in policy.witnesses.items() if not witness.url]:
        raise ConfigurationError(f"{file}:1: witness {unreachable[0]} has no address, so it cannot be asked")
    if any(len(witness.key.unique_name) > NAME_LIMIT for witness in policy.witnesses.values()):
        raise ConfigurationError(f"{file}:1: a witness's key name is longer than {NAME_LIMIT} characters")
    return WitnessSettings(policy, given.every_seconds)


def read_timestamps(given: TimestampsFile | None, folder: Path, located: Located) -> TimestampSettings | None:
    """Raises ConfigurationError."""
    if given is None:
        return None
    if given.every_minutes < 1 or given.stop_after_hours < 0:
        raise located.error("every_minutes is at least 1, stop_after_hours at least 0", "timestamps")
    if 0 < given.stop_after_hours * 60 <= given.every_minutes:
        raise located.error("stop_after_hours must be longer than every_minutes", "timestamps", "stop_after_hours")
    try:
        check_url(given.url)
    except PolicyRefused as error:
        raise located.error(error.reason, "timestamps", "url") from error
    file = folder / given.roots
    try:
        roots = Roots.read(_read(file))
    except TimestampRefused as error:
        raise ConfigurationError(f"{file}:1: {error}") from error
    return TimestampSettings(given.url, roots, given.every_minutes * 60, given.stop_after_hours * 3600)


def warnings(witnesses: WitnessSettings | None, timestamps: TimestampSettings | None) -> list[str]:
    """What an operator should know before relying on the log."""
    found = []
    if witnesses is None:
        found.append(
            "no witness is configured: nobody outside would notice if different people were shown different logs"
        )
    if timestamps is None:
        found.append("no time-stamp authority is configured: the log's times rest on this machine's clock alone")
    elif not timestamps.stop_after:
        found.append("timestamps: stop_after_hours is 0: releases go on however long no time stamp can be had")
    return found


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{file}:1: cannot be read: {error.strerror}") from error
