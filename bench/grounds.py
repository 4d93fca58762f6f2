"""Where is measured: which departments stand there, which brokers ask them, and what they are asked.

items   the four test departments of the demo: 1, 3 and 4 items
kinds   the bench's office and databases: the same items through as many kinds, and all over plain http JSON
late    the test departments that answer late: from the request to the answer that says `pending`
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from bench import kinds
from bench.cases import CASES, FOUR, LATE, MIXED, PLAIN, Case, each
from bench.databases import servers, without_password
from bench.processes import Founding, Processes, children, running
from connectors.departments.fleet import Fleet
from connectors.departments.late_fleet import LateFleet
from connectors.departments.process import DepartmentProcess
from policies.catalogue import Catalogue

_LATE_ROUTES: Final = {
    "ticket": ("ticket-platform", "real_estate_registration"),
    "push": ("pushing-office", "hpf_remote_account"),
    "files": ("tax-files-folder", "deed_tax"),
}
_BY_HAND: Final = "court_enforcement"
_POLLED: Final = ("poll_seconds: 1,", "poll_seconds: 86400,")
"""Nothing is carried on with while it is measured."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Brokers by name, and what they are asked."""

    brokers: Mapping[str, Processes]
    cases: tuple[Case, ...]


Tell: TypeAlias = Callable[[str], None]
Opening: TypeAlias = Callable[[Path, Tell], AbstractContextManager[Ground]]


@contextmanager
def _items(folder: Path, _tell: Tell) -> Iterator[Ground]:
    with (
        Fleet.start(folder / "departments") as fleet,
        running(folder / "broker", Founding(fleet.routes_file, fleet.secrets_folder), children()) as broker,
    ):
        yield Ground({FOUR: broker}, CASES)


@contextmanager
def _kinds(folder: Path, tell: Tell) -> Iterator[Ground]:
    items = Catalogue.load().items
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700, parents=True)
    office = DepartmentProcess.start("bench.office", folder / "office")
    with ExitStack() as stack:
        stack.callback(office.stop)
        urls = stack.enter_context(servers(tell))
        mixed = {item: kinds.http_route(kind, items[item], office.port) for kind, item in kinds.OVER_HTTP.items()}
        mixed |= _in_databases(folder, secrets, urls)
        plain = {item: kinds.http_route(kinds.PLAIN, items[item], office.port) for item in mixed}
        departments = children()
        brokers = {}
        for name, routes in ((PLAIN, plain), (MIXED, mixed)):
            file = kinds.write_routes(folder / f"{name}.yaml", routes)
            brokers[name] = stack.enter_context(running(folder / name, Founding(file, secrets), departments))
        count, asked = len(mixed), tuple(mixed)
        cases = zip(each(f"{count}, all JSON", PLAIN, asked), each(f"{count} kinds", MIXED, asked), strict=True)
        yield Ground(brokers, tuple(case for pair in cases for case in pair))


def _in_databases(folder: Path, secrets: Path, urls: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The routes to an SQLite file and to each server that is here, filled."""
    items, routes = Catalogue.load().items, {}
    for kind, item in kinds.SQLITE.items():
        routes[item] = kinds.sql_route(kind, items[item], *kinds.sqlite_files(folder, items[item]))
    for number, (kind, url) in enumerate(urls.items()):
        item = kinds.OVER_SERVERS[kind]
        kinds.fill(url, items[item])
        named, secret = without_password(url, secrets, f"database-{number}")
        routes[item] = kinds.sql_route(kind, items[item], named, named) | secret
    return routes


@contextmanager
def _late(folder: Path, _tell: Tell) -> Iterator[Ground]:
    with LateFleet.start(folder / "departments") as fleet:
        fleet.set_fault("pushing_office", "never")
        file = fleet.write_routes(folder / "late.yaml", *(route for route, _ in _LATE_ROUTES.values()))
        text = file.read_text(encoding="utf-8").replace(*_POLLED)
        by_hand = {"item": _BY_HAND, "routes": [kinds.manual_route(Catalogue.load().items[_BY_HAND])]}
        file.write_text(f"{text}\n  - {json.dumps(by_hand)}\n", encoding="utf-8")
        asked = {kind: item for kind, (_, item) in _LATE_ROUTES.items()} | {"manual": _BY_HAND}
        with running(folder / "broker", Founding(file, fleet.secrets_folder), children()) as broker:
            cases = [case for kind, item in asked.items() for case in each(f"1, {kind}", LATE, (item,))]
            yield Ground({LATE: broker}, tuple(cases))


GROUNDS: Final[Mapping[str, Opening]] = {"items": _items, "kinds": _kinds, "late": _late}
