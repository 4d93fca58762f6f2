"""In which city each requester, department and route is, and how far cities are apart: a reviewed file, read strictly.

What does not stand there is not known, and the figure that needs it is absent.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from policies.strict_yaml import Located, read_yaml

FARTHEST: Final = 6000
"""Kilometres, more than the country is wide."""
_ID: Final = re.compile(r"[a-z][a-z_]{0,29}")


class NameFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    zh: str
    en: str


class DistanceFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    between: tuple[str, str]
    km: int
    """One way."""
    source: str
    """Where the number was read."""


class PlacesFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may stand in the file. A route's city goes before its department's: other centres are one department."""

    reviewed: str
    """By whom and when; for the reader."""
    cities: dict[str, NameFile]
    requesters: dict[str, str] = {}
    departments: dict[str, str] = {}
    routes: dict[str, str] = {}
    distances: list[DistanceFile] = []


@dataclass(frozen=True, slots=True)
class Places:
    """The file as it is used; without one, nothing is known."""

    names: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    requesters: Mapping[str, str] = field(default_factory=dict)
    departments: Mapping[str, str] = field(default_factory=dict)
    routes: Mapping[str, str] = field(default_factory=dict)
    distances: Mapping[frozenset[str], int] = field(default_factory=dict)

    def pair(self, requester: str, department: str, route: str) -> tuple[str, str] | None:
        """From the requester's city to the one that answers; None where one of them is not known."""
        home = self.requesters.get(requester)
        other = self.routes.get(route) or self.departments.get(department)
        return (home, other) if home is not None and other is not None else None

    def kilometres(self, pair: tuple[str, str]) -> int | None:
        """One way, None where nobody wrote it down."""
        return self.distances.get(frozenset(pair))


def read_places(path: Path) -> Places:
    """Raises ConfigurationError (file:line: what)."""
    given, located = read_yaml(path, PlacesFile)
    for city in given.cities:
        if not _ID.fullmatch(city):
            raise located.error("a city's id is written in small letters and _", "cities", city)
    for kind in ("requesters", "departments", "routes"):
        for name, city in getattr(given, kind).items():
            _check_city(city, given, located, kind, name)
    distances: dict[frozenset[str], int] = {}
    for number, one in enumerate(given.distances):
        for city in one.between:
            _check_city(city, given, located, "distances", number)
        if not 1 <= one.km <= FARTHEST:
            raise located.error(f"km is from 1 to {FARTHEST}", "distances", number, "km")
        if distances.setdefault(frozenset(one.between), one.km) != one.km:
            raise located.error("these two cities stand here twice", "distances", number)
    return Places(
        names={city: (name.zh, name.en) for city, name in given.cities.items()},
        requesters=given.requesters,
        departments=given.departments,
        routes=given.routes,
        distances=distances,
    )


def _check_city(city: str, given: PlacesFile, located: Located, *at: str | int) -> None:
    if city not in given.cities:
        raise located.error(f"{city} is none of the cities of this file", *at)
