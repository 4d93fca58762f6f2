"""Read a YAML file into a typed value, or refuse with its file and line. Every file that configures us comes this way.

Refused: duplicate and unknown members, wrong types, aliases and anchors (what a reviewer reads must be what is meant),
custom tags, more than one document. Plain scalars keep YAML 1.2's meaning of true and false only: `no` is a word.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import yaml

try:  # libyaml's parser reads the catalogue about eight times as fast; it is in every wheel, but not in every build
    from yaml import CSafeLoader as _Parser
except ImportError:
    from yaml import SafeLoader as _Parser  # type: ignore[assignment]  # the same reading of the same bytes, slower

from policies.errors import PolicyError

T = TypeVar("T")

_PATH = re.compile(r"\.([A-Za-z0-9_\-]+)|\[(\d+|\.\.\.)\]")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `([^`]+)`")
_PLAIN: Final = (
    ("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf")),
    ("tag:yaml.org,2002:null", re.compile(r"^(?:null|~)$"), list("n~")),
    ("tag:yaml.org,2002:int", re.compile(r"^(?:0|-?[1-9][0-9]*)$"), list("-0123456789")),
    ("tag:yaml.org,2002:float", re.compile(r"^-?[0-9]+\.[0-9]+$"), list("-0123456789")),
)
_REFUSED_TOKENS: Final = (yaml.AnchorToken, yaml.AliasToken, yaml.TagToken, yaml.DirectiveToken)
_OPENING: Final = (
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.FlowSequenceStartToken,
)
_CLOSING: Final = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
_DEEPEST: Final = 60
"""Parsing calls itself for each level, in C without a limit of its own."""
_CANNOT_BE_TOO_DEEP: Final = 4000
"""Signs that can open a level: with no more of them than this the stack holds, and tokens need not be looked at."""
_WORTH_A_LOOK: Final = re.compile("[&*!]|^%", re.MULTILINE)
"""Without one of these signs there is no anchor, alias, tag or directive."""


_SCALARS: Final[Mapping[str, Callable[[str], Any]]] = {
    "tag:yaml.org,2002:bool": lambda written: written == "true",
    "tag:yaml.org,2002:null": lambda _: None,
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
}


class ConfigurationError(PolicyError):
    """Something in a file does not add up; the text begins with `file:line:`."""


class _Loader(_Parser):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own shape


for _tag, _pattern, _first in _PLAIN:
    _Loader.add_implicit_resolver(_tag, _pattern, _first)


class Located:
    """A file's nodes by path, so that a check made later can still name the line."""

    def __init__(self, path: Path, root: yaml.Node) -> None:
        self.path = path
        self._root = root

    def error(self, message: str, *at: str | int) -> ConfigurationError:
        """Make an error at the deepest node that `at` (member names and list indexes) leads to."""
        node = self._root
        for step in at:
            following = _child(node, step)
            if following is None:
                break
            node = following
        return ConfigurationError(f"{self.path}:{node.start_mark.line + 1}: {message}")


def read_yaml(path: Path, kind: type[T]) -> tuple[T, Located]:
    """Read the file as `kind` (msgspec structs with forbid_unknown_fields), and where its parts stand.

    Raises ConfigurationError for anything that is not exactly that shape.
    """
    try:
        plain, located = _read_plain(path, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}:1: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        raise ConfigurationError(f"{path}:{line}: {getattr(error, 'problem', None) or error}") from error
    except (RecursionError, ValueError) as error:
        raise ConfigurationError(f"{path}:1: nested too deep, or a number too long") from error
    try:
        return msgspec.convert(plain, type=kind), located
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `")
        steps, unknown = _steps(where), _UNKNOWN.match(message)
        raise located.error(message, *steps, *(unknown.groups() if unknown and "..." not in where else ())) from error


def _read_plain(path: Path, text: str) -> tuple[Any, Located]:
    if _WORTH_A_LOOK.search(text) or sum(map(text.count, "[{-?")) > _CANNOT_BE_TOO_DEEP:
        _look_over(path, text)
    node = _Loader(text).get_single_node()
    if node is None:
        raise ConfigurationError(f"{path}:1: the file is empty")
    return _plain(path, node), Located(path, node)


def _look_over(path: Path, text: str) -> None:
    depth = 0
    for token in yaml.scan(text, Loader=_Loader):
        if isinstance(token, _REFUSED_TOKENS):
            what = "aliases, anchors, tags and directives are not used here; write it out"
            raise ConfigurationError(f"{path}:{token.start_mark.line + 1}: {what}")
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        if depth > _DEEPEST:
            raise ConfigurationError(f"{path}:{token.start_mark.line + 1}: nested too deep")


def _plain(path: Path, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return _SCALARS[node.tag](node.value) if node.tag in _SCALARS else node.value
    if isinstance(node, yaml.SequenceNode):
        return [_plain(path, child) for child in node.value]
    members: dict[Any, Any] = {}
    names: set[str] = set()
    for key, child in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise ConfigurationError(f"{path}:{line}: a member's name is a plain word")
        if key.value in names:
            raise ConfigurationError(f"{path}:{line}: member stands twice: {key.value!r}")
        names.add(key.value)
        members[_plain(path, key)] = _plain(path, child)
    return members


def _steps(where: str) -> list[str | int]:
    steps: list[str | int] = []
    for name, index in _PATH.findall(where):
        if name:
            steps.append(name)
        elif index.isdigit():
            steps.append(int(index))
        else:
            break
    return steps


def _child(node: yaml.Node, step: str | int) -> yaml.Node | None:
    children: Any = node.value
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in children if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(children):
        found: yaml.Node = children[step]
        return found
    return None
