"""static/receipt.js against others' vectors and against audit/verify.py: two readings of one rule must agree."""

import base64
import json
from typing import Any

import pytest
import rfc8785

from audit.verify import VerificationError, verify_receipt
from tests.audit.sample_log import SIGNER
from tests.audit.test_proof_vectors import STRICTER, cases
from tests.audit.test_receipts import RESULTS, answer
from tests.browser.conftest import Visit

pytestmark = pytest.mark.asyncio(loop_scope="package")

ACCEPTED = """
async ({texts, vkey}) => {
  const { check } = await import("/static/receipt.js");
  const { Unable } = await import("/static/failures.js");
  const away = () => { throw new Unable("unreachable") };
  return Promise.all(texts.map(async (text) => !(await check(text, vkey, away, () => {})).failure));
}
"""
PROOFS = """
async ({kind, cases}) => {
  const { verifyInclusion, verifyConsistency } = await import("/static/receipt.js");
  const octets = (text) => Uint8Array.from(atob(text ?? ""), (octet) => octet.charCodeAt(0));
  return Promise.all(cases.map(async (one) => {
    const path = (one.proof ?? []).map(octets);
    try {
      if (kind === "inclusion")
        await verifyInclusion(octets(one.leafHash), one.leafIdx, path, one.treeSize, octets(one.root));
      else await verifyConsistency(path, one.size1, octets(one.root1), one.size2, octets(one.root2));
      return true;
    } catch { return false }
  }));
}
"""
CANONICAL = """
async (texts) => {
  const { canonical, parseJson } = await import("/static/strict_json.js");
  return texts.map((text) => { try { return canonical(parseJson(text)) } catch { return null } });
}
"""


def accepted(text: str) -> bool:
    """What audit/verify.py says of the same text."""
    try:
        given = json.loads(text, object_pairs_hook=unique)
        verify_receipt(given.get("receipt", given), SIGNER.vkey, given.get("results"))
    except (VerificationError, ValueError):
        return False
    return True


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@pytest.mark.parametrize("kind", ["inclusion", "consistency"])
async def test_proof_vectors(visit: Visit, kind: str) -> None:
    listed = cases(kind)
    page = await visit.open("/verify")
    verdicts = await page.evaluate(PROOFS, {"kind": kind, "cases": [case for _, case in listed]})
    for (path, case), verdict in zip(listed, verdicts, strict=True):
        stricter = "/".join(path.parts[-3:]) in STRICTER
        assert verdict is (not case["wantErr"] and not stricter), path.name


async def test_any_change_is_judged_as_the_verifier_judges_it(visit: Visit) -> None:
    good = answer()
    receipt = good["receipt"]
    entry, proof = base64.b64decode(receipt["entry"]), receipt["proof"]
    texts = [json.dumps(good), json.dumps(receipt)]
    for at in range(0, len(entry), 3):
        forged = entry[:at] + bytes([entry[at] ^ 1]) + entry[at + 1 :]
        texts.append(json.dumps({**receipt, "entry": base64.b64encode(forged).decode()}))
    for at in range(len(proof)):
        texts.append(json.dumps({**receipt, "proof": proof[:at] + chr(ord(proof[at]) ^ 1) + proof[at + 1 :]}))
        texts.append(json.dumps({**receipt, "proof": proof[:at]}))
    added = ("", "\n", "\r\n", proof, "\N{EM DASH} other.example AAAAAAAA\n", "x\n")
    texts += [json.dumps({**receipt, "proof": proof + text}) for text in added]
    page = await visit.open("/verify")
    verdicts = await page.evaluate(ACCEPTED, {"texts": texts, "vkey": SIGNER.vkey})
    assert verdicts == [accepted(text) for text in texts]
    assert verdicts[:2] == [True, True]
    assert sum(verdicts) == 4, "the two, the one with nothing added, and the one with another signer's line"


async def test_results_are_judged_as_the_verifier_judges_them(visit: Visit) -> None:
    good = json.dumps(answer(), ensure_ascii=False)
    salt = RESULTS[0]["salt"]
    changes = (
        ('"final": true', '"final": 1'),
        ("1234500", "1234501"),
        ("1234500", "1234500.0"),
        ("1234500", "1.2345e6"),
        ("1234500", "01234500"),
        ('"note": null', '"note": null, "note": null'),
        ('"note": null', '"__proto__": null'),
        ('"note": null', '"note": null, "__proto__": null'),
        (salt, salt + "="),
        (salt, salt.replace("_", "/")),
        (salt, salt[:-1] + "x"),
        ("扬州", "\\u626c\\u5dde"),
        ("扬州", "\\ud800"),
        ("applicant", "spouse"),
        (", ", ",\n\t "),
    )
    texts = [good] + [good.replace(old, new) for old, new in changes]
    assert len(set(texts)) == len(texts)
    page = await visit.open("/verify")
    verdicts = await page.evaluate(ACCEPTED, {"texts": texts, "vkey": SIGNER.vkey})
    assert verdicts == [accepted_or_duplicate(text) for text in texts]
    assert [at for at, verdict in enumerate(verdicts) if verdict] == [0, 12, 15]


def accepted_or_duplicate(text: str) -> bool:
    try:
        return accepted(text)
    except AssertionError:
        return False


async def test_canonical_json_is_that_of_another_implementation(visit: Visit) -> None:
    values: list[Any] = [
        None,
        True,
        0,
        -(2**53) + 1,
        "",
        '\x00\x1f\x7f\u2028\ufeff"\\/é😀\b\f\n\r\t',
        [],
        {},
        [[1, -2], {"b": [], "a": {"": None}}],
        {"\U0001f600": 1, "\ufb33": 2, "é": 3, "10": 4, "9": 5, "__proto__": 6, "constructor": 7},
    ]
    texts = [json.dumps(value, ensure_ascii=ascii_) for value in values for ascii_ in (True, False)]
    page = await visit.open("/verify")
    expected = [rfc8785.dumps(json.loads(text)).decode() for text in texts]
    assert await page.evaluate(CANONICAL, texts) == expected
    not_canonical = ["1.5", "1e2", str(2**53), '"\\ud800"']
    not_json = ['{"a":1,"a":2}', "[1,]", '{"a":1,}', "01", "+1", "NaN", "'a'", '"\t"', ""]
    refused = not_canonical + not_json
    assert await page.evaluate(CANONICAL, refused) == [None] * len(refused)
