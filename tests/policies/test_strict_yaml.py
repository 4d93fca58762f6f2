"""A file is exactly what a reviewer reads, or it is refused with its line."""

from pathlib import Path

import msgspec
import pytest

from policies.errors import PolicyError
from policies.strict_yaml import ConfigurationError, read_yaml


class Inner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    count: int = 0


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    word: str
    flag: bool = False
    inner: tuple[Inner, ...] = ()
    table: dict[str, str] = {}


def read(folder: Path, text: str | bytes) -> Shape:
    path = folder / "file.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_yaml(path, Shape)[0]


@pytest.mark.parametrize("word", ["no", "No", "yes", "on", "off", "True", "2026-11-01", "0x10", "010", "1_000", "1e3"])
def test_a_plain_word_stays_a_word(word: str, tmp_path: Path) -> None:
    assert read(tmp_path, f"word: {word}\n").word == word


def test_true_and_false_and_numbers_are_themselves(tmp_path: Path) -> None:
    shape = read(tmp_path, "word: a\nflag: true\ninner:\n  - {name: b, count: -3}\n")
    assert shape == Shape("a", flag=True, inner=(Inner("b", -3),))


MISTAKES: dict[str, tuple[str | bytes, int, str]] = {
    "a member twice": ("word: a\nflag: true\nword: b\n", 3, "member stands twice: 'word'"),
    "a member twice, spelt otherwise": ('word: a\ntable:\n  a: x\n  "a": y\n', 4, "member stands twice"),
    "a member twice, deep down": ("word: a\ninner:\n  - name: b\n    name: c\n", 4, "member stands twice"),
    "an alias": ("word: &w a\ntable:\n  b: *w\n", 1, "aliases, anchors"),
    "an anchor alone": ("word: a\ntable: &t\n  b: c\n", 2, "aliases, anchors"),
    "a merge": ("word: a\n<<: {flag: true}\n", 2, "<<"),
    "an unknown member": ("word: a\nwrod: b\n", 2, "wrod"),
    "an unknown member, deep down": ("word: a\ninner:\n  - name: b\n  - name: c\n    size: 1\n", 5, "size"),
    "a missing member": ("flag: true\n", 1, "missing required field `word`"),
    "a wrong type": ("word: a\nflag: no\n", 2, "Expected `bool`"),
    "a number for a word": ("flag: true\nword: 5\n", 2, "Expected `str`, got `int`"),
    "a wrong type, deep down": ("word: a\ninner:\n  - name: b\n  - name: c\n    count: x\n", 5, "Expected `int`"),
    "a number for a member's name": ("word: a\ntable:\n  5: x\n", 3, "Expected `str`"),
    "a truth for a number": ("word: a\ninner:\n  - name: c\n    count: true\n", 4, "Expected `int`"),
    "a number within a table": ("word: a\ntable:\n  b: c\n  d: 5\n", 3, "Expected `str`, got `int`"),
    "nothing for a word": ("flag: true\nword: null\n", 2, "Expected `str`, got `null`"),
    "a language's own tag": ("word: a\ntable: !!python/object:os.system {}\n", 2, "tags"),
    "a known tag": ("word: !!str 5\n", 1, "tags"),
    "a tag of one's own": ("word: a\nflag: !vault x\n", 2, "tags"),
    "a directive": ("%YAML 1.1\n---\nword: a\n", 1, "directives"),
    "two documents": ("word: a\n---\nword: b\n", 2, "another document"),
    "a member that is a list": ("word: a\ntable:\n  ? [x]\n  : y\n", 3, "a member's name is a plain word"),
    "a syntax error": ("word: a\nflag: [true\n", 3, "expected"),
    "a tab": ("word: a\ninner:\n\t- name: b\n", 3, "cannot start any token"),
    "no document": ("", 1, "the file is empty"),
    "comments only": ("# later\n", 1, "the file is empty"),
    "no mapping": ("- a\n", 1, "Expected `object`"),
    "bytes that are no text": (b"word: \xff\n", 1, "cannot be read"),
    "a control character": (b"word: \x00\n", 1, "unacceptable character"),
    "too deep": ("word: " + "[" * 700 + "]" * 700, 1, "nested too deep"),
    "too long a number": ("word: " + "9" * 5000, 1, "a number too long"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_line(mistake: str, tmp_path: Path) -> None:
    text, line, told = MISTAKES[mistake]
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'file.yaml'}:{line}: ")
    assert told in str(caught.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"absent\.yaml:1: cannot be read"):
        read_yaml(tmp_path / "absent.yaml", Shape)


def test_a_later_check_can_name_the_line(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_text("word: a\ninner:\n  - name: b\n  - name: c\n    count: 3\n", encoding="utf-8")
    _, at = read_yaml(path, Shape)
    assert str(at.error("off", "inner", 1, "count")) == f"{path}:5: off"
    assert str(at.error("off", "inner", 1, "absent")) == f"{path}:4: off"
    assert str(at.error("off", "inner", 7)) == f"{path}:3: off"
    assert str(at.error("off")) == f"{path}:1: off"
