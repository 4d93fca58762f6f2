"""`broker requesters hook|unhook`: registered, listed and taken away, each an entry of the log."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from broker.cli import app
from broker.commands.exits import ExitCode
from broker.founding import CONFIGURATION, found_broker
from broker.signing import SigningKey

URL = "https://hooks.centre.example/events"


def run(*words: str) -> tuple[int, dict[str, Any]]:
    """Exit code and the JSON object printed."""
    result = CliRunner().invoke(app, [*words, "--json"])
    return result.exit_code, json.loads(result.stdout) if result.exit_code == 0 else {}


def test_a_hook_is_registered_listed_and_removed(tmp_path: Path) -> None:
    found_broker(tmp_path, issuer="http://127.0.0.1:8400")
    config = ("--config", str(tmp_path / CONFIGURATION))
    key = tmp_path / "key.json"
    key.write_text(json.dumps(dict(SigningKey.generate().public.jwk)), encoding="utf-8")
    added = ("--name", "扬州市住房公积金管理中心", "--key", str(key), "--matter", "purchase_withdrawal")
    assert run("requesters", "add", "yz-hpf", *added, *config)[0] == ExitCode.OK
    code, hook = run("requesters", "hook", "yz-hpf", "--url", URL, *config)
    assert (code, hook["url"]) == (ExitCode.OK, URL)
    assert run("requesters", "hook", "yz-hpf", "--url", URL, *config)[1]["hook"] == hook["hook"]
    [listed] = run("requesters", "list", *config)[1]["requesters"]
    assert [(one["id"], one["url"], one["status"]) for one in listed["hooks"]] == [(hook["hook"], URL, "active")]
    assert run("requesters", "hook", "nobody", "--url", URL, *config)[0] == ExitCode.NOT_FOUND
    assert run("requesters", "hook", "yz-hpf", "--url", "http://10.0.0.1/", *config)[0] == ExitCode.REFUSED
    assert run("requesters", "unhook", hook["hook"], *config)[0] == ExitCode.OK
    assert run("requesters", "unhook", hook["hook"], *config)[0] == ExitCode.NOT_FOUND
    assert run("requesters", "list", *config)[1]["requesters"][0]["hooks"] == []


def test_a_network_that_is_none_refuses_to_start(tmp_path: Path) -> None:
    found_broker(tmp_path, issuer="http://127.0.0.1:8400")
    config = tmp_path / CONFIGURATION
    written = config.read_text(encoding="utf-8")
    config.write_text(f"{written}hook_networks: [10.0.0.1/8]\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["check", "--config", str(config)])
    assert result.exit_code == ExitCode.USAGE
    assert "a network is written like" in result.output
