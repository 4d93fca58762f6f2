"""The routes file: read strictly, checked against the catalogue and the secrets folder, made into connectors."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec

from connectors.contract import Connector
from connectors.http import HttpConnector, HttpRoute, check_http
from connectors.route import Place
from connectors.sql import SqlConnector, SqlRoute, check_sql
from policies.strict_yaml import read_yaml
from policies.vocabulary import Item


class ItemRoutes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item's routes; the first is asked first."""

    item: str
    routes: Annotated[tuple[HttpRoute | SqlRoute, ...], msgspec.Meta(min_length=1)]


class RoutesFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file's own shape."""

    items: tuple[ItemRoutes, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """A connector with its limits."""

    connector: Connector
    deadline: float
    concurrency: int


@dataclass(frozen=True, slots=True)
class Routes:
    """Every item's connectors in order, and the SHA-256 hex of the bytes they were read from."""

    items: Mapping[str, Sequence[Made]]
    digest: str


def read_routes(
    path: Path, catalogue_items: Mapping[str, Item], secrets_folder: Path, now: Callable[[], datetime]
) -> Routes:
    """Return the routes of a file. Raises ConfigurationError with file and line; nothing is connected yet."""
    file, located = read_yaml(path, RoutesFile)
    names: set[str] = set()
    makers: dict[str, list[Callable[[], Made]]] = {}
    for i, entry in enumerate(file.items):
        place = Place(located, ("items", i))
        if entry.item not in catalogue_items:
            raise place.at("item").error(f"the catalogue has no item {entry.item!r}")
        if entry.item in makers:
            raise place.at("item").error(f"item {entry.item!r} stands twice")
        makers[entry.item] = []
        for j, route in enumerate(entry.routes):
            at = place.at("routes", j)
            if route.name in names:
                raise at.at("name").error(f"route {route.name!r} stands twice")
            names.add(route.name)
            makers[entry.item].append(_maker(route, catalogue_items[entry.item], at, secrets_folder, now))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Routes({item: [make() for make in made] for item, made in makers.items()}, digest)


def _maker(
    route: HttpRoute | SqlRoute, item: Item, place: Place, secrets_folder: Path, now: Callable[[], datetime]
) -> Callable[[], Made]:
    """Return checks now and makes later, so that a mistake further down leaves no pool behind."""
    if isinstance(route, HttpRoute):
        key = check_http(route, item, place, secrets_folder)
        return lambda: Made(HttpConnector(route, key, now), route.deadline_seconds, route.concurrency)
    password = check_sql(route, item, place, secrets_folder)
    return lambda: Made(SqlConnector(route, password, now), route.deadline_seconds, route.concurrency)
