"""The strict reader: what is not exactly one plain JSON object within its bounds is refused, and nothing else."""

import json
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.signing import SigningKey
from consent import jws
from consent.jws import DEPTH_LIMIT, Profile, read_object
from policies.refusals import Code, Refused, TokenRole
from tests.forging import forge, header_for, sign_parts


class Unread(Exception):
    """What the reader was told to raise."""


def refuse() -> NoReturn:
    raise Unread


def nested(depth: int, opening: str = '{"a":', closing: str = "}", inside: str = "1") -> bytes:
    return (opening * depth + inside + closing * depth).encode()


REFUSED = {
    "nothing": b"",
    "white space": b" ",
    "a list": b"[]",
    "a text": b'"a"',
    "a number": b"1",
    "null": b"null",
    "two objects": b"{}{}",
    "cut short": b'{"a":1',
    "a comma too many": b'{"a":1,}',
    "single quotes": b"{'a':1}",
    "a comment": b'{"a":1}//',
    "a byte order mark": b'\xef\xbb\xbf{"a":1}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "UTF-32": '{"a":1}'.encode("utf-32-be"),
    "Latin-1": '{"a":"\u00e9"}'.encode("latin-1"),
    "an overlong form": b'{"a":"\xc0\xaf"}',
    "a raw surrogate": b'{"a":"\xed\xa0\x80"}',
    "an escaped high surrogate": b'{"a":"\\ud800"}',
    "an escaped low surrogate": b'{"a":"\\udc00"}',
    "surrogates the wrong way round": b'{"a":"\\udc00\\ud800"}',
    "a surrogate in a name": b'{"\\ud800":1}',
    "a surrogate deep inside": b'{"a":[{"b":"\\udfff"}]}',
    "a member twice": b'{"a":1,"a":1}',
    "a member twice, once escaped": b'{"a":1,"\\u0061":2}',
    "a member twice, deep": b'{"a":[{"b":{"c":1,"c":2}}]}',
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":Infinity}',
    "minus Infinity": b'{"a":-Infinity}',
    "a float": b'{"a":1.0}',
    "an exponent": b'{"a":1e3}',
    "a float too large": b'{"a":1e999}',
    "minus nothing": b'{"a":-0.0}',
    "20 digits": b'{"a":12345678901234567890}',
    "minus and 19 digits": b'{"a":-1234567890123456789}',
    "100000 digits": b'{"a":' + b"9" * 100_000 + b"}",
    "a leading zero": b'{"a":01}',
    "a plus sign": b'{"a":+1}',
    "a line end in a text": b'{"a":"\n"}',
    "a NUL in a text": b'{"a":"\x00"}',
    "nine deep": nested(9),
    "lists nine deep": b'{"a":' + nested(8, "[", "]") + b"}",
    "100000 deep": b'{"a":' + nested(100_000, "[", "]") + b"}",
    "990 deep": b'{"a":' + nested(990, "[", "]") + b"}",
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    with pytest.raises(Unread):
        read_object(REFUSED[name], refuse)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"{}", {}),
        (b' {"a" : [ 1 , -2 , true , null ] } ', {"a": [1, -2, True, None]}),
        (b'{"a":"\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        ('{"名":"徐"}'.encode(), {"名": "徐"}),
        (b'{"a":1234567890123456789}', {"a": 1234567890123456789}),
        (b'{"a":{"a":1},"b":{"a":1}}', {"a": {"a": 1}, "b": {"a": 1}}),
    ],
)
def test_read(raw: bytes, value: dict[str, Any]) -> None:
    assert read_object(raw, refuse) == value


def test_as_deep_as_allowed() -> None:
    assert read_object(nested(DEPTH_LIMIT), refuse)
    assert read_object(b'{"a":' + nested(DEPTH_LIMIT - 1, "[", "]") + b"}", refuse)


PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**18) + 1, 10**18), st.text(st.characters(exclude_categories=["Cs"]))
)
OBJECTS = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    st.one_of(PLAIN, st.lists(PLAIN, max_size=3), st.dictionaries(st.text("ab", max_size=2), PLAIN, max_size=3)),
    max_size=5,
)


@given(OBJECTS, st.booleans())
def test_what_is_written_plainly_is_read_back(value: dict[str, Any], escaped: bool) -> None:
    raw = json.dumps(value, ensure_ascii=escaped).encode()
    assert read_object(raw, refuse) == value


@given(st.binary(max_size=60))
def test_any_bytes_are_an_object_or_refused(raw: bytes) -> None:
    try:
        assert isinstance(read_object(raw, refuse), dict)
    except Unread:
        return


@given(st.text(max_size=80))
def test_any_text_is_a_token_of_right_form_or_refused(text: str) -> None:
    try:
        jws.read_form(text, jws.REQUEST)
    except Refused as refused:
        found = refused.refusal
    else:
        return
    assert (found.code, found.token) == (Code.MALFORMED_TOKEN, TokenRole.REQUEST)


@pytest.mark.parametrize("profile", [jws.CONSENT, jws.EXCHANGE, jws.REQUEST, jws.WITHDRAWAL, jws.DEVICE])
def test_size_at_its_limit(profile: Profile) -> None:
    signer = SigningKey.generate()
    room = profile.limit - len(sign_parts(signer, header_for(signer, "x+jwt"), b""))
    # The longest payload whose base64url still fits, and the next
    largest = room * 3 // 4
    token = sign_parts(signer, header_for(signer, "x+jwt"), b"a" * largest)
    assert profile.limit - 2 <= len(token) <= profile.limit
    assert jws.read_form(token, profile).payload == b"a" * largest
    with pytest.raises(Refused):
        jws.read_form(sign_parts(signer, header_for(signer, "x+jwt"), b"a" * (largest + 2)), profile)


def test_a_token_shows_nothing_of_itself() -> None:
    signer = SigningKey.generate()
    text = forge(signer, header_for(signer, "x+jwt"), {"name": "徐建国"})
    assert "徐建国" not in repr(jws.read_form(text, jws.REQUEST))
    assert text not in repr(jws.read_form(text, jws.REQUEST))


def test_a_known_key_under_another_kid_is_unknown() -> None:
    signer, other = SigningKey.generate(), SigningKey.generate()
    token = jws.read_form(forge(signer, header_for(signer, "x+jwt"), {}), jws.REQUEST)
    assert jws.verify_signature(token, signer.public) == b"{}"
    for key in (None, other.public):
        with pytest.raises(Refused) as caught:
            jws.verify_signature(token, key)
        assert caught.value.refusal.code is Code.UNKNOWN_KEY
