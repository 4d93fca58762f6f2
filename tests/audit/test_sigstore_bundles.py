"""Sigstore's conformance bundles: real Rekor logs' inclusion proofs and checkpoints against the verifier.

Only the log's part is ours. Certificates, artifacts and RFC 3161 time stamps of a bundle are another room's.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from audit.merkle import hash_leaf
from audit.verify import VerificationError, open_note, verify_inclusion
from tests.vectors_folder import vectors

NO_PROOF = {
    "intoto-missing-inclusion-proof_fail": "the bundle has no inclusion proof at all",
    "rekor2-no-inclusion-proof_fail": "the bundle has no inclusion proof at all",
}
BAD_PROOF = {
    "inclusion-proof-corrupted-hash_fail": "a hash of the path is wrong",
    "invalid-inclusion-proof_fail": "an old proof, of another index and tree",
}
BAD_CHECKPOINT = {
    "rekor2-checkpoint-missing-log-signature_fail": "no signature line",
    "rekor2-checkpoint-missing-origin_fail": "no origin line",
    "rekor2-checkpoint-missing-root-hash_fail": "no root line",
    "rekor2-checkpoint-missing-size_fail": "no size line",
    "rekor2-checkpoint-no-matching-signature_fail": "the signature's name is not the log's",
}
ECDSA = {
    "checkpoint-bad-keyhint_fail": "Rekor v1 signs with ECDSA; the key hint is wrong",
    "checkpoint-wrong-roothash_fail": "Rekor v1 signs with ECDSA; the checkpoint is of another tree",
    "happy-path-intoto-in-dsse-v3": "Rekor v1 signs with ECDSA",
    "happy-path-v0.1": "Rekor v1 signs with ECDSA",
    "happy-path-v0.2": "Rekor v1 signs with ECDSA",
    "happy-path-v0.3": "Rekor v1 signs with ECDSA",
    "happy-path-v0.3-new-mediaType": "Rekor v1 signs with ECDSA",
    "inclusion-proof-corrupted-hash_fail": "Rekor v1 signs with ECDSA",
    "invalid-checkpoint-signature_fail": "Rekor v1 signs with ECDSA; this signature is wrong",
    "invalid-inclusion-proof_fail": "Rekor v1 signs with ECDSA; the bundle has no checkpoint",
}
"""Known differences: our checkpoints are Ed25519, so of these only the inclusion proof is verified."""
NOT_THE_LOGS = {
    "rekor2-no-timestamp_fail": "RFC 3161",
    "rekor2-timestamp-outside-trust-root-tsa-validity_fail": "RFC 3161",
    "rekor2-timestamp-outside-tsa-cert-validity_fail": "RFC 3161",
    "rekor2-timestamp-payload-mismatch_fail": "RFC 3161",
    "rekor2-timestamp-untrusted-tsa-with-embedded-cert_fail": "RFC 3161",
    "rekor2-timestamp-untrusted-tsa-without-embedded-cert_fail": "RFC 3161",
    "rekor2-timestamp-with-incorrect-time_fail": "RFC 3161",
}
"""They must be rejected for their time stamp; what they say of the log is true."""
LOG = "log2025-alpha1.rekor.sigstage.dev"


def folders() -> dict[str, Path]:
    found = vectors("audit", "sigstore-conformance", "bundle-verify").glob("*/bundle.sigstore.json")
    return {path.parent.name: path for path in found}


def log_entry(path: Path) -> tuple[bytes, Mapping[str, Any]]:
    """The entry's exact bytes, and its inclusion proof as the bundle has it."""
    [entry] = json.loads(path.read_bytes())["verificationMaterial"]["tlogEntries"]
    return base64.b64decode(entry["canonicalizedBody"]), entry.get("inclusionProof") or {}


def include(path: Path) -> None:
    octets, proof = log_entry(path)
    verify_inclusion(
        hash_leaf(octets),
        int(proof["logIndex"]),
        [base64.b64decode(node) for node in proof["hashes"]],
        size=int(proof["treeSize"]),
        root=base64.b64decode(proof["rootHash"]),
    )


def vkey(path: Path) -> str:
    """Rekor v2's own key, as C2SP writes it, out of the bundle's trusted root."""
    logs = json.loads(path.with_name("trusted_root.json").read_bytes())["tlogs"]
    [key] = [log["publicKey"] for log in logs if log["baseUrl"] == f"https://{LOG}"]
    material = b"\x01" + base64.b64decode(key["rawBytes"])[-32:]
    key_id = hashlib.sha256(f"{LOG}\n".encode() + material).hexdigest()[:8]
    return f"{LOG}+{key_id}+{base64.b64encode(material).decode()}"


def test_every_bundle_is_accounted_for() -> None:
    names = set(folders())
    assert len(names) == 33
    listed = NO_PROOF.keys() | BAD_PROOF.keys() | BAD_CHECKPOINT.keys() | ECDSA.keys() | NOT_THE_LOGS.keys()
    assert listed <= names
    assert {name for name in names if name.endswith("_fail")} <= listed


def test_inclusion_proofs() -> None:
    for name, path in folders().items():
        if name in NO_PROOF:
            assert log_entry(path)[1].get("hashes") is None
        elif name in BAD_PROOF:
            with pytest.raises(VerificationError):
                include(path)
        else:
            include(path)


def test_checkpoints_of_rekor_2() -> None:
    seen = 0
    for name, path in folders().items():
        if name in NO_PROOF or name in ECDSA:
            continue
        proof = log_entry(path)[1]
        note = proof["checkpoint"]["envelope"].encode()
        if name in BAD_CHECKPOINT:
            with pytest.raises(VerificationError):
                open_note(note, vkey(path))
        else:
            checkpoint = open_note(note, vkey(path))
            assert (checkpoint.size, checkpoint.root) == (int(proof["treeSize"]), base64.b64decode(proof["rootHash"]))
        seen += 1
    assert seen == 33 - len(NO_PROOF) - len(ECDSA)


def test_checkpoints_of_rekor_1_are_refused_and_not_misread() -> None:
    for name in ECDSA:
        note = log_entry(folders()[name])[1].get("checkpoint", {}).get("envelope", "").encode()
        with pytest.raises(VerificationError):
            open_note(note, vkey(folders()["rekor2-happy-path"]))
