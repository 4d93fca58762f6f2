"""The city's data platform beside the other test departments: its process, and the routes file that leads to all."""

import shutil
from pathlib import Path
from string import Template
from types import TracebackType
from typing import Final, Self

from connectors.departments import city_platform
from connectors.departments.fleet import Fleet
from connectors.departments.process import DepartmentProcess

_TEMPLATE: Final = Path(__file__).with_name("city_routes.yaml.template")
_NAME: Final = "city_platform"
_KEY: Final = "city-platform-key"


class City:
    """The running platform. Whoever starts it stops it; if it dies, so does the platform."""

    def __init__(self, running: DepartmentProcess, fleet: Fleet, store: Path) -> None:
        self._running = running
        self.routes_file = fleet.routes_file.with_name("city-and-departments.yaml")
        copied = fleet.secrets_folder / _KEY
        copied.touch(mode=0o600)
        shutil.copyfile(store / city_platform.KEY_FILE, copied)
        routes = Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(city_platform=running.port)
        others = fleet.routes_file.read_text(encoding="utf-8")
        self.routes_file.write_text(f"{others}\n{routes}", encoding="utf-8")

    @classmethod
    def start(cls, folder: Path, fleet: Fleet) -> Self:
        """Start it with a store below `folder`, beside the running fleet. Raises RuntimeError if it is not ready."""
        store = folder.resolve() / _NAME
        running = DepartmentProcess.start(_NAME, store)
        try:
            return cls(running, fleet, store)
        except BaseException:
            running.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.stop()

    def set_fault(self, fault: str) -> None:
        """Bend it; `none` straightens it."""
        self._running.control("POST", "/faults", {"fault": fault, "seconds": 1.0})
