"""Packing and compressing status lists, held against the draft's own vectors and against hostile lists."""

import json
import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.keys import to_base64url
from consent.status_list import UNPACKED_LIMIT, decode, encode, pack, status_at
from tests.vectors_folder import vectors


@pytest.mark.parametrize("number", range(4))
def test_the_drafts_large_lists(number: int) -> None:
    text = vectors("token", "status-list", "status_list_vectors.json").read_text(encoding="utf-8")
    vector = json.loads(text)["vectors"][number]
    bits, size = vector["bits"], vector["size"]
    wanted = {int(index): status for index, status in vector["nonzero"].items()}
    packed = decode(vector["lst"])
    assert packed == pack(wanted, size=size, bits=bits)
    assert {index: status_at(packed, index, bits=bits) for index in wanted} == wanted
    assert decode(encode(packed)) == packed
    beside = {index + 1 for index in wanted} - wanted.keys()
    assert all(status_at(packed, index, bits=bits) == 0 for index in beside if index < size)


@pytest.mark.parametrize(
    ("file", "statuses"),
    [
        ("status_list_encoding_json.md", [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]),
        ("status_list_encoding2_json.md", [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]),
    ],
)
def test_the_drafts_short_examples(file: str, statuses: list[int]) -> None:
    text = vectors("token", "status-list", "examples", file).read_text(encoding="utf-8")
    octets = bytes(int(one, 16) for one in re.findall(r"0x([0-9a-f]{2})", text))
    example = json.loads(text[text.index("{") :])
    packed = pack(dict(enumerate(statuses)), size=len(statuses), bits=example["bits"])
    assert packed == octets == decode(example["lst"])
    assert [status_at(packed, index, bits=example["bits"]) for index in range(len(statuses))] == statuses
    assert encode(packed) == example["lst"]


@given(st.sampled_from([1, 2, 4, 8]), st.data())
def test_whatever_is_packed_is_read_back(bits: int, data: st.DataObject) -> None:
    statuses = data.draw(st.lists(st.integers(0, (1 << bits) - 1), min_size=1, max_size=40))
    packed = decode(encode(pack(dict(enumerate(statuses)), size=len(statuses), bits=bits)))
    assert [status_at(packed, index, bits=bits) for index in range(len(statuses))] == statuses


@pytest.mark.parametrize(
    "lst",
    [
        "",
        "AAAA",
        "eNo76fITAAPfAgc=",
        "eNo76fITAAPf",
        to_base64url(zlib.compress(b"abc") + b"x"),
        to_base64url(zlib.compress(bytes(UNPACKED_LIMIT + 1))),
    ],
)
def test_what_is_no_list_is_refused(lst: str) -> None:
    with pytest.raises(ValueError, match=r"ZLIB|base64"):
        decode(lst)


@pytest.mark.parametrize(("index", "status"), [(-1, 1), (8, 1), (0, 4), (0, -1)])
def test_what_does_not_fit_is_refused(index: int, status: int) -> None:
    with pytest.raises(ValueError, match="no such entry"):
        pack({index: status}, size=8, bits=2)


@pytest.mark.parametrize("index", [-1, 12])
def test_beyond_the_list_nothing_is_said(index: int) -> None:
    with pytest.raises(ValueError, match="no such entry"):
        status_at(b"\x00\x00\x00", index, bits=2)


def test_an_odd_number_of_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="1, 2, 4 or 8"):
        pack({}, size=8, bits=3)
