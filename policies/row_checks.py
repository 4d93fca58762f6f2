"""What must hold for one id, a file's name, a pair of words or a list, whichever row of the catalogue it is in."""

import re
from collections.abc import Iterable
from typing import Final

from policies.catalogue_files import Words
from policies.identifiers import read_identifier
from policies.strict_yaml import Located

_ID: Final = re.compile(r"[a-z][a-z0-9_]*")
_ID_LENGTHS: Final = range(1, 65)
_VERSION: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])(\.[1-9][0-9]*)?")
_CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")
_LATIN: Final = re.compile(r"[A-Za-z]")


def check_version(at: Located, version: str) -> None:
    """Versions read YYYY-MM, with `.1`, `.2` behind for a second one within a month."""
    if not _VERSION.fullmatch(version):
        raise at.error("a version reads like 2026-11 or 2026-11.1", "version")


def check_file(at: Located, identifier: str) -> None:
    check_id(at, identifier, "id")
    if at.path.stem != identifier:
        raise at.error(f"the file is named {at.path.name}, so the id must be {at.path.stem}", "id")


def check_id(at: Located, identifier: str, *where: str | int) -> None:
    if not _ID.fullmatch(identifier):
        raise at.error("an id is small letters, digits and _, a letter first", *where)
    try:
        read_identifier(identifier, _ID_LENGTHS)
    except ValueError as error:
        raise at.error(f"not an id: {error}", *where) from error


def check_words(at: Located, words: Words, *where: str | int) -> None:
    if not _CHINESE.search(words.zh):
        raise at.error("the Chinese words are missing", *where, "zh")
    if not _LATIN.search(words.en) or _CHINESE.search(words.en):
        raise at.error("the English words are missing", *where, "en")


def check_meaning(at: Located, meaning: str, *where: str | int) -> None:
    if not _CHINESE.search(meaning):
        raise at.error("a code's meaning is in Chinese", *where)


def check_unique(at: Located, ids: Iterable[str], where: str, *member: str) -> None:
    seen: set[str] = set()
    for index, identifier in enumerate(ids):
        if identifier in seen:
            raise at.error(f"{identifier} stands twice", where, index, *member)
        seen.add(identifier)
