"""Test departments that are asked over HTTP, behind a front door: at once, by ticket, or to be answered by a post."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import pytest

from connectors.departments.late_fleet import SECRETS, TEMPLATES
from connectors.departments.process import DepartmentProcess, stop_all
from policies.strict_yaml import read_yaml
from tests.connectors.asking import write_secrets
from tests.departments.certificates import write_certificates
from tests.departments.posts import open_box
from tests.departments.running import DOOR, HELD, Running, Start, limited, limited_route, open_door, write_route

FAULTS: Mapping[str, str] = {
    HELD: "held",
    "5xx": "500",
    "429": "429",
    "wrong schema": "wrong_schema",
    "wrong person": "wrong_person",
    "100 MB": "huge",
    "XML bomb": "xml_bomb",
    "external entity": "xml_entity",
    "duplicates": "duplicates",
    "stale": "stale",
}
JSON_HEAD, XML_HEAD = 130, 200
"""Bytes after which the door bends an answer: its headers, and a little of its body."""
TRUST = "test-authority"
OURS = {"trust": TRUST, "connect_seconds": 0.5}


@dataclass
class Behind:
    """A department with a door before it."""

    department: DepartmentProcess
    secrets: Path
    bend: Callable[[str], None]
    port: int


def at_once(name: str, item: str, *, tls: bool) -> Start:
    """One of the departments of the demo, behind TLS if told."""

    @contextmanager
    def start(folder: Path, _request: pytest.FixtureRequest) -> Iterator[Running]:
        with behind_door(name, folder, XML_HEAD, tls=tls) as behind:
            key = folder / "department" / "app_key"
            if key.exists():
                (behind.secrets / "property-registry-key").write_bytes(key.read_bytes())
            route = limited_route(item, folder, **OURS)
            path = route["request"]["url"].partition("127.0.0.1:1")[2]
            route["request"]["url"] = f"{'https' if tls else 'http'}://127.0.0.1:{behind.port}{path}"
            yield Running(write_route(folder, item, route), behind.secrets, behind.bend)

    return start


def further(name: str, after: int, *, tls: bool) -> Start:
    """One of the late fleet's; whatever it posts is taken."""

    @contextmanager
    def start(folder: Path, _request: pytest.FixtureRequest) -> Iterator[Running]:
        pushes = name == "pushing_office"
        cut = {"truncated": "truncated"} if pushes else {}
        with behind_door(name, folder, after, tls=tls, also=cut) as behind, open_box() as box:
            item, route = late_route(name.replace("_", "-"), folder, tls=tls, **{name: behind.port})
            file = write_route(folder, item, limited(route, **OURS))
            if pushes:
                behind.department.control("POST", "/push-to", {"url": box.url})
            yield Running(file, behind.secrets, behind.bend, box.answer if pushes else None)

    return start


@contextmanager
def behind_door(
    name: str, folder: Path, after: int, *, tls: bool, also: Mapping[str, str] = FAULTS
) -> Iterator[Behind]:
    """Start both; the department's secrets are ours too. `also` are faults of the line that it knows itself."""
    authority = write_certificates(folder / "door")
    store = folder / "department"
    department = DepartmentProcess.start(name, store)
    door, port = open_door(folder / "door", f"127.0.0.1:{department.port}", tls=tls)
    secrets = write_secrets(folder / "secrets")
    known = {own: (store / file).read_bytes() for own, (whose, file) in SECRETS.items() if whose == name}
    for own, content in {**known, TRUST: authority.encode()}.items():
        (secrets / own).touch(mode=0o600)
        (secrets / own).write_bytes(content)

    def bend(fault: str) -> None:
        door.control("POST", "/faults", {"fault": DOOR.get(fault, "none"), "after": after})
        department.control("POST", "/faults", {"fault": {**FAULTS, **also}.get(fault, "none")})

    yield Behind(department, secrets, bend, port)
    stop_all([door, department])


def late_route(name: str, folder: Path, *, tls: bool = False, **places: Any) -> tuple[str, Mapping[str, Any]]:
    """The item and, as plain data, one of the late fleet's routes, filled with these places."""
    text = Template((TEMPLATES / f"{name}.yaml.template").read_text(encoding="utf-8")).substitute(places)
    file = folder / "shipped.yaml"
    file.write_text("items:\n" + (text.replace("http://", "https://") if tls else text), encoding="utf-8")
    whole, _ = read_yaml(file, dict[str, Any])
    (entry,) = whole["items"]
    (route,) = entry["routes"]
    return entry["item"], route
