"""The verifier on an auditor's machine: an empty virtual environment, one copied file, and `cryptography` alone."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import audit.verify
from tests.audit.sample_log import SIGNER, exported, sample
from tests.audit.test_receipts import answer
from tests.auditing.case import live
from tests.auditing.test_packages import of_call
from tests.staff.desk import found, sit_down
from tests.world import World

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements.txt"


def run(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180, check=False)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `bin/python` and verify.py. Skips, loudly, where no package index can be reached."""
    folder = tmp_path_factory.mktemp("auditor")
    made = run(sys.executable, "-m", "venv", folder, folder=folder)
    assert made.returncode == 0, made.stderr
    pinned = re.search(r"^cryptography==[0-9.]+", REQUIREMENTS.read_text(), re.MULTILINE)
    assert pinned is not None
    pip = folder / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1"
    installed = run(*pip, pinned[0], folder=folder)
    if installed.returncode:
        pytest.skip(f"NOT TESTED IN AN EMPTY ENVIRONMENT: {pinned[0]} could not be installed; is an index reachable?")
    shutil.copy(audit.verify.__file__, folder / "verify.py")
    return folder


def test_the_environment_holds_nothing_else(machine: Path) -> None:
    listed = run(
        machine / "bin/python", "-m", "pip", "list", "--format=json", "--disable-pip-version-check", folder=machine
    )
    names = {package["name"] for package in json.loads(listed.stdout)}
    assert names - {"pip", "setuptools", "wheel"} == {"cryptography", "cffi", "pycparser"}


def test_an_export_and_what_grew_from_an_older_checkpoint(machine: Path) -> None:
    folder = exported(machine / "export", sample(600))
    older = exported(machine / "older", sample(257)) / "checkpoint"
    other = exported(machine / "other", sample(200)[1:]) / "checkpoint"
    python, verify = machine / "bin/python", machine / "verify.py"
    done = run(python, "-I", verify, folder, "--key", SIGNER.vkey, "--since", older, folder=machine)
    assert (done.returncode, done.stderr) == (0, "")
    assert "600 entries" in done.stdout
    assert "your checkpoint of 257 entries" in done.stdout
    forked = run(python, "-I", verify, folder, "--key", SIGNER.vkey, "--since", other, "--json", folder=machine)
    assert forked.returncode == 5
    assert [problem["rule"] for problem in json.loads(forked.stdout)["problems"]] == ["since"]


def test_a_receipt(machine: Path) -> None:
    file = machine / "answer.json"
    file.write_text(json.dumps(answer()))
    command = machine / "bin/python", "-I", machine / "verify.py", "--receipt", file, "--key", SIGNER.vkey
    assert run(*command, folder=machine).returncode == 0
    forged = answer()
    forged["results"][0]["outcome"] = "no_record"
    file.write_text(json.dumps(forged))
    assert run(*command, folder=machine).returncode == 5


async def test_an_evidence_package(machine: Path, world: World) -> None:
    await found(world)
    case = await live(world, await sit_down(world, "a-001"))
    file = machine / "package.zip"
    file.write_bytes(await of_call(case))
    signer = world.broker.keys.issuer.public.kid
    command = machine / "bin/python", "-I", machine / "verify.py", "--key", world.vkey, "--signer", signer, "--package"
    done = run(*command, file, folder=machine)
    assert (done.returncode, done.stderr) == (0, "")
    assert "8 entries" in done.stdout
    file.write_bytes(file.read_bytes().replace("撤回".encode(), "收回".encode(), 1))
    assert run(*command, file, folder=machine).returncode == 5
