"""Signed notes, checkpoints, proofs and verifier keys: others' vectors, and what they do not cover."""

import base64
import hashlib
import json
import re
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.checkpoint import LogSigner, format_proof
from audit.errors import CheckpointError
from audit.merkle import EMPTY_ROOT
from audit.verify import VerificationError, open_note, open_text, parse_proof, parse_vkey
from tests.audit.sample_log import SIGNER, STRANGER
from tests.vectors_folder import vectors

ROOT = hashlib.sha256(b"root").digest()
NOTE = SIGNER.sign(7, ROOT)

NOT_OURS = {
    "no trusted key": "the verifier always has exactly one pinned key",
    "ambiguous key": "the verifier always has exactly one pinned key",
}
"""golang/mod cases that have no counterpart here."""
STRICTER_BODIES = {
    "valid with trailing newlines": "C2SP tlog-checkpoint: extension lines must be non-empty",
}
"""formats bodies refused even with a root of 32 bytes; as they stand, every one is refused for its root's length."""


def loaded(*parts: str) -> Any:
    return json.loads(vectors("audit", *parts).read_bytes())


def signer(skey: str) -> LogSigner:
    """Read the test signer keys that golang/mod publishes: PRIVATE+KEY+name+id+base64(type, seed)."""
    _, _, name, _, encoded = skey.split("+", 4)
    return LogSigner(name, Ed25519PrivateKey.from_private_bytes(base64.b64decode(encoded)[1:]))


def note_line(by: LogSigner, text: str) -> str:
    key_id = bytes.fromhex(by.vkey.split("+")[1])
    signature = base64.b64encode(key_id + by._key.sign(text.encode())).decode()
    return f"\N{EM DASH} {by.name} {signature}\n"


def refused(note: str | bytes, vkey: str = SIGNER.vkey) -> None:
    with pytest.raises(VerificationError):
        open_note(note if isinstance(note, bytes) else note.encode(), vkey)


def test_the_example_of_the_specification() -> None:
    case = loaded("signed-note", "c2sp_spec_example.json")
    assert open_text(case["note"].encode(), case["vkey"]) == "This is an example message.\n"


def test_golang_notes() -> None:
    case = loaded("signed-note", "golang_mod_note.json")
    by = signer(case["skey"])
    assert by.vkey == case["vkeys_good"][0]
    assert f"{case['note_text']}\n{note_line(by, case['note_text'])}" == case["signed"]
    assert {opening["name"] for opening in case["open"]} >= NOT_OURS.keys()
    for opening in case["open"]:
        note = bytes.fromhex(opening["note_hex"]) if "note_hex" in opening else opening["note"].encode()
        for vkey in set(opening["trusted"]) if opening["name"] not in NOT_OURS else ():
            if vkey.partition("+")[0] in opening.get("verified", ()):
                assert open_text(note, vkey) == case["note_text"]
            else:
                with pytest.raises(VerificationError):
                    open_text(note, vkey)


def test_golang_verifier_keys_and_their_mangling() -> None:
    case = loaded("signed-note", "golang_mod_note.json")
    bad = list(case["vkeys_bad"])
    for vkey in case["vkeys_good"]:
        parse_vkey(vkey)
        bad += [vkey[:end] for end in range(len(vkey))] + [vkey[begin:] for begin in range(1, len(vkey))]
        bad += [vkey[:at] + chr(ord(vkey[at]) + 1) + vkey[at + 1 :] for at in range(len(vkey))]
    for vkey in bad:
        with pytest.raises(VerificationError):
            parse_vkey(vkey)


def test_cosignature_keys_are_not_log_keys() -> None:
    case = loaded("cosignature", "formats_cosigv1.json")
    assert parse_vkey(case["vkey_plain_ed25519"])[0] == "TEST"
    for vkey in (*case["vkeys_good"], case["mldsa44_vkey_accepted_upstream_with_wrong_key_id"]):
        with pytest.raises(VerificationError):
            parse_vkey(vkey)


def test_formats_checkpoint_bodies() -> None:
    for case in loaded("checkpoint", "formats_checkpoint_body.json")["cases"]:
        name = case["body"].split("\n")[0]
        by = LogSigner(name or "Log", Ed25519PrivateKey.from_private_bytes(bytes(32)))
        refused(f"{case['body']}\n{note_line(by, case['body'])}", by.vkey)
        body = re.sub("\n(YmFu|dGhl).*\n", f"\n{base64.b64encode(ROOT).decode()}\n", case["body"])
        note = f"{body}\n{note_line(by, body)}"
        if case["ok"] and case["name"] not in STRICTER_BODIES:
            assert open_note(note.encode(), by.vkey).root == ROOT
        else:
            refused(note, by.vkey)


def test_formats_checkpoints_with_several_signers() -> None:
    vector = loaded("checkpoint", "formats_checkpoint_keys.json")
    keys = vector["keys"]
    assert {signer(keys[f"{who}SK"]).vkey for who in ("log", "known1")} == {keys["logVK"], keys["known1VK"]}
    for case in vector["cases"]:
        text = case["body"] or vector["body"]
        note = f"{text}\n" + "".join(note_line(signer(keys[by]), text) for by in case["sign_with"])
        if "logSK" in case["sign_with"]:
            assert open_text(note.encode(), keys["logVK"]) == text
        else:
            with pytest.raises(VerificationError):
                open_text(note.encode(), keys["logVK"])
        refused(note, keys["logVK"])  # their origins are not the key's name, their roots have six bytes


def test_tlog_proofs() -> None:
    case = loaded("tlog-proof", "formats_tlog_proof.json")
    for written in case["marshal"]:
        path = [hashlib.sha256(preimage.encode()).digest() for preimage in written["hash_preimages"]]
        extra = written["extra"].encode() if "extra" in written else None
        text = format_proof(written["index"], path, written["checkpoint"].encode(), extra)
        want = written["want_template"].replace("{extra}", base64.b64encode(extra or b"").decode())
        for number, node in enumerate(path, 1):
            want = want.replace(f"{{h{number}}}", base64.b64encode(node).decode())
        assert text == want
        proof = parse_proof(text)
        assert (proof.index, list(proof.path), proof.unverified_extra) == (written["index"], path, extra or b"")
        assert proof.unverified_checkpoint.decode() == written["checkpoint"]
    for wrong in case["unmarshal_errors"]:
        with pytest.raises(VerificationError):
            parse_proof(wrong["proof"])


@pytest.mark.parametrize("index", ["01", "+1", " 1", "1 ", "٣", "", "1_0", "99999999999999999999"])
def test_an_index_is_written_one_way(index: str) -> None:
    with pytest.raises(VerificationError):
        parse_proof(f"c2sp.org/tlog-proof@v1\nindex {index}\n\n{NOTE.decode()}")


def test_our_own_checkpoint() -> None:
    checkpoint = open_note(NOTE, SIGNER.vkey)
    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == (SIGNER.name, 7, ROOT)
    witnessed = NOTE + note_line(LogSigner("witness.example", STRANGER._key), "not even about this").encode()
    assert open_note(witnessed, SIGNER.vkey) == checkpoint
    assert open_note(SIGNER.sign(0, EMPTY_ROOT), SIGNER.vkey).size == 0


def test_any_changed_byte_of_a_checkpoint_is_noticed() -> None:
    for at in range(len(NOTE)):
        refused(NOTE[:at] + bytes([NOTE[at] ^ 1]) + NOTE[at + 1 :])
        refused(NOTE[:at])


@pytest.mark.parametrize(
    "text",
    [
        f"{SIGNER.name}\n07\n{base64.b64encode(ROOT).decode()}\n",
        f"{SIGNER.name}\n7\n{base64.b64encode(ROOT).decode()}\n\nextension\n",
        f"{SIGNER.name}\n7\n{base64.b64encode(ROOT).decode()[:-1]}\n",
        f"{SIGNER.name}\n7\n{base64.b64encode(ROOT[:31]).decode()}\n",
        f"{SIGNER.name}\n7\n{base64.b64encode(ROOT + b'x').decode()}\n",
        f"{SIGNER.name}\n9223372036854775808\n{base64.b64encode(ROOT).decode()}\n",
        f"{SIGNER.name}\n0\n{base64.b64encode(ROOT).decode()}\n",
        f"log.example/other\n7\n{base64.b64encode(ROOT).decode()}\n",
        f"{SIGNER.name}\r\n7\n{base64.b64encode(ROOT).decode()}\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    note = f"{text}\n{note_line(SIGNER, text)}"
    if "\r" not in text:
        assert open_text(note.encode(), SIGNER.vkey) == text, "it must be the text that is at fault"
    refused(note)


def test_a_root_in_base64_with_other_trailing_bits_is_refused() -> None:
    encoded = base64.b64encode(bytes(32)).decode()
    text = f"{SIGNER.name}\n7\n{encoded[:-2]}B=\n"
    assert base64.b64decode(f"{encoded[:-2]}B=") == bytes(32)
    refused(f"{text}\n{note_line(SIGNER, text)}")


def test_a_good_signature_does_not_excuse_a_wrong_one_of_the_same_key() -> None:
    body = NOTE.decode().partition("\n\n")[0] + "\n"
    assert open_note(f"{body}\n{note_line(SIGNER, body)}{note_line(SIGNER, body)}".encode(), SIGNER.vkey).size == 7
    refused(f"{body}\n{note_line(SIGNER, body)}{note_line(SIGNER, 'another text')}")


def test_a_key_of_the_same_name_and_other_id_is_not_ours() -> None:
    refused(STRANGER.sign(7, ROOT))


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\nbreak", "no\N{NO-BREAK SPACE}break", "bell\a"])
def test_a_log_cannot_have_such_a_name(name: str) -> None:
    with pytest.raises(CheckpointError):
        LogSigner(name, STRANGER._key)


@pytest.mark.parametrize(("size", "root"), [(-1, ROOT), (1, ROOT[:31]), (1, b"")])
def test_a_signer_signs_no_impossible_tree(size: int, root: bytes) -> None:
    with pytest.raises(CheckpointError):
        SIGNER.sign(size, root)


def test_a_signer_does_not_show_its_key() -> None:
    assert SIGNER._key.private_bytes_raw().hex() not in repr(SIGNER)
