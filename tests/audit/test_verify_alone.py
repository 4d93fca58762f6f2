"""The verifier as an auditor runs it: one copied file, no project, no network, its exit codes and its words."""

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import audit.verify
from tests.audit.sample_log import SIGNER, STRANGER, exported, sample
from tests.audit.test_receipts import answer

# Refuses every import but the standard library's and cryptography's own, then runs the copied file as a program.
ALONE = """
import runpy, sys
class OnlyCryptography:
    def find_spec(self, name, path=None, target=None):
        root = name.partition(".")[0]
        if root not in sys.stdlib_module_names and root not in {"cryptography", "_cffi_backend"}:
            raise ImportError("not on the auditor's machine: " + name)
sys.meta_path.insert(0, OnlyCryptography())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture
def verifier(tmp_path: Path) -> Path:
    (tmp_path / "auditor").mkdir()
    return Path(shutil.copy(audit.verify.__file__, tmp_path / "auditor" / "verify.py"))


def run(verifier: Path, *arguments: str | Path, stderr: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-c", ALONE, verifier, *arguments]
    return subprocess.run(
        command, cwd=verifier.parent, env={}, stdout=subprocess.PIPE, stderr=stderr, text=True, timeout=60, check=False
    )


def test_the_blocker_blocks(verifier: Path) -> None:
    verifier.write_text("import sqlalchemy")
    assert "not on the auditor's machine: sqlalchemy" in run(verifier).stderr
    verifier.write_text("import audit.merkle")
    assert "not on the auditor's machine: audit" in run(verifier).stderr


def test_a_good_export(tmp_path: Path, verifier: Path) -> None:
    folder = exported(tmp_path / "export", sample(300))
    old = tmp_path / "old"
    old.write_bytes((exported(tmp_path / "older", sample(100)) / "checkpoint").read_bytes())
    done = run(verifier, folder, "--key", SIGNER.vkey, "--since", old)
    assert (done.returncode, done.stderr) == (0, ""), "no progress bar where nobody looks"
    assert done.stdout.startswith(f"VERIFIED: 300 entries of {SIGNER.name}")
    assert "your checkpoint of 100 entries" in done.stdout
    told = json.loads(run(verifier, folder, "--key", SIGNER.vkey, "--json").stdout)
    assert told["ok"] is True
    assert told["checkpoint"]["size"] == 300


def test_a_bad_export(tmp_path: Path, verifier: Path) -> None:
    folder = exported(tmp_path / "export", sample(300))
    bundle = folder / "tile/entries/000"
    bundle.write_bytes(bundle.read_bytes().replace(b'"jti":"consent-1"', b'"jti":"consent-0"', 1))
    done = run(verifier, folder, "--key", SIGNER.vkey)
    assert done.returncode == 5
    assert done.stdout.startswith("FAILED: the first bad entry is 5\n  entry 5: tiles: ")
    told = json.loads(run(verifier, folder, "--key", SIGNER.vkey, "--json").stdout)
    assert (told["ok"], told["first_bad_entry"], told["problems"][0]["rule"]) == (False, 5, "tiles")
    assert run(verifier, folder, "--key", STRANGER.vkey).returncode == 5


def test_receipts(tmp_path: Path, verifier: Path) -> None:
    file = tmp_path / "answer.json"
    file.write_text(json.dumps(answer()))
    done = run(verifier, "--receipt", file, "--key", SIGNER.vkey)
    assert (done.returncode, done.stderr) == (0, "")
    assert "exchange.released is entry 5" in done.stdout
    assert "2 results" in done.stdout
    file.write_text(json.dumps(answer()["receipt"]))
    assert json.loads(run(verifier, "--receipt", file, "--key", SIGNER.vkey, "--json").stdout)["entry"]["index"] == 5
    file.write_text(json.dumps({"jti": "any", "status": "withdrawn", "receipt": answer()["receipt"]}))
    assert "0 results" in run(verifier, "--receipt", file, "--key", SIGNER.vkey).stdout, "an answer that has no results"
    forged = answer()
    forged["results"][0]["outcome"] = "no_record"
    for text in (json.dumps(forged), '{"receipt":1,"receipt":2}', "[]", "", '{"receipt":{},"results":[]}', "{}"):
        file.write_text(text)
        assert run(verifier, "--receipt", file, "--key", SIGNER.vkey).returncode == 5


def test_usage(tmp_path: Path, verifier: Path) -> None:
    folder = exported(tmp_path / "export", sample(3))
    receipt = folder / "log.vkey"
    for arguments in (
        [],
        ["--key", SIGNER.vkey],
        [folder],
        [folder, "--key", "nonsense"],
        [folder, "--key", SIGNER.vkey[:-1]],
        [folder, "--key", SIGNER.vkey, "--receipt", receipt],
        ["--key", SIGNER.vkey, "--receipt", receipt, "--since", receipt],
        [tmp_path / "nowhere", "--key", SIGNER.vkey],
        [folder, "--key", SIGNER.vkey, "--since", tmp_path / "nowhere"],
    ):
        done = run(verifier, *arguments)
        assert (done.returncode, done.stdout) == (2, "")


def test_a_progress_bar_only_on_a_terminal(tmp_path: Path, verifier: Path) -> None:
    folder = exported(tmp_path / "export", sample(600))
    ours, theirs = pty.openpty()
    try:
        done = run(verifier, folder, "--key", SIGNER.vkey, "--json", stderr=theirs)
        shown = os.read(ours, 4096).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert "600 of 600 entries" in shown
    assert json.loads(done.stdout)["ok"] is True
