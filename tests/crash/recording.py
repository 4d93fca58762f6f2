"""What a process did to its files, as strace wrote it down: each change with its bytes, each sync, each word said."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

RECORDED = ("openat", "pwrite64", "write", "ftruncate", "fdatasync", "fsync", "rename", "link", "unlink", "linkat")
ARGUMENTS = ("-y", "-xx", "-s", "10000000", "-e", f"trace={','.join(RECORDED)}")

_CALL = re.compile(r"(?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>-?\d+)")
_ESCAPE = re.compile(r"\\x([0-9a-f]{2})")


@dataclass(frozen=True)
class Created:
    file: Path


@dataclass(frozen=True)
class Written:
    file: Path
    at: int | None
    """None for the end of the file."""
    octets: bytes


@dataclass(frozen=True)
class Truncated:
    file: Path
    size: int


@dataclass(frozen=True)
class Synced:
    """A file, or a folder's names; where it failed, nobody knows what of it is safe."""

    file: Path
    failed: bool


@dataclass(frozen=True)
class Linked:
    file: Path
    name: Path


@dataclass(frozen=True)
class Renamed:
    file: Path
    name: Path


@dataclass(frozen=True)
class Unlinked:
    file: Path


@dataclass(frozen=True)
class Said:
    """A line on the pipe to whoever was promised something."""

    members: dict[str, Any]


Act: TypeAlias = Created | Written | Truncated | Synced | Linked | Renamed | Unlinked | Said


def acts(written: Path, folder: Path) -> Iterator[Act]:
    """What happened below `folder`, in the order in which the calls returned."""
    waiting: dict[str, str] = {}
    for line in written.read_text(encoding="utf-8").splitlines():
        thread, _, call = line.partition(" ")
        call = call.strip()
        if call.endswith("<unfinished ...>"):
            waiting[thread] = call.removesuffix("<unfinished ...>")
            continue
        if call.startswith("<..."):
            call = waiting.pop(thread) + call.partition("resumed>")[2]
        found = _CALL.match(call)
        if found is not None:
            yield from _act(found["name"], found["arguments"], int(found["result"]), folder)


def _act(name: str, arguments: str, result: int, folder: Path) -> Iterator[Act]:
    strings = [_octets(text) for text in re.findall(r'"([^"]*)"', arguments)]
    paths = [Path(_octets(text).decode()) for text in re.findall(r"<([^>]*)>", arguments)]
    if name in {"fdatasync", "fsync"} and _inside(paths[0], folder):
        yield Synced(paths[0], failed=result != 0)
    elif result < 0:
        return
    elif name == "openat" and "O_CREAT" in arguments:
        yield from (Created(file) for file in (Path(strings[0].decode()),) if _inside(file, folder))
    elif name in {"write", "pwrite64"}:
        yield from _written(name, arguments, strings[0][:result], paths[0], folder)
    elif name == "ftruncate" and _inside(paths[0], folder):
        yield Truncated(paths[0], int(arguments.rpartition(", ")[2]))
    elif name in {"rename", "link", "linkat"} and _inside(old := Path(strings[0].decode()), folder):
        yield (Renamed if name == "rename" else Linked)(old, Path(strings[1].decode()))
    elif name == "unlink" and _inside(old := Path(strings[0].decode()), folder):
        yield Unlinked(old)


def _written(name: str, arguments: str, octets: bytes, file: Path, folder: Path) -> Iterator[Act]:
    if _inside(file, folder):
        yield Written(file, int(arguments.rpartition(", ")[2]) if name == "pwrite64" else None, octets)
    elif str(file).startswith("pipe:") and octets.startswith(b"{") and octets.endswith(b"}\n"):
        yield Said(json.loads(octets))


def _inside(file: Path, folder: Path) -> bool:
    return file.is_relative_to(folder)


def _octets(text: str) -> bytes:
    if "\\x" not in text:
        return text.encode()
    return bytes.fromhex("".join(_ESCAPE.findall(text)))
