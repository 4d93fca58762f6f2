"""The settings of signing in: what does not add up is refused with its file and line; what may surprise is told."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from broker.cli import app
from broker.commands.exits import ExitCode
from broker.founding import CONFIGURATION, found_broker
from broker.login import Assurance
from broker.openid_settings import OpenidFile
from broker.secret_files import write_secret
from broker.settings import read_settings

ISSUER = "https://id.example/realm"
GOOD = {
    "issuer": ISSUER,
    "client_id": "consent-broker",
    "client_secret": "openid.secret",
    "acr": "{loa-4: high, loa-3: substantial}",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A founded broker with no identity."""
    found_broker(tmp_path, issuer="http://127.0.0.1:8400")
    write_secret(tmp_path / "secrets" / "openid.secret", b"a-secret\n")
    return tmp_path


def written(folder: Path, identity: str, block: dict[str, str] | None, more: str = "") -> tuple[int, str]:
    """Line number of the block's first line, and what `broker check` says."""
    file = folder / CONFIGURATION
    text = file.read_text(encoding="utf-8").replace("identity: none", f"identity: {identity}")
    line = text.count("\n") + 1
    if block is not None:
        text += "openid:\n" + "".join(f"  {name}: {value}\n" for name, value in block.items())
    file.write_text(text + more, encoding="utf-8")
    result = CliRunner().invoke(app, ["check", "--config", str(file)])
    assert result.exit_code in (ExitCode.OK, ExitCode.USAGE)
    return line, "".join(result.output.split("\n"))


def test_what_is_right_is_read(folder: Path) -> None:
    _, said = written(folder, "openid", GOOD, "assurance: {browse: substantial, withdraw: substantial}\n")
    assert "lets anybody sign in" not in said
    settings = read_settings(folder / CONFIGURATION)
    assert settings.openid is not None
    assert settings.openid.client_secret == "a-secret"
    assert "a-secret" not in repr(settings)
    assert [settings.openid.level_of(acr) for acr in ("loa-4", "loa-3", "loa-5", None, ["loa-4"])] == [3, 2, 1, 1, 1]
    assert settings.openid.values_for(Assurance.SUBSTANTIAL) == "loa-4 loa-3"
    assert settings.openid.values_for(Assurance.HIGH) == "loa-4"
    assert (settings.assurance.browse, settings.assurance.sign_sensitive) == (Assurance.SUBSTANTIAL, Assurance.HIGH)


WRONG = {
    "plain http off loopback": ({"issuer": "http://id.example"}, 1, "https address"),
    "an issuer with a query": ({"issuer": "https://id.example/?a=b"}, 1, "https address"),
    "a secret elsewhere": ({"client_secret": "../log.key"}, 3, "below `secrets`"),
    "an unknown level": ({"acr": "{loa-4: extreme}"}, 4, "Invalid enum value"),
    "an acr with a space": ({"acr": "{loa 4: high}"}, 4, "no spaces"),
    "a scope without openid": ({"scope": "profile"}, 5, "must name openid"),
    "an unknown member": ({"secret": "x"}, 0, "unknown field"),
    "an empty claim": ({"name_claim": "''"}, 5, "has a name"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named_by_file_and_line(folder: Path, name: str) -> None:
    changed, offset, words = WRONG[name]
    line, said = written(folder, "openid", GOOD | changed)
    assert words in said
    assert f"{CONFIGURATION}:{line + offset}" in said or offset == 0


def test_a_secret_that_is_missing_or_open_to_others(folder: Path) -> None:
    secret = folder / "secrets" / "openid.secret"
    secret.chmod(0o644)
    assert "others may read this secret" in written(folder, "openid", GOOD)[1]
    secret.unlink()
    result = CliRunner().invoke(app, ["check", "--config", str(folder / CONFIGURATION)])
    assert (result.exit_code, "cannot be read" in result.output.replace("\n", "")) == (ExitCode.USAGE, True)


def test_the_block_and_the_identity_belong_together(folder: Path) -> None:
    assert "needs the block openid" in written(folder, "openid", None)[1]
    (folder / CONFIGURATION).unlink()
    found_broker(folder / "other", issuer="http://127.0.0.1:8400")
    write_secret(folder / "other" / "secrets" / "openid.secret", b"a-secret\n")
    assert "not used under identity: none" in written(folder / "other", "none", GOOD)[1]


def test_levels_that_nobody_reaches_are_told(folder: Path) -> None:
    said = written(folder, "openid", GOOD | {"acr": "{loa-3: substantial}"})[1]
    assert "no acr value is worth high, which sign_sensitive needs" in said
    assert "which sign needs" not in said


def test_an_unknown_action_or_level(folder: Path) -> None:
    assert "unknown field" in written(folder, "none", None, "assurance: {sing: high}\n")[1]


def test_a_founded_block_is_read_back(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir(mode=0o700)
    write_secret(tmp_path / "secrets" / "openid.secret", b"a-secret")
    block = OpenidFile(ISSUER, "me", "openid.secret", {"loa-4": "high"})
    settings = found_broker(tmp_path, issuer="http://127.0.0.1:8400", openid=block)
    assert settings.openid is not None
    assert (settings.openid.issuer, settings.test_identity) == (ISSUER, False)
