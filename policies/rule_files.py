"""The rules as files: read, checked in every way that is known, and turned into Cedar's own handles once.

Cedar's command line would also warn of rules that can never apply; its Python binding keeps those warnings to itself.
So a rule that looks at no fact is refused here, and each shipped rule has a test in which it alone decides.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import cedarpy

from policies.digest import files_digest
from policies.strict_yaml import ConfigurationError

SHIPPED_RULES: Final = Path(__file__).with_name("rules")
"""The rules that come with the program."""

_SCHEMA: Final = "schema.cedarschema"
_ANNOTATIONS: Final = frozenset({"id", "reason_zh", "reason_en"})
_EFFECT: Final = re.compile(r"^(?:permit|forbid)\b", re.MULTILINE)
_ID: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class Rule:
    """What a rule is called and how it is told to people."""

    id: str
    text_zh: str
    text_en: str


@dataclass(frozen=True, slots=True)
class RuleBook:
    """The parsed rules. The handles are immutable and are reused by every decision."""

    policies: cedarpy.PolicySet
    schema: cedarpy.Schema
    entities: cedarpy.Entities
    """Empty: every fact comes with the request, and is held against the schema there."""
    rules: Mapping[str, Rule]
    digest: str


def read_rules(folder: Path = SHIPPED_RULES) -> RuleBook:
    """Read `*.cedar` and `schema.cedarschema`. Raises ConfigurationError for any finding, `file:line:` first."""
    paths = sorted(folder.glob("*.cedar"))
    if not paths:
        raise ConfigurationError(f"{folder}:1: there are no rules; nothing would be permitted")
    for path in sorted(folder.rglob("*")):
        if path not in paths and path.name != _SCHEMA:
            raise ConfigurationError(f"{path}:1: the rules have no place for this file")
    schema = _schema(folder / _SCHEMA)
    texts = [_text(path) for path in paths]
    rules: dict[str, Rule] = {}
    for path, text in zip(paths, texts, strict=True):
        for rule, line in _rules(path, text, schema):
            if rule.id in rules:
                raise ConfigurationError(f"{path}:{line}: another rule has the @id {rule.id} already")
            rules[rule.id] = rule
    return RuleBook(
        policies=cedarpy.PolicySet.from_str("\n".join(texts)),
        schema=schema,
        entities=cedarpy.Entities.from_json_str("[]", schema),
        rules=MappingProxyType(rules),
        digest=files_digest(folder, [*paths, folder / _SCHEMA]),
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}:1: cannot be read: {error}") from error


def _schema(path: Path) -> cedarpy.Schema:
    try:
        return cedarpy.Schema.from_str(_text(path))
    except ValueError as error:
        raise ConfigurationError(f"{path}:1: {error}") from error


def _rules(path: Path, text: str, schema: cedarpy.Schema) -> Iterator[tuple[Rule, int]]:
    try:
        parsed: dict[str, Any] = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError as error:
        raise ConfigurationError(f"{path}:1: not a Cedar policy: {error}") from error
    if parsed["templates"] or not parsed["staticPolicies"]:
        raise ConfigurationError(f"{path}:1: a file of rules holds rules, and no templates")
    for finding in cedarpy.validate_policies(text, schema).errors:
        raise ConfigurationError(f"{path}:{_line(text, finding.policy_id)}: {finding.error}")
    for position, policy in parsed["staticPolicies"].items():
        line = _line(text, position)
        yield _rule(f"{path}:{line}", policy), line


def _rule(where: str, policy: Mapping[str, Any]) -> Rule:
    notes: Mapping[str, str | None] = policy.get("annotations", {})
    if set(notes) != _ANNOTATIONS or not all(notes.values()):
        raise ConfigurationError(f"{where}: a rule carries exactly @id, @reason_zh and @reason_en, each with words")
    identifier = str(notes["id"])
    if not _ID.fullmatch(identifier):
        raise ConfigurationError(f"{where}: an @id is small letters, digits and _, a letter first")
    if '"Var"' not in json.dumps(policy["conditions"]):
        raise ConfigurationError(f"{where}: a rule that looks at no fact would decide everything or nothing")
    return Rule(identifier, str(notes["reason_zh"]), str(notes["reason_en"]))


def _line(text: str, position: str) -> int:
    # Cedar names the rules of a text policy0, policy1 and so on; its findings carry no line.
    effects = list(_EFFECT.finditer(text))
    number = int(position.removeprefix("policy") or 0)
    return text.count("\n", 0, effects[number].start()) + 1 if number < len(effects) else 1
