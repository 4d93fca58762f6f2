"""`broker demo --once --json --keep DIR`: everything it promises, looked at from outside."""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import audit.verify
from broker.cli import app
from connectors.departments.people import XU
from tests.demo.conftest import DEMO, Run, anybody_left

REFUSALS = {
    "beyond_the_limit": ("consent_used_up", 409),
    "wrong_case": ("case_mismatch", 403),
    "item_not_granted": ("item_not_granted", 403),
    "another_requester": ("not_the_requester", 403),
    "flipped_byte": ("bad_signature", 422),
    "after_withdrawal": ("consent_withdrawn", 409),
}
PERSONAL = (XU.name, XU.id_number, "文昌示例路88号", "110000000017", "28650000")


def test_it_ends_well_and_prints_one_object_alone(run: Run) -> None:
    assert run.code == 0, run.stderr
    assert run.stdout.count("\n") == 1
    told = run.told
    assert set(told) == {"ok", "steps", "results", "receipts", "refusals", "verification", "seconds"}
    assert told["ok"] is True
    assert told["seconds"] >= sum(step["seconds"] for step in told["steps"]) - 0.1
    for step in told["steps"]:
        assert set(step) == {"name", "ok", "seconds", "detail"}
        assert step["ok"] is True
    assert all(step["name"] in run.stderr for step in told["steps"])


def test_no_process_is_left_behind(run: Run) -> None:
    assert not anybody_left(run.group)


def test_each_refusal_has_its_own_code(run: Run) -> None:
    refusals = {one["name"]: one for one in run.told["refusals"]}
    assert {name: (one["code"], one["status"]) for name, one in refusals.items()} == REFUSALS
    assert all(one["ok"] and one["expected"] == one["code"] for one in refusals.values())


def test_four_departments_answered_with_what_was_granted_alone(run: Run) -> None:
    results = {result["item"]: result for result in run.told["results"]}
    assert {item: (one["outcome"], one["source"]["department"]) for item, one in results.items()} == {
        "real_estate_registration": ("found", "natural_resources"),
        "deed_tax": ("found", "taxation"),
        "marriage_check_single": ("match", "civil_affairs"),
        "hpf_remote_account": ("found", "hpf_center_remote"),
    }
    assert results["marriage_check_single"]["records"] == [], "a check tells no value"
    assert set(results["hpf_remote_account"]["records"][0]) == {
        *("center_code", "personal_account", "account_status", "balance")
    }


def test_a_copy_of_the_verifier_alone_verifies_the_export_and_the_receipts(run: Run, tmp_path: Path) -> None:
    told = run.told
    vkey = (run.folder / "export" / "log.vkey").read_text().strip()
    report = verified(tmp_path, str(run.folder / "export"), vkey)
    expected = told["verification"]
    assert expected["vkey"] == vkey
    assert (report["checkpoint"]["size"], report["checkpoint"]["root"]) == (expected["size"], expected["root"])
    assert report["checkpoint"]["origin"] == expected["origin"]
    answer = tmp_path / "answer.json"
    for number, receipt in enumerate(told["receipts"]):
        answer.write_text(json.dumps({"receipt": receipt, "results": told["results"]} if number == 0 else receipt))
        receipt_report = verified(tmp_path, "--receipt", vkey, str(answer))
        assert receipt_report["entry"]["event"] == "exchange.released"
    assert len(told["receipts"]) == 3


def test_the_altered_row_is_the_one_of_the_receipt(run: Run) -> None:
    told = run.told
    vkey = told["verification"]["vkey"]
    receipt = audit.verify.verify_receipt(told["receipts"][0], vkey, told["results"])
    assert told["verification"]["altered"] == {"detected": True, "entry": receipt.entry.index}


def test_the_servers_log_holds_no_personal_value(run: Run) -> None:
    log = (run.folder / "broker.log").read_text()
    assert log.count('"route": "/v1/exchanges"') == 9, "three uses and six refusals"
    assert not [value for value in PERSONAL if value in log]


def test_secrets_can_be_read_by_their_owner_only(run: Run) -> None:
    keys = [*(run.folder / "requesters").glob("*.pem"), *(run.folder / "secrets").iterdir()]
    assert {path.name for path in keys} >= {"yz-hpf.pem", "nj-hpf.pem", "log.key"}
    assert not [path for path in keys if path.stat().st_mode & 0o077]


def test_the_notice_says_once_how_to_do_without(run: Run) -> None:
    assert run.stderr.count("不同意也能办") == 1


def test_what_was_kept_can_be_served(run: Run) -> None:
    command = [sys.executable, "-m", "broker", "serve", "--config", str(run.folder / "broker.yaml"), "--end-with-stdin"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        ready = json.loads(server.stdout.readline())
        with urllib.request.urlopen(f"{ready['address']}/log/checkpoint", timeout=20) as answer:
            origin, size, *_ = answer.read().decode().split("\n")
        assert server.stdin is not None
        server.stdin.close()  # whoever started it is gone
        server.wait(timeout=20)
    expected = run.told["verification"]
    assert origin == expected["origin"]
    assert int(size) >= expected["size"]


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    done = CliRunner().invoke(app, ["demo", "--once", "--json", "--keep", str(tmp_path)])
    assert (done.exit_code, done.stdout) == (4, "")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("whole_group", [True, False], ids=["as a terminal does", "the demo alone"])
def test_an_interrupted_demo_leaves_nothing_running(whole_group: bool, tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [*DEMO, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=environment,
    ) as process:
        assert process.stderr is not None
        while "四个部门上线" not in process.stderr.readline():
            assert process.poll() is None
        (os.killpg if whole_group else os.kill)(process.pid, signal.SIGINT)
        stdout, _ = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (130, "")
    assert not anybody_left(process.pid)
    assert not list(tmp_path.iterdir())


def verified(folder: Path, what: str, vkey: str, *more: str) -> dict[str, Any]:
    """Run a lone copy of the verifier; its report."""
    alone = shutil.copy(audit.verify.__file__, folder / "verify.py")
    command = [sys.executable, "-I", alone, what, *more, "--key", vkey, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stdout
    report: dict[str, Any] = json.loads(done.stdout)
    return report
