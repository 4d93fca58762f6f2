"""The tax office by batch files: in a folder of this machine, and behind SFTP."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connectors.departments import nightly_files
from connectors.departments.late_fleet import SECRETS
from connectors.departments.process import DepartmentProcess, stop_all
from tests.connectors.asking import write_secrets
from tests.departments.http_departments import late_route
from tests.departments.running import DOOR, HELD, Running, limited, open_door, write_route

FAULTS = {
    HELD: "held",
    "truncated": "truncated",
    "wrong schema": "wrong_schema",
    "wrong person": "wrong_person",
    "100 MB": "huge",
    "duplicates": "duplicates",
    "stale": "stale",
}
ON_SFTP = {"5xx": "500", "429": "429", "wrong certificate": "wrong_host_key"}
LINE = {name: fault for name, fault in DOOR.items() if name not in {"truncated", "wrong certificate"}}
AFTER = 1500
"""Bytes of a session after which the line is bent: its keys are being exchanged."""


@contextmanager
def in_folder(folder: Path, _request: pytest.FixtureRequest) -> Iterator[Running]:
    """Folders that are there, that are gone, and one whose files let themselves be opened and say nothing."""
    store = folder / "department"
    night = DepartmentProcess.start("nightly_files", store)
    item, route = late_route("tax-files-folder", folder, files_store=store)
    shown = {name: folder / name for name in ("requests", "responses")}
    places = {"outbox": str(shown["requests"]), "inbox": str(shown["responses"])}
    silent = folder / "silent"
    silent.mkdir()

    def bend(fault: str) -> None:
        speak(silent)
        if fault == "hang in body":
            fall_silent(silent, store / "requests")
        night.control("POST", "/faults", {"fault": FAULTS.get(fault, "none")})
        for name, seen in shown.items():
            seen.unlink(missing_ok=True)
            if fault != "refused":
                seen.symlink_to(silent if fault == "hang in body" else store / name)

    bend("none")
    route = limited(route, folder=places)
    yield Running(write_route(folder, item, route), write_secrets(folder / "secrets"), bend)
    night.stop()


def fall_silent(folder: Path, requests: Path) -> None:
    """For each question that waits a response that lets itself be opened by nobody: what a dead mount does."""
    for marker in requests.glob("QQ_*.md5"):
        os.mkfifo(folder / marker.name.replace("QQ", "FK"))


def speak(folder: Path) -> None:
    for pipe in folder.iterdir():
        os.close(os.open(pipe, os.O_RDWR))  # whoever waits for it goes on
        pipe.unlink()


@contextmanager
def on_sftp(folder: Path, _request: pytest.FixtureRequest) -> Iterator[Running]:
    """The same folders behind SSH, with a door before it."""
    store = folder / "department"
    night = DepartmentProcess.start("nightly_files", store)
    port = (store / nightly_files.PORT_FILE).read_text(encoding="utf-8")
    door, shown = open_door(folder / "door", f"127.0.0.1:{port}")
    secrets = write_secrets(folder / "secrets")
    for name, (whose, file) in SECRETS.items():
        if whose == "nightly_files":
            (secrets / name).touch(mode=0o600)
            (secrets / name).write_bytes((store / file).read_bytes())

    def bend(fault: str) -> None:
        night.control("POST", "/faults", {"fault": (FAULTS | ON_SFTP).get(fault, "none")})
        door.control("POST", "/faults", {"fault": LINE.get(fault, "none"), "after": AFTER})

    item, route = late_route("tax-files-sftp", folder, sftp_port=shown)
    yield Running(write_route(folder, item, limited(route)), secrets, bend)
    stop_all([door, night])
