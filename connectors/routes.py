"""The routes file: read strictly, checked against the catalogue and the secrets folder, made into connectors."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec

from connectors.contract import Connector
from connectors.exchange_tables import TablesConnector, TablesRoute, check_tables
from connectors.files import FilesRoute, check_files
from connectors.http import HttpRoute, check_http
from connectors.limit_checks import check_limits
from connectors.manual import ManualConnector, ManualRoute, check_manual
from connectors.memory import Memory
from connectors.patience import Patience, check_patience
from connectors.push import PushRoute, check_push
from connectors.route import Place
from connectors.soap import SoapRoute, check_soap
from connectors.sql import SqlConnector, SqlRoute, check_sql
from connectors.tickets import TicketRoute, check_ticket
from connectors.way import Way
from policies.strict_yaml import read_yaml
from policies.vocabulary import Item
from policies.workdays import Workdays

AnyRoute: TypeAlias = (
    HttpRoute | SoapRoute | SqlRoute | TablesRoute | FilesRoute | TicketRoute | PushRoute | ManualRoute
)
Maker: TypeAlias = Callable[[Memory, Callable[[], datetime]], Connector]


class ItemRoutes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item's routes; the first is asked first."""

    item: str
    routes: Annotated[tuple[AnyRoute, ...], msgspec.Meta(min_length=1)]


class RoutesFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file's own shape."""

    items: tuple[ItemRoutes, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """A route in which nothing is wrong, and how its connector is made."""

    route: AnyRoute
    department: str
    make: Maker

    def way(self, memory: Memory, now: Callable[[], datetime], workdays: Workdays) -> Way:
        """Make the connector, with its limits around it."""
        route = self.route
        return Way(
            self.make(memory, now),
            route.deadline_seconds,
            asyncio.Semaphore(route.concurrency),
            route.limits,
            memory,
            self.department,
            route.level,
            workdays,
            _patience(route),
        )


@dataclass(frozen=True, slots=True)
class Routes:
    """Every item's routes in order, and the SHA-256 hex of the bytes they were read from."""

    items: Mapping[str, Sequence[Checked]]
    digest: str


def read_routes(path: Path, catalogue_items: Mapping[str, Item], secrets_folder: Path) -> Routes:
    """Return the routes of a file. Raises ConfigurationError with file and line; nothing is made yet."""
    file, located = read_yaml(path, RoutesFile)
    names: set[str] = set()
    checked: dict[str, list[Checked]] = {}
    for i, entry in enumerate(file.items):
        place = Place(located, ("items", i))
        if entry.item not in catalogue_items:
            raise place.at("item").error(f"the catalogue has no item {entry.item!r}")
        if entry.item in checked:
            raise place.at("item").error(f"item {entry.item!r} stands twice")
        item = catalogue_items[entry.item]
        checked[entry.item] = []
        for j, route in enumerate(entry.routes):
            at = place.at("routes", j)
            if route.name in names:
                raise at.at("name").error(f"route {route.name!r} stands twice")
            names.add(route.name)
            check_limits(route.limits, at.at("limits"), reads_only=route.reads_only)
            if (patience := _patience(route)) is not None:
                check_patience(patience, at.at("late"))
            checked[entry.item].append(Checked(route, item.department, _maker(route, item, at, secrets_folder)))
    return Routes(checked, hashlib.sha256(path.read_bytes()).hexdigest())


def _patience(route: AnyRoute) -> Patience | None:
    match route:
        case TicketRoute() | PushRoute() | FilesRoute() | ManualRoute() | TablesRoute():
            return route.late
    return None


def _maker(route: AnyRoute, item: Item, place: Place, secrets_folder: Path) -> Maker:
    """Check now and make later, so that a mistake further down leaves no pool behind."""
    match route:
        case HttpRoute():
            return check_http(route, item, place, secrets_folder)
        case SoapRoute():
            return check_soap(route, item, place, secrets_folder)
        case TicketRoute():
            return check_ticket(route, item, place, secrets_folder)
        case PushRoute():
            return check_push(route, item, place, secrets_folder)
        case FilesRoute():
            return check_files(route, item, place, secrets_folder)
    return _without_memory(route, item, place, secrets_folder)


def _without_memory(
    route: SqlRoute | TablesRoute | ManualRoute, item: Item, place: Place, secrets_folder: Path
) -> Maker:
    if isinstance(route, ManualRoute):
        check_manual(route, item, place)
        return lambda _memory, now: ManualConnector(route, now)
    if isinstance(route, TablesRoute):
        known = check_tables(route, item, place, secrets_folder)
        return lambda _memory, now: TablesConnector(route, known, now)
    password = check_sql(route, item, place, secrets_folder)
    return lambda _memory, now: SqlConnector(route, password, now)
