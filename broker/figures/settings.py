"""The block `figures` of the configuration: from which number on something is shown, and where the cities stand."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from broker.figures.places import Places, read_places
from policies.strict_yaml import Located

LEAST: Final = 3
"""Of two, each knows the other."""
MOST: Final = 100


class FiguresFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    smallest: int = 5
    """A number that rests on fewer persons or cases is not shown."""
    cities: str = ""
    """A reviewed file with the cities and their distances (broker/figures/places.py); without it none is told."""


@dataclass(frozen=True, slots=True)
class FiguresSettings:
    smallest: int
    places: Places


def read_figures(given: FiguresFile, folder: Path, located: Located) -> FiguresSettings:
    """Raises ConfigurationError."""
    if not LEAST <= given.smallest <= MOST:
        raise located.error(f"smallest is from {LEAST} to {MOST}", "figures", "smallest")
    return FiguresSettings(given.smallest, read_places(folder / given.cities) if given.cities else Places())
