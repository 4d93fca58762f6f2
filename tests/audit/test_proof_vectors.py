"""RFC 6962 proof vectors of transparency-dev/merkle against the verifier.

Their subtree vectors (subtreeinclusion, subtreeconsistency) are out of scope: they belong to
draft-ietf-plants-merkle-tree-certs, which nothing here implements.
"""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from audit.verify import VerificationError, verify_consistency, verify_inclusion
from tests.vectors_folder import vectors

STRICTER = {
    "consistency/additional/sizes-are-equal-one-and-proof-is-empty.json": "its roots are 12 bytes of text",
}
"""Vectors that upstream accepts and we refuse, with the reason."""


def cases(kind: str) -> list[tuple[Path, dict[str, Any]]]:
    paths = sorted(vectors("audit", "rfc6962-proofs", kind).rglob("*.json"))
    assert len(paths) == 98
    return [(path, json.loads(path.read_bytes())) for path in paths]


def decoded(value: str | None) -> bytes:
    return base64.b64decode(value or "")


def inclusion(case: dict[str, Any]) -> None:
    path = [decoded(node) for node in case["proof"] or []]
    leaf, root = decoded(case["leafHash"]), decoded(case["root"])
    verify_inclusion(leaf, case["leafIdx"], path, size=case["treeSize"], root=root)


def consistency(case: dict[str, Any]) -> None:
    path = [decoded(node) for node in case["proof"] or []]
    old_root, root = decoded(case["root1"]), decoded(case["root2"])
    verify_consistency(path, old_size=case["size1"], old_root=old_root, size=case["size2"], root=root)


@pytest.mark.parametrize(("kind", "accepting"), [("inclusion", 6), ("consistency", 5)])
def test_every_vector(kind: str, accepting: int) -> None:
    verify = inclusion if kind == "inclusion" else consistency
    differing, accepted = set(), 0
    for path, case in cases(kind):
        try:
            verify(case)
        except VerificationError:
            refused = True
        else:
            refused, accepted = False, accepted + 1
        if refused != case["wantErr"]:
            differing.add(path.relative_to(vectors("audit", "rfc6962-proofs")).as_posix())
    assert differing == {name for name in STRICTER if name.startswith(kind)}
    assert accepted == accepting
