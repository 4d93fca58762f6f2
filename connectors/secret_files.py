"""Secrets by reference only: a name in the configuration is a file of that name in the secrets folder."""

import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from connectors.route import Place

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret's text, kept out of every repr."""

    text: str = field(repr=False)


def read_secret(folder: Path, name: str, place: Place) -> Secret:
    """Return the secret of this name. Raise ConfigurationError for a path, a missing, empty or openly readable file.

    What was written in place of a name is never told: it may be the secret itself.
    """
    if not _NAME.fullmatch(name):
        raise place.error("a secret is named by letters, digits, - and _ only; it is no path")
    file = (folder / name).resolve()
    if not file.is_relative_to(folder.resolve()):
        raise place.error("this secret leads out of the secrets folder")
    try:
        if file.stat().st_mode & stat.S_IRWXO:
            raise place.error("this secret can be read by every user of this machine; chmod 600 its file")
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise place.error("cannot be read: here stands a secret's file name, never the secret itself") from None
    if not text:
        raise place.error("this secret is empty")
    return Secret(text)
