"""`broker backup`, `backup drill`, `restore` and `check` as an operator runs them: words, JSON and exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from broker.backup_limits import DAY, HOUR, BackupLimits
from broker.backup_record import DONE, Act, Acts
from broker.cli import app
from broker.commands.exits import ExitCode
from broker.settings import read_settings
from policies.strict_yaml import ConfigurationError
from tests.backup.house import House


def broker(*words: str | Path) -> tuple[int, dict[str, Any], str]:
    """Exit code, what was printed as data, and what was said."""
    result = CliRunner().invoke(app, [*map(str, words), "--json"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, json.loads(result.stdout or "{}"), " ".join(result.stderr.split())


def test_the_way_of_an_operator(house: House, backups: Path) -> None:
    config = ("--config", house.config)
    house.grow("first")
    code, made, said = broker("backup", backups, *config)
    assert (code, made["entries"], made["secrets"]) == (ExitCode.OK, 4, "left out")
    assert ("online backup" if house.server is None else "COPY") in said
    assert "secrets/log.key" in said
    code, drilled, said = broker("backup", "drill", backups, *config, "--key", house.vkey)
    assert (code, drilled["backup"], drilled["entries_since"]) == (ExitCode.OK, made["backup"], 0)
    assert said == ""
    code, _, said = broker("restore", made["file"], *config)
    assert (code, "--force" in said) == (ExitCode.REFUSED, True)
    house.lose_database()
    code, restored, said = broker("restore", made["file"], *config)
    assert (code, restored["lost"], restored["newest"]) == (ExitCode.OK, 1, False)
    assert "1 entries are LOST" in said
    code, _, said = broker("check", *config)
    assert (code, "accept-fork" in said) == (ExitCode.REFUSED, True)
    code, _, said = broker("audit", "accept-fork", "--reason", "the disk failed", *config)
    assert (code, "Releases are STOPPED" in said) == (ExitCode.OK, True)
    assert broker("releases", "start", *config)[0] == ExitCode.OK
    house.check_log()


def test_exit_codes(small: House, backups: Path, tmp_path: Path) -> None:
    config = ("--config", small.config)
    assert broker("backup", "drill", backups, *config)[0] == ExitCode.NOT_FOUND
    file = backups / "one.tar"
    assert broker("backup", "make", file, *config)[0] == ExitCode.OK
    code, _, said = broker("backup", *config, file)
    assert (code, "exists already" in said) == (ExitCode.REFUSED, True)
    file.write_bytes(file.read_bytes()[:-1])
    for command in (("backup", "drill", file), ("restore", file, "--force")):
        code, _, said = broker(*command, *config)
        assert (code, "the end" in said) == (ExitCode.VERIFICATION_FAILED, True), command
    assert broker("backup", file)[0] == ExitCode.USAGE
    assert broker("restore", file, "--config", tmp_path / "new.yaml")[0] == ExitCode.REFUSED
    assert not (tmp_path / "new.yaml").exists()


def test_check_tells_of_a_drill_that_failed(small: House, backups: Path) -> None:
    small.grow("first")
    config = ("--config", small.config)
    assert not [line for line in broker("check", *config)[1]["warnings"] if "backup" in line]
    (backups / "empty.broker-backup.tar").touch()
    assert broker("backup", "drill", backups, *config)[0] == ExitCode.VERIFICATION_FAILED
    assert "the last drill FAILED: that backup cannot be relied upon" in broker("check", *config)[1]["warnings"]


LIMITS = BackupLimits(26 * HOUR, 31 * DAY)
NOW = 2_000_000_000


def done(ago: int) -> Act:
    return Act("bk_one", NOW - ago, DONE)


@pytest.mark.parametrize(
    ("acts", "told"),
    [
        (Acts(None, None, None, None, None), {}),
        (Acts(None, None, None, None, NOW - 25 * HOUR), {}),
        (Acts(None, None, None, None, NOW - 27 * HOUR), {"backup": "no backup was made yet"}),
        (Acts(done(25 * HOUR), None, None, None, NOW - 30 * DAY), {}),
        (Acts(done(27 * HOUR), None, None, None, NOW - 30 * DAY), {"backup": "the last backup was made 27 hours ago"}),
        (Acts(done(HOUR), None, None, None, NOW - 32 * DAY), {"backup drill": "no drill passed yet"}),
        (Acts(done(HOUR), done(40 * DAY), None, None, 0), {"backup drill": "the last drill passed 40 days ago"}),
        (
            Acts(done(HOUR), done(DAY), done(HOUR), None, 0),
            {"backup drill": "the last drill FAILED: that backup cannot be relied upon"},
        ),
    ],
)
def test_what_is_told_when(acts: Acts, told: dict[str, str]) -> None:
    assert acts.alarms(LIMITS, NOW) == told
    failed = {"backup drill"} if acts.failed else set()
    assert acts.alarms(BackupLimits(0, 0), NOW).keys() == failed


def test_the_settings(small: House) -> None:
    with small.config.open("a", encoding="utf-8") as file:
        file.write("backup: {warn_after_hours: 0, drill_after_days: 7}\n")
    assert read_settings(small.config).backup == BackupLimits(0, 7 * DAY)
    warnings = broker("check", "--config", small.config)[1]["warnings"]
    assert "backup: nobody is told when the last backup is long ago" in warnings
    text = small.config.read_text(encoding="utf-8").replace("drill_after_days: 7", "drill_after_days: -7")
    small.config.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"broker\.yaml:[0-9]+: drill_after_days is from 0 to 365"):
        read_settings(small.config)
