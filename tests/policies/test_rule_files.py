"""Rules with any finding do not load, and the error names the file and line."""

from pathlib import Path

import cedarpy
import pytest

from policies.rule_files import SHIPPED_RULES, read_rules
from policies.strict_yaml import ConfigurationError

GOOD = """@id("good")
@reason_zh("可以")
@reason_en("It may.")
permit (principal, action == Action::"release", resource)
when { context.mode == "online" };
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "schema.cedarschema").write_bytes((SHIPPED_RULES / "schema.cedarschema").read_bytes())
    (tmp_path / "rules.cedar").write_text(GOOD, encoding="utf-8")
    return tmp_path


def second(condition: str, *, notes: str = '@id("second")\n@reason_zh("第二")\n@reason_en("Second.")\n') -> str:
    return f'\n{notes}forbid (principal, action == Action::"release", resource)\n{condition};\n'


CHECK = "when { context.sensitive }"

MISTAKES = {
    "no @id": (second(CHECK, notes='@reason_zh("第二")\n@reason_en("Second.")\n'), "rules.cedar:9: a rule carries"),
    "no Chinese reason": (
        second(CHECK, notes='@id("second")\n@reason_en("Second.")\n'),
        "rules.cedar:9: a rule carries",
    ),
    "no English reason": (
        second(CHECK, notes='@id("second")\n@reason_zh("第二")\n'),
        "rules.cedar:9: a rule carries",
    ),
    "an empty reason": (
        second(CHECK, notes='@id("second")\n@reason_zh("")\n@reason_en("x")\n'),
        "rules.cedar:10: a rule carries",
    ),
    "a bare annotation": (
        second(CHECK, notes='@id("second")\n@reason_zh\n@reason_en("x")\n'),
        "rules.cedar:10: a rule carries",
    ),
    "an unknown annotation": (
        second(CHECK, notes='@id("second")\n@reason_zh("第")\n@reason_en("x")\n@owner("me")\n'),
        "rules.cedar:11: a rule carries",
    ),
    "an @id out of form": (
        second(CHECK, notes='@id("Second rule")\n@reason_zh("第")\n@reason_en("x")\n'),
        "rules.cedar:10: an @id is",
    ),
    "the same @id": (
        second(CHECK, notes='@id("good")\n@reason_zh("第")\n@reason_en("x")\n'),
        "rules.cedar:10: another rule has the @id good",
    ),
    "no condition": (second(""), "rules.cedar:10: a rule that looks at no fact"),
    "a constant condition": (second("when { false }"), "rules.cedar:10: a rule that looks at no fact"),
    "an unknown fact": (second("when { context.cleared }"), "rules.cedar:10: .*cleared.*not found"),
    "an unknown attribute of an entity": (
        second("when { principal.trusted }"),
        "rules.cedar:10: .*trusted.*not found",
    ),
    "an optional fact without asking": (
        second('when { context.need.legal_basis == "consent" }'),
        "rules.cedar:10: .*optional attribute `need`",
    ),
    "types that cannot be compared": (second('when { context.assurance == "2" }'), "rules.cedar:10: .*not compatible"),
    "an unknown action": (
        second("unless { context.sensitive }").replace("release", "relaese"),
        "rules.cedar:10: .*relaese",
    ),
    "a syntax error": ("\npermit (principal", "rules.cedar:1: not a Cedar policy"),
    "a template": (
        "\npermit (principal == ?principal, action, resource);\n",
        "rules.cedar:1: a file of rules holds rules, and no templates",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_rules_stops_the_start(mistake: str, folder: Path) -> None:
    addition, told = MISTAKES[mistake]
    assert read_rules(folder).rules
    (folder / "rules.cedar").write_text(GOOD + addition, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=told):
        read_rules(folder)


def test_the_same_id_in_two_files_is_refused(folder: Path) -> None:
    (folder / "other.cedar").write_text(GOOD, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"rules\.cedar:4: another rule has the @id good"):
        read_rules(folder)


def test_an_empty_rule_set_does_not_load(folder: Path) -> None:
    (folder / "rules.cedar").unlink()
    with pytest.raises(ConfigurationError, match="there are no rules"):
        read_rules(folder)


def test_a_file_without_a_rule_does_not_load(folder: Path) -> None:
    (folder / "empty.cedar").write_text("// later\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"empty\.cedar:1: a file of rules holds rules"):
        read_rules(folder)


def test_a_missing_schema_does_not_load(folder: Path) -> None:
    (folder / "schema.cedarschema").unlink()
    with pytest.raises(ConfigurationError, match=r"schema\.cedarschema:1: cannot be read"):
        read_rules(folder)


def test_a_broken_schema_does_not_load(folder: Path) -> None:
    (folder / "schema.cedarschema").write_text("entity one two;", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"schema\.cedarschema:1: "):
        read_rules(folder)


def test_a_stray_file_does_not_load(folder: Path) -> None:
    (folder / "more.cedar.off").write_text(GOOD, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"more\.cedar\.off:1: the rules have no place for this file"):
        read_rules(folder)


def test_bytes_that_are_no_text_do_not_load(folder: Path) -> None:
    (folder / "rules.cedar").write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match=r"rules\.cedar:1: cannot be read"):
        read_rules(folder)


def test_the_digest_follows_every_byte_and_name(folder: Path) -> None:
    first = read_rules(folder).digest
    assert read_rules(folder).digest == first
    (folder / "rules.cedar").rename(folder / "renamed.cedar")
    renamed = read_rules(folder).digest
    (folder / "renamed.cedar").write_text(GOOD + "// x\n", encoding="utf-8")
    commented = read_rules(folder).digest
    schema = folder / "schema.cedarschema"
    schema.write_text(schema.read_text(encoding="utf-8") + "// x\n", encoding="utf-8")
    assert len({first, renamed, commented, read_rules(folder).digest}) == 4


@pytest.mark.parametrize("path", sorted(SHIPPED_RULES.glob("*.cedar")), ids=lambda path: path.name)
def test_the_shipped_rules_are_formatted(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert cedarpy.format_policies(text, 120, 2) == text
