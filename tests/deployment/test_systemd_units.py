"""The units as systemd reads them, how exposed they are by its own measure, and that what they run is a command."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import typer.main

from broker.cli import app

UNITS = Path(__file__).resolve().parents[2] / "broker" / "deployment" / "systemd"
PROGRAM = "/opt/broker/.venv/bin/broker"
MOST_EXPOSED = 15
"""Tenths; 0 is a service that can do nothing, 100 one that may do everything."""


@pytest.fixture
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd: UNITS NOT VERIFIED, there is no systemd-analyze")
    return found


@pytest.fixture
def instances(tmp_path: Path) -> list[Path]:
    """The units as they are installed, the first process's in place of the templates; the program need not be there."""
    for file in UNITS.iterdir():
        text = file.read_text(encoding="utf-8").replace(PROGRAM, "/bin/true")
        name = file.name.replace("@.", "@1.")
        (tmp_path / name).write_text(text.replace("%i", "1") if name != file.name else text, encoding="utf-8")
    return sorted(tmp_path.iterdir())


def test_systemd_finds_nothing_wrong(analyze: str, instances: list[Path]) -> None:
    done = subprocess.run([analyze, "verify", "--man=no", *instances], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "broker" in line]
    assert not ours


def test_a_mistake_would_be_found(analyze: str, instances: list[Path]) -> None:
    wrong = next(file for file in instances if file.name == "broker@1.service")
    wrong.write_text(wrong.read_text(encoding="utf-8") + "\n[Service]\nNoNewPrivilegs=true\n", encoding="utf-8")
    done = subprocess.run([analyze, "verify", "--man=no", wrong], capture_output=True, text=True, check=False)
    assert "NoNewPrivilegs" in done.stderr


def test_a_service_can_do_little(analyze: str, instances: list[Path]) -> None:
    services = [file for file in instances if file.suffix == ".service"]
    for file in services:
        command = [analyze, "security", "--offline=true", "--no-pager", f"--threshold={MOST_EXPOSED}", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-200:] + done.stderr
    assert len(services) == 4


def test_what_is_run_is_a_command_with_these_options() -> None:
    lines = [
        line
        for file in UNITS.glob("*.service")
        for line in re.findall(r"^Exec\w+=(.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert len(lines) == 5
    for line in lines:
        program, *words = line.split()
        assert program == PROGRAM
        command = typer.main.get_command(app)
        while (group := getattr(command, "commands", None)) is not None:
            command = group[words.pop(0)] if words[0] in group else group["make"]
        known = {option for parameter in command.params for option in parameter.opts}
        assert known >= {word for word in words if word.startswith("--")}, line


def test_each_timer_has_what_it_starts() -> None:
    timers = {file.stem for file in UNITS.glob("*.timer")}
    assert timers == {"broker-backup", "broker-drill", "broker-verify"}
    assert all((UNITS / f"{name}.service").exists() for name in timers)
