"""By which day an answer is due, in Beijing's days; and what a person may write."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from broker.cli import app
from broker.deadlines import Deadlines, is_over, warnings
from broker.founding import CONFIGURATION, found_broker
from broker.settings import read_settings
from consent.inquiries import LETTERS, Kind, new_number, read_text
from policies.identifiers import read_label
from policies.strict_yaml import ConfigurationError
from policies.workdays import SHIPPED_WORKDAYS, read_workdays

THURSDAY_LATE = datetime(2026, 11, 26, 15, 59, 59, tzinfo=UTC).timestamp()
"""Its last second in Beijing."""
CALENDAR = read_workdays(SHIPPED_WORKDAYS)


def test_days_are_counted_from_the_next_one_in_beijing() -> None:
    deadlines = Deadlines(15, 10, CALENDAR)
    assert deadlines.question(THURSDAY_LATE) == "2026-12-11"
    assert deadlines.question(THURSDAY_LATE + 1) == "2026-12-12"
    assert deadlines.correction(THURSDAY_LATE) == "2026-12-10"
    assert not is_over("2026-11-26", THURSDAY_LATE)
    assert is_over("2026-11-26", THURSDAY_LATE + 1)


def test_a_correction_s_workdays_are_the_calendar_s() -> None:
    wednesday = datetime(2026, 9, 23, 2, tzinfo=UTC).timestamp()
    assert Deadlines(15, 2, CALENDAR).correction(wednesday) == "2026-09-28", "over the Mid-Autumn holiday"
    assert Deadlines(15, 10, CALENDAR).correction(wednesday) == "2026-10-14", "with a Saturday that is worked"


@pytest.mark.parametrize(
    ("day", "told"),
    [("2026-11-01", ""), ("2026-11-02", ""), ("2026-11-03", "2027-01-01"), ("2027-02-01", "2027-02-01")],
)
def test_a_calendar_that_is_about_to_end_is_told(day: str, told: str) -> None:
    found = warnings(CALENDAR, datetime.fromisoformat(f"{day}T00:00:00+08:00").timestamp())
    assert [told in line and told[:4] in line for line in found] == ([True] if told else [])


def test_the_settings_are_checked(tmp_path: Path) -> None:
    found_broker(tmp_path, issuer="http://127.0.0.1:8400")
    file = tmp_path / CONFIGURATION
    plain = file.read_text(encoding="utf-8")
    assert read_settings(file).deadlines == Deadlines(15, 10, CALENDAR)
    file.write_text(plain + "\ndeadlines: {question_days: 7}\n", encoding="utf-8")
    assert read_settings(file).deadlines == Deadlines(7, 10, CALENDAR)
    for wrong in ("{question_days: 0}", "{correction_workdays: 366}", "{holidays: []}"):
        file.write_text(f"{plain}\ndeadlines: {wrong}\n", encoding="utf-8")
        with pytest.raises(ConfigurationError):
            read_settings(file)


def test_the_calendar_is_the_file_that_the_settings_name(tmp_path: Path) -> None:
    found_broker(tmp_path, issuer="http://127.0.0.1:8400")
    file = tmp_path / CONFIGURATION
    file.write_text(file.read_text(encoding="utf-8") + "\nworkdays: own.yaml\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"own\.yaml:1: cannot be read"):
        read_settings(file)
    own = "years:\n  - {year: 2001, source: s, holidays: [{name: a, from: 2001-03-01, to: 2001-03-02}]}\n"
    (tmp_path / "own.yaml").write_text(own, encoding="utf-8")
    settings = read_settings(file)
    assert settings.workdays == settings.deadlines.workdays == read_workdays(tmp_path / "own.yaml")
    assert settings.deadlines.correction(datetime(2001, 2, 26, 2, tzinfo=UTC).timestamp()) == "2001-03-14"
    told = CliRunner().invoke(app, ["check", "--config", str(file), "--json"])
    assert any("calendar of workdays" in line for line in json.loads(told.stdout)["warnings"])


def test_a_number_can_be_read_out_and_is_nobodys() -> None:
    for kind, letters in ((Kind.QUESTION, "WT"), (Kind.CORRECTION, "GZ")):
        numbers = {new_number(kind) for _ in range(2000)}
        assert len(numbers) == 2000
        for number in numbers:
            first, second, third = number.split("-")
            assert (first, len(second), len(third)) == (letters, 4, 4)
            assert set(second + third) <= set(LETTERS)
            read_label(number)
    assert not set("ILOU") & set(LETTERS)


def test_only_text_is_text() -> None:
    assert read_text("  为什么查我？\r\n请说明。\r", 1000) == "为什么查我？\n请说明。"
    assert read_text("👨‍👩‍👧 <script>", 1000) == "👨‍👩‍👧 <script>"
    assert read_text("字" * 1000, 1000) == "字" * 1000
    for wrong in ("", " \r\n ", "字" * 1001, "a\x00b", "a\x1b[2Jb", "a\u202eb", "\ud800", "\ue000"):
        with pytest.raises(ValueError, match=r"\d|nobody"):
            read_text(wrong, 1000)
