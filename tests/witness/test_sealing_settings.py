"""The settings of witnesses and time stamps: what refuses to start, and what `broker check` warns of."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from audit.cosignature import Cosigner
from broker.cli import app
from broker.founding import found_broker
from broker.settings import read_settings
from policies.strict_yaml import ConfigurationError
from tests.witness.time_authority import make_authority

VKEY = Cosigner("witness.example/w1", Ed25519PrivateKey.from_private_bytes(bytes(32))).vkey
POLICY = f"witness w1 {VKEY} https://witness.example/w1\nquorum w1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found_broker(tmp_path / "b", issuer="http://127.0.0.1:8400")
    (tmp_path / "b" / "witnesses.policy").write_text(POLICY)
    make_authority(tmp_path / "tsa")
    (tmp_path / "b" / "tsa.pem").write_bytes((tmp_path / "tsa" / "root.pem").read_bytes())
    return tmp_path / "b"


def added(folder: Path, text: str) -> Path:
    file = folder / "broker.yaml"
    file.write_text(file.read_text() + text)
    return file


def warnings(config: Path) -> str:
    done = CliRunner().invoke(app, ["check", "--config", str(config), "--json"])
    assert done.exit_code == 0, done.stderr
    return "\n".join(json.loads(done.stdout)["warnings"])


def test_both_as_they_should_be(folder: Path) -> None:
    file = added(
        folder,
        "witnesses:\n  policy: witnesses.policy\n  every_seconds: 5\n"
        "timestamps:\n  url: https://tsa.example/\n  roots: tsa.pem\n  every_minutes: 30\n  stop_after_hours: 24\n",
    )
    settings = read_settings(file)
    assert settings.witnesses is not None
    assert settings.timestamps is not None
    assert (settings.witnesses.every, settings.timestamps.every, settings.timestamps.stop_after) == (5, 1800, 86400)
    said = warnings(file)
    assert not any(word in said for word in ("witness", "time-stamp", "stop_after_hours"))


def test_what_check_warns_of(folder: Path) -> None:
    said = warnings(folder / "broker.yaml")
    assert "no witness is configured" in said
    assert "no time-stamp authority is configured" in said
    file = added(folder, "timestamps: {url: 'https://tsa.example/', roots: tsa.pem}\n")
    assert "stop_after_hours is 0" in warnings(file)


@pytest.mark.parametrize(
    ("text", "policy", "said"),
    [
        ("witnesses: {policy: nowhere}\n", POLICY, "nowhere:1: cannot be read"),
        ("witnesses: {policy: witnesses.policy, every_seconds: 0}\n", POLICY, "every_seconds must be"),
        ("witnesses: {policy: witnesses.policy, quorum: 2}\n", POLICY, "quorum"),
        ("witnesses: {policy: witnesses.policy}\n", "# mine\nquorum none\n", "a quorum of none"),
        ("witnesses: {policy: witnesses.policy}\n", "# mine\n\nwitness w1\n", "witnesses.policy:3: a witness line"),
        ("witnesses: {policy: witnesses.policy}\n", f"witness w1 {VKEY}\nquorum w1\n", "has no address"),
        ("witnesses: {policy: witnesses.policy}\n", POLICY.replace("e7", "e8").replace("+", "+0", 1), "policy:1: "),
        ("timestamps: {url: 'https://tsa.example/', roots: nowhere}\n", POLICY, "nowhere:1: cannot be read"),
        ("timestamps: {url: 'https://tsa.example/', roots: witnesses.policy}\n", POLICY, "policy:1: not a PEM file"),
        ("timestamps: {url: 'ftp://tsa.example/', roots: tsa.pem}\n", POLICY, "http or https address"),
        ("timestamps: {url: 'https://tsa.example/', roots: tsa.pem, every_minutes: 0}\n", POLICY, "every_minutes"),
        ("timestamps: {url: 'https://tsa.example/', roots: tsa.pem, stop_after_hours: -1}\n", POLICY, "at least 0"),
        ("timestamps: {url: 'https://tsa.example/', roots: tsa.pem, stop_after_hours: 1}\n", POLICY, "longer than"),
    ],
)
def test_what_refuses_to_start(folder: Path, text: str, policy: str, said: str) -> None:
    (folder / "witnesses.policy").write_text(policy)
    with pytest.raises(ConfigurationError, match=said):
        read_settings(added(folder, text))
