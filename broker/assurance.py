"""How surely a person must be identified for what she does: the setting `assurance`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import msgspec

from broker.login import Assurance

LevelName: TypeAlias = Literal["low", "substantial", "high"]
LEVELS: Final[Mapping[str, Assurance]] = {level.name.lower(): level for level in Assurance}


class AssuranceFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may stand in the file."""

    browse: LevelName = "low"
    sign: LevelName = "substantial"
    sign_sensitive: LevelName = "high"
    withdraw: LevelName = "low"


@dataclass(frozen=True, slots=True)
class AssuranceNeeded:
    """The least level for each action."""

    browse: Assurance = Assurance.LOW
    sign: Assurance = Assurance.SUBSTANTIAL
    """To enrol the first device, and to sign where nothing sensitive was chosen."""
    sign_sensitive: Assurance = Assurance.HIGH
    """To sign what the catalogue marks sensitive, to register a passkey and to enrol a further device."""
    withdraw: Assurance = Assurance.LOW
    """To withdraw, and to give up a device or a passkey."""


def read_assurance(given: AssuranceFile) -> AssuranceNeeded:
    return AssuranceNeeded(
        LEVELS[given.browse], LEVELS[given.sign], LEVELS[given.sign_sensitive], LEVELS[given.withdraw]
    )
