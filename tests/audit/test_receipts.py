"""A receipt proves offline that an exchange was logged, and that exactly these results were released."""

import base64
import copy
import hashlib
import json
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from audit.checkpoint import format_proof
from audit.merkle import EMPTY_FRONTIER, Growth, hash_leaf
from audit.verify import VerificationError, _canonical, verify_receipt
from tests.audit.sample_log import SIGNER, STRANGER, entry

Answer: TypeAlias = dict[str, Any]

RESULTS: list[dict[str, Any]] = [
    {
        "party": "applicant",
        "item": "deed_tax",
        "outcome": "found",
        "records": [{"paid_amount": 1234500, "location": '扬州 😀 \u2028 " \\ \x7f\x01', "final": True, "note": None}],
        "salt": base64.urlsafe_b64encode(bytes(range(240, 256))).decode().rstrip("="),
    },
    {
        "party": "spouse",
        "item": "marriage",
        "outcome": "no_record",
        "records": [],
        "salt": base64.urlsafe_b64encode(bytes(16)).decode().rstrip("="),
    },
]


def digest(result: dict[str, Any]) -> str:
    salt = base64.urlsafe_b64decode(result["salt"] + "=" * (-len(result["salt"]) % 4))
    return hashlib.sha256(salt + rfc8785.dumps({k: v for k, v in result.items() if k != "salt"})).hexdigest()


def answer(event: str = "exchange.released", position: int = 5, results: list[dict[str, Any]] = RESULTS) -> Answer:
    """Make an exchange's answer as the broker does, its entry at index 5 of 9."""
    recorded = [{**{k: r[k] for k in ("party", "item", "outcome")}, "digest": digest(r)} for r in results]
    body = entry(position, event, {"call": "call-5", "results": recorded})
    growth = Growth(EMPTY_FRONTIER)
    for index in range(9):
        growth.append(hash_leaf(body if index == 5 else b"%d" % index))
    checkpoint = SIGNER.sign(9, growth.frontier().root())
    proof = format_proof(5, growth.inclusion_path(5), checkpoint)
    return {"receipt": {"entry": base64.b64encode(body).decode(), "proof": proof}, "results": copy.deepcopy(results)}


def refused(receipt: Any, results: Any = None, vkey: str = SIGNER.vkey) -> str:
    with pytest.raises(VerificationError) as raised:
        verify_receipt(receipt, vkey, results)
    return raised.value.problems[0].rule


def test_a_receipt_with_its_results() -> None:
    given_answer = answer()
    receipt = verify_receipt(given_answer["receipt"], SIGNER.vkey, given_answer["results"])
    assert (receipt.entry.index, receipt.entry.event, receipt.results) == (5, "exchange.released", 2)
    assert receipt.checkpoint.size == 9
    assert verify_receipt(given_answer["receipt"], SIGNER.vkey).results == 0


def test_results_in_another_order_are_the_same_results() -> None:
    given_answer = answer()
    assert verify_receipt(given_answer["receipt"], SIGNER.vkey, given_answer["results"][::-1]).results == 2


def test_any_changed_result_is_noticed() -> None:
    receipt = answer()["receipt"]
    changes: tuple[Callable[[Any], object], ...] = (
        lambda results: results.pop(),
        lambda results: results.clear(),
        lambda results: results.append(results[0]),
        lambda results: results[0].update(outcome="no_record"),
        lambda results: results[0].update(party="spouse"),
        lambda results: results[0].update(extra=None),
        lambda results: results[0].update(salt=results[1]["salt"]),
        lambda results: results[0].update(salt=results[0]["salt"] + "="),
        lambda results: results[0].update(salt=results[0]["salt"].replace("_", "/").replace("-", "+")),
        lambda results: results[0].pop("salt"),
        lambda results: results[0]["records"].append({}),
        lambda results: results[0]["records"][0].update(paid_amount=1234501),
        lambda results: results[0]["records"][0].update(paid_amount=1234500.0),
        lambda results: results[0]["records"][0].update(final=1),
        lambda results: results[0]["records"][0].update(location="\ud800"),
        lambda results: results[0]["records"][0].pop("note"),
    )
    for change in changes:
        results = copy.deepcopy(RESULTS)
        change(results)
        assert refused(receipt, results) in {"results", "body"}


@pytest.mark.parametrize("length", [1, 15, 17])
def test_a_salt_of_another_length_is_refused_even_where_the_digest_fits(length: int) -> None:
    salt = base64.urlsafe_b64encode(bytes(length)).decode().rstrip("=")
    given_answer = answer(results=[{**RESULTS[0], "salt": salt}])
    assert refused(given_answer["receipt"], given_answer["results"]) == "results"


def test_any_changed_byte_of_the_entry_is_noticed() -> None:
    receipt = answer()["receipt"]
    body = base64.b64decode(receipt["entry"])
    for at in range(len(body)):
        forged = base64.b64encode(body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]).decode()
        assert refused({**receipt, "entry": forged}) == "inclusion"


def test_any_changed_character_of_the_proof_is_noticed() -> None:
    receipt = answer()["receipt"]
    proof: str = receipt["proof"]
    for at in range(len(proof)):
        refused({**receipt, "proof": proof[:at] + chr(ord(proof[at]) ^ 1) + proof[at + 1 :]})
        refused({**receipt, "proof": proof[:at]})


def test_another_key_does_not_verify() -> None:
    assert refused(answer()["receipt"], vkey=STRANGER.vkey) == "checkpoint"


def test_an_entry_that_lies_about_its_index_is_refused() -> None:
    assert refused(answer(position=6)["receipt"]) == "index"


def test_only_a_release_releases_results() -> None:
    given_answer = answer(event="exchange.viewed")
    assert refused(given_answer["receipt"], given_answer["results"]) == "results"


@pytest.mark.parametrize("receipt", [{}, {"entry": "", "proof": ""}, {"entry": 1, "proof": 1}, {"entry": "e30="}])
def test_what_is_no_receipt(receipt: Any) -> None:
    refused(receipt)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_canonical_json_is_that_of_another_implementation(value: Any) -> None:
    assert _canonical(value).encode() == rfc8785.dumps(value)
    assert _canonical(json.loads(_canonical(value))) == _canonical(value)


@pytest.mark.parametrize("value", [1.0, float("nan"), 2**53, -(2**53), b"", {1: 2}, {"a": [1.5]}, object()])
def test_what_has_no_canonical_form_here(value: Any) -> None:
    with pytest.raises(ValueError):
        _canonical(value)
