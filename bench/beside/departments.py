"""The departments of both programs, by our routes and by plain addresses, and how late they answer."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import kinds
from bench.plain.departments import Address, Person
from bench.recorded import record
from bench.requester import KNOWN
from connectors.departments.fleet import Fleet
from connectors.departments.process import DepartmentProcess
from policies.catalogue import Catalogue

OF_THE_OFFICE: Final = ("household_register", "hpf_person_account")
_PATHS: Final = {
    "real_estate_registration": ("property_registry", "/api/bdc/query", "property-registry-key"),
    "marriage_check_single": ("civil_affairs", "/ws/marriage", ""),
    "hpf_remote_account": ("beijing_fund", "/httpproxy", "beijing-fund-secret"),
}


@dataclass(frozen=True, slots=True)
class Departments:
    """Whoever starts them ends them."""

    routes: Path
    secrets: Path
    addresses: Mapping[str, Address]
    """By item, for whoever asks without our connectors."""
    running: Sequence[DepartmentProcess]

    @contextmanager
    def delayed(self, milliseconds: int) -> Iterator[None]:
        """Within it every department answers so much later."""
        if not milliseconds:
            yield
            return
        self._tell("slow", milliseconds)
        try:
            yield
        finally:
            self._tell("none", 0)

    def _tell(self, fault: str, milliseconds: int) -> None:
        for one in self.running:
            one.control("POST", "/faults", {"fault": fault, "seconds": milliseconds / 1000})


@contextmanager
def departments(folder: Path, *, recorded: bool) -> Iterator[Departments]:
    """The test departments and the bench's office; or one process that answers what they answered. Raises RunFailed."""
    with ExitStack() as stack:
        fleet = stack.enter_context(Fleet.start(folder / "departments"))
        office = DepartmentProcess.start("bench.office", folder / "office")
        stack.callback(office.stop)
        honest = [*(fleet.running[name] for name, _, _ in _PATHS.values()), office]
        routes = _routes(fleet, office.port)
        asked = Departments(routes, fleet.secrets_folder, _addresses(fleet, office.port), honest)
        if recorded:
            asked = _recorded(folder / "recorded", asked)
            stack.callback(asked.running[0].stop)
        yield asked


def _recorded(folder: Path, honest: Departments) -> Departments:
    """The same routes and addresses, but all of them lead to one process."""
    folder.mkdir()
    file = folder / "answers.json"
    people = [Person(one.name, one.id_number) for one in KNOWN]
    file.write_text(json.dumps(asyncio.run(record(honest.addresses, people))), encoding="utf-8")
    memory = DepartmentProcess.start("bench.recorded", folder, str(file))
    text = honest.routes.read_text(encoding="utf-8")
    addresses = dict(honest.addresses)
    for one in honest.running:
        old, new = (f"http://127.0.0.1:{port}/" for port in (one.port, memory.port))
        text = text.replace(old, new)
        addresses = {item: Address(url=at.url.replace(old, new), key=at.key) for item, at in addresses.items()}
    routes = honest.routes.with_name("recorded.yaml")
    routes.write_text(text, encoding="utf-8")
    return Departments(routes, honest.secrets, addresses, [memory])


def _addresses(fleet: Fleet, office: int) -> dict[str, Address]:
    known = {}
    for item, (name, path, secret) in _PATHS.items():
        key = (fleet.secrets_folder / secret).read_text(encoding="utf-8").strip() if secret else ""
        known[item] = Address(url=f"{fleet.control(name)}{path}", key=key)
    return known | {item: Address(url=f"http://127.0.0.1:{office}/json/{item}") for item in OF_THE_OFFICE}


def _routes(fleet: Fleet, office: int) -> Path:
    """The test departments' routes, and two items of the bench's office."""
    items = Catalogue.load().items
    more = [{"item": item, "routes": [kinds.http_route(kinds.PLAIN, items[item], office)]} for item in OF_THE_OFFICE]
    file = fleet.routes_file.with_name("beside.yaml")
    text = fleet.routes_file.read_text(encoding="utf-8")
    file.write_text(text + "".join(f"\n  - {json.dumps(one)}" for one in more) + "\n", encoding="utf-8")
    return file
