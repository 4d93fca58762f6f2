"""Cosignatures and witness keys: others' vectors, what we make, and what must not pass."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.cosignature import Cosigner, cosignatures, verify_cosignature
from audit.errors import NoteRefused, SignatureRefused
from audit.note import LOG_KEY, WITNESS_KEY, read_note, read_signature, read_vkey
from tests.vectors_folder import vectors
from tests.witness.witness_process import SIGNER, ToldLog

COSIGNER = Cosigner("witness.example/w1", Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
NOTE = ToldLog.counted(5).checkpoint(5)
TEXT = read_note(NOTE).text
KEY = read_vkey(COSIGNER.vkey, WITNESS_KEY)


def line(octets: bytes, name: str = "witness.example/w1") -> str:
    return f"\N{EM DASH} {name} {base64.b64encode(octets).decode()}"


def octets_of(text: str) -> bytes:
    return base64.b64decode(text.split(" ")[2])


def test_formats_keys_and_times() -> None:
    case = json.loads(vectors("audit", "cosignature", "formats_cosigv1.json").read_bytes())
    for vkey in case["vkeys_good"]:
        assert read_vkey(vkey, WITNESS_KEY).vkey == vkey
        with pytest.raises(NoteRefused):
            read_vkey(vkey, LOG_KEY)
    assert read_vkey(case["vkey_plain_ed25519"], LOG_KEY).name == "TEST"
    for vkey in (case["vkey_plain_ed25519"], case["mldsa44_vkey_accepted_upstream_with_wrong_key_id"]):
        with pytest.raises(NoteRefused):
            read_vkey(vkey, WITNESS_KEY)
    for stamped in case["timestamps"]:
        try:
            octets = base64.b64decode(stamped["sig_base64"], validate=True)
            time = int.from_bytes(octets[4:12], "big") if len(octets) == 4 + 8 + 64 else None
        except ValueError:
            time = None
        assert time == (stamped["unix"] if stamped["ok"] else None)
        if time is None:  # no key at hand signed these; without the time's 8 bytes none is even looked at
            with pytest.raises(NoteRefused):
                verify_cosignature(read_signature(f"\N{EM DASH} TEST {stamped['sig_base64']}"), TEXT, KEY)


def test_what_is_cosigned_is_the_two_lines_and_the_text() -> None:
    made = COSIGNER.cosign(TEXT, 1679315147)
    octets = octets_of(made)
    assert (octets[:4], int.from_bytes(octets[4:12], "big")) == (KEY.key_id, 1679315147)
    KEY.key.verify(octets[12:], b"cosignature/v1\ntime 1679315147\n" + TEXT.encode())
    (verified,) = cosignatures(read_note(NOTE + made.encode()), KEY)
    assert (verified.name, verified.time, f"{verified.line}\n") == ("witness.example/w1", 1679315147, made)


def test_a_checkpoint_without_this_witness_has_none_of_its_cosignatures() -> None:
    assert cosignatures(read_note(NOTE), KEY) == ()


@pytest.mark.parametrize("at", range(4, 76))
def test_every_byte_of_a_cosignature_counts(at: int) -> None:
    octets = bytearray(octets_of(COSIGNER.cosign(TEXT, 1679315147)))
    octets[at] ^= 1
    with pytest.raises(SignatureRefused):
        cosignatures(read_note(NOTE + f"{line(bytes(octets))}\n".encode()), KEY)


@pytest.mark.parametrize("cut", [slice(0, 5), slice(0, -1), slice(5, None)])
def test_a_cosignature_of_another_length(cut: slice) -> None:
    octets = KEY.key_id + octets_of(COSIGNER.cosign(TEXT, 1679315147))[cut]
    with pytest.raises(SignatureRefused):
        verify_cosignature(read_signature(line(octets)), TEXT, KEY)


def test_another_text_another_time_or_a_plain_signature_is_no_cosignature() -> None:
    other = COSIGNER.cosign(TEXT.replace("5", "6", 1), 1679315147)
    timeless = KEY.key_id + bytes(8) + octets_of(COSIGNER.cosign(TEXT, 1))[12:]
    plain = KEY.key_id + COSIGNER._key.sign(TEXT.encode())
    for wrong in (octets_of(other), timeless, plain, KEY.key_id + bytes(8) + plain[4:]):
        with pytest.raises(SignatureRefused):
            verify_cosignature(read_signature(line(wrong)), TEXT, KEY)


@pytest.mark.parametrize("time", [0, -1, 1 << 63])
def test_no_cosignature_without_a_time(time: int) -> None:
    with pytest.raises(NoteRefused):
        COSIGNER.cosign(TEXT, time)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "new\nline", "tab\t", "\u2028"])
def test_no_witness_of_such_a_name(name: str) -> None:
    with pytest.raises(NoteRefused):
        Cosigner(name, Ed25519PrivateKey.generate())


def test_a_verifier_key_is_written_one_way() -> None:
    for vkey in (COSIGNER.vkey, SIGNER.vkey):
        kind = WITNESS_KEY if vkey == COSIGNER.vkey else LOG_KEY
        bad = [vkey[:end] for end in range(len(vkey))] + [vkey[begin:] for begin in range(1, len(vkey))]
        bad += [vkey[:at] + chr(ord(vkey[at]) ^ 1) + vkey[at + 1 :] for at in range(len(vkey))]
        bad += [f"{vkey}\n", f" {vkey}", vkey.replace("+", "++", 1)]
        for wrong in bad:
            with pytest.raises(NoteRefused):
                read_vkey(wrong, kind)
