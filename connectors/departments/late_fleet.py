"""The test departments of the further kinds as child processes, with the routes file that leads to them."""

import json
import shutil
from pathlib import Path
from string import Template
from types import TracebackType
from typing import Any, Final, Self

from connectors.departments import civil_affairs_soap, nightly_files, pushing_office, ticket_platform
from connectors.departments.process import DepartmentProcess, stop_all
from connectors.departments.tax_tables import FILE, URL_FILE

NAMES: Final = ("civil_affairs_soap", "ticket_platform", "pushing_office", "nightly_files", "tax_tables")

ROUTES: Final = ("civil-affairs-soap", "ticket-platform", "pushing-office", "tax-files-sftp")
"""By default; `tax-files-folder`, `tax-tables` and `tax-manual` are further ways to the tax office's item."""

TEMPLATES: Final = Path(__file__).with_name("late_routes")
SAMPLES: Final = TEMPLATES / "samples"
SECRETS: Final = {
    "civil-affairs-registration": ("civil_affairs_soap", civil_affairs_soap.KEY_FILE),
    "ticket-platform-key": ("ticket_platform", ticket_platform.KEY_FILE),
    "pushing-office-secret": ("pushing_office", pushing_office.KEY_FILE),
    "tax-sftp-key": ("nightly_files", nightly_files.CLIENT_KEY),
    "tax-sftp-host-key": ("nightly_files", nightly_files.HOST_KEY),
}
"""Our name of each secret, and which department keeps it in which file of its store."""


class LateFleet:
    """Running departments, each with a store below `folder`. Whoever starts it stops it; if it dies, so do they."""

    def __init__(self, folder: Path, running: list[DepartmentProcess], tables_url: str) -> None:
        self.folder = folder
        self.routes_file = folder / "departments.yaml"
        self.secrets_folder = folder / "secrets"
        self._running = {one.name: one for one in running}
        self._tables_url = tables_url or f"sqlite:///{folder / 'tax_tables' / FILE}"

    @classmethod
    def start(cls, folder: Path, tables_url: str = "") -> Self:
        """Start all departments; the tables stand in `tables_url`, or in a file. RuntimeError if one is not ready."""
        folder = folder.resolve()
        if tables_url:
            (folder / "tax_tables").mkdir(parents=True, exist_ok=True)
            (folder / "tax_tables" / URL_FILE).write_text(tables_url, encoding="utf-8")
        running = DepartmentProcess.start_all({name: (folder / name, ()) for name in NAMES})
        try:
            fleet = cls(folder, running, tables_url)
            fleet._copy_secrets()
            fleet.write_routes(fleet.routes_file)
        except BaseException:
            stop_all(running)
            raise
        return fleet

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stop_all(list(self._running.values()))

    def set_fault(self, name: str, fault: str, seconds: float = 0.0) -> None:
        """Bend one department, and say how long its answers take to be there."""
        self._running[name].control("POST", "/faults", {"fault": fault, "seconds": seconds})

    def push_to(self, url: str) -> None:
        """Where the office that pushes is to post."""
        self._running["pushing_office"].control("POST", "/push-to", {"url": url})

    def posts(self) -> list[dict[str, Any]]:
        """What became of each post: its ticket and the status it was answered with."""
        told: list[dict[str, Any]] = self._running["pushing_office"].control("GET", "/posts")["posts"]
        return told

    def calls(self, name: str) -> int:
        """How many questions came in over HTTP."""
        return int(self._running[name].control("GET", "/calls")["count"])

    def straighten(self) -> None:
        for name in NAMES:
            self.set_fault(name, "none")

    def write_routes(self, file: Path, *names: str) -> Path:
        """Write a routes file with these routes, by default ROUTES, and the samples beside it; return it."""
        port = (self.folder / "nightly_files" / nightly_files.PORT_FILE).read_text(encoding="utf-8")
        ports = {name: one.port for name, one in self._running.items()}
        places = {"files_store": str(self.folder / "nightly_files"), "tables_url": json.dumps(self._tables_url)}
        templates = [(TEMPLATES / f"{name}.yaml.template").read_text(encoding="utf-8") for name in names or ROUTES]
        filled = Template("items:\n" + "\n".join(templates)).substitute(ports, sftp_port=port, **places)
        file.write_text(filled, encoding="utf-8")
        shutil.copytree(SAMPLES, file.parent / SAMPLES.name, dirs_exist_ok=True)
        return file

    def _copy_secrets(self) -> None:
        self.secrets_folder.mkdir(mode=0o700, exist_ok=True)
        for name, (department, file) in SECRETS.items():
            copied = self.secrets_folder / name
            copied.touch(mode=0o600)
            shutil.copyfile(self.folder / department / file, copied)
