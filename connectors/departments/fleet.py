"""All four test departments as child processes, with the routes file and the secrets that lead to them."""

import shutil
from pathlib import Path
from string import Template
from types import TracebackType
from typing import Any, Final, Self

from connectors.departments import beijing_fund, property_registry
from connectors.departments.process import DepartmentProcess, stop_all

NAMES: Final = ("property_registry", "tax", "civil_affairs", "beijing_fund")

_TEMPLATE: Final = Path(__file__).with_name("routes.yaml.template")
_SAMPLES: Final = Path(__file__).with_name("samples")
_SECRETS: Final = {
    "property-registry-key": ("property_registry", property_registry.KEY_FILE),
    "beijing-fund-secret": ("beijing_fund", beijing_fund.KEY_FILE),
}
"""Our name of each secret, and which department keeps it in which file of its store."""


class Fleet:
    """Running departments, each with a store below `folder`. Whoever starts it stops it; if it dies, so do they."""

    def __init__(self, folder: Path, running: list[DepartmentProcess]) -> None:
        self.routes_file = folder / "departments.yaml"
        self.secrets_folder = folder / "secrets"
        self.running = {one.name: one for one in running}

    @classmethod
    def start(cls, folder: Path) -> Self:
        """Start all departments and write their routes and secrets. Raises RuntimeError if one is not ready in time."""
        folder = folder.resolve()
        running = DepartmentProcess.start_all({name: (folder / name, ()) for name in NAMES})
        try:
            fleet = cls(folder, running)
            fleet._write(folder)
        except BaseException:
            stop_all(running)
            raise
        return fleet

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def control(self, name: str) -> str:
        """Return the address below which `/faults` and `/calls` of a department stand."""
        return f"http://127.0.0.1:{self.running[name].port}"

    def set_fault(self, name: str, fault: str, seconds: float = 1.0) -> None:
        """Bend one department; `none` straightens it. `seconds` is how late a `slow` one answers."""
        self.running[name].control("POST", "/faults", {"fault": fault, "seconds": seconds})

    def calls(self, name: str) -> dict[str, Any]:
        """Return `{"count": n, "last": [{"call", "requester", "operator", "matter", "case", "consent"}]}`."""
        return self.running[name].control("GET", "/calls")

    def stop(self) -> None:
        """End every department; safe to repeat."""
        stop_all(list(self.running.values()))

    def _write(self, folder: Path) -> None:
        self.secrets_folder.mkdir(mode=0o700, exist_ok=True)
        for name, (department, file) in _SECRETS.items():
            copied = self.secrets_folder / name
            copied.touch(mode=0o600)
            shutil.copyfile(folder / department / file, copied)
        ports = {name: one.port for name, one in self.running.items()}
        filled = Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(ports, tax_store=folder / "tax")
        self.routes_file.write_text(filled, encoding="utf-8")
        shutil.copytree(_SAMPLES, folder / "samples", dirs_exist_ok=True)
