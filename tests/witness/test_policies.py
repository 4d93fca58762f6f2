"""Policies: others' vectors, the specification's own example, and quorums that must not be met."""

import base64
import hashlib
import json
import re

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.cosignature import Cosigner
from audit.errors import NoteRefused, PolicyRefused, QuorumMissing
from audit.note import read_note
from audit.quorum import Policy, read_policy, satisfied
from tests.vectors_folder import vectors
from tests.witness.witness_process import SIGNER, ToldLog

STRICTER = {
    "verifier key is of another type": "upstream takes plain Ed25519 keys (0x01) for witnesses; C2SP tlog-policy: the "
    "type must be that of tlog-cosignature",
    "items": "upstream takes comments behind an item; C2SP tlog-policy has only whole lines of comment",
    "not a log": "a Go back-quote: the transcription of the first case holds two policies and test source between",
}
"""Why each of formats' good policies is refused as it stands; re-keyed and cut apart they are read."""
NOTE = ToldLog.counted(9).checkpoint(9)


def cosigner(number: int) -> Cosigner:
    return Cosigner(f"witness.example/w{number}", Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))


WITNESSES = {f"{letter}{number}": cosigner((ord(letter) - 80) * 10 + number) for letter in "XY" for number in (1, 2, 3)}
EXAMPLE = (
    f"log {SIGNER.vkey}\n\n"
    + "".join(f"witness {name} {one.vkey}\n" for name, one in WITNESSES.items() if name[0] == "X")
    + "group X-witnesses 2 X1 X2 X3\n\n"
    + "".join(
        f"\t witness  {name}\t{one.vkey} https://witness.example/{name}/ \n"
        for name, one in WITNESSES.items()
        if name[0] == "Y"
    )
    + "  # by another organisation\ngroup Y-witnesses any Y1 Y2 Y3\n\n"
    + "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
)


def cosigned(*names: str, note: bytes = NOTE) -> bytes:
    text = read_note(note).text
    return note + "".join(WITNESSES[name].cosign(text, 1700000000) for name in names).encode()


def rekeyed(policy: str) -> str:
    """Give each witness line a cosignature key of its own, as the specification wants it."""
    numbers = iter(range(1, 100))
    return re.sub(r"(witness +\w+ +)\S+", lambda found: found[1] + cosigner(next(numbers)).vkey, policy)


def refused(policy: str | bytes) -> str:
    with pytest.raises(PolicyRefused) as caught:
        read_policy(policy if isinstance(policy, bytes) else policy.encode())
    return str(caught.value)


def test_formats_good_policies() -> None:
    case = json.loads(vectors("audit", "witness", "formats_policy.json").read_bytes())
    policies = [part for text in case["ok"] for part in text.split("`") if "quorum " in part and "func" not in part]
    assert len(policies) == 5
    for text in case["ok"]:
        assert any(reason in refused(text) for reason in STRICTER)
    shapes = []
    for text in policies:
        strict = re.sub(r"[ \t]+#comment$", "", rekeyed(text), flags=re.MULTILINE)
        policy = read_policy(strict.encode())
        group = policy.groups[policy.quorum]
        shapes.append((len(policy.witnesses), group.threshold, len(group.members)))
    assert shapes == [(2, 2, 2), (2, 2, 2), (4, 2, 4), (3, 3, 3), (3, 1, 1)]


def test_formats_bad_policies() -> None:
    case = json.loads(vectors("audit", "witness", "formats_policy.json").read_bytes())
    for wrong in case["bad"]:
        refused(wrong["policy"])
        refused(rekeyed(wrong["policy"]))  # for its own reason, not for the keys' type


def test_the_example_of_the_specification() -> None:
    policy = read_policy(EXAMPLE.encode())
    assert (policy.quorum, policy.groups["X-witnesses"].threshold, len(policy.witnesses)) == ("X-and-Y", 2, 6)
    assert policy.witnesses["Y1"].url == "https://witness.example/Y1"
    for enough in (("X1", "X2", "Y1"), ("X3", "X2", "Y3", "Y1"), tuple(WITNESSES)):
        assert {one.name for one in satisfied(policy, cosigned(*enough))} == {WITNESSES[name].name for name in enough}
    for short in ((), ("X1", "Y1"), ("X1", "X2", "X3"), ("Y1", "Y2", "Y3"), ("X1", "X1", "Y1")):
        with pytest.raises(QuorumMissing):
            satisfied(policy, cosigned(*short))


def policy_of(*lines: str) -> Policy:
    return read_policy("\n".join(lines).encode() + b"\n")


def test_what_cannot_count() -> None:
    policy = policy_of(f"witness w {WITNESSES['X1'].vkey}", "quorum w")
    note = cosigned("X1")
    assert satisfied(policy, note)
    with pytest.raises(QuorumMissing):  # another witness
        satisfied(policy, cosigned("X2"))
    with pytest.raises(NoteRefused):  # of another tree
        satisfied(policy, note.replace(b"\n9\n", b"\n8\n"))
    with pytest.raises(NoteRefused):
        satisfied(policy, b"no note\n")
    stranger = Cosigner(WITNESSES["X1"].name, Ed25519PrivateKey.generate())
    with pytest.raises(QuorumMissing):  # the name alone
        satisfied(policy, NOTE + stranger.cosign(read_note(NOTE).text, 1).encode())


def test_a_wrong_line_of_a_known_witness_spoils_the_note() -> None:
    policy = policy_of(
        *(f"witness {name} {one.vkey}" for name, one in WITNESSES.items()), "group g any X1 X2", "quorum g"
    )
    wrong = WITNESSES["X2"].cosign("another text\n", 1700000000)
    with pytest.raises(NoteRefused):
        satisfied(policy, cosigned("X1") + wrong.encode())


def test_the_log_must_be_one_of_those_listed() -> None:
    other = ToldLog.counted(3).checkpoint(3).replace(b"log.example/watched", b"log.example/another")
    policy = policy_of(f"log {SIGNER.vkey} https://log.example", "quorum none")
    assert satisfied(policy, NOTE) == ()
    with pytest.raises(NoteRefused):
        satisfied(policy, other)
    forged = NOTE[:-8] + b"AAAAAA=\n"
    with pytest.raises(NoteRefused):
        satisfied(policy, forged)


W1 = f"witness w1 {cosigner(1).vkey}"
W2 = f"witness w2 {cosigner(2).vkey}"


def same_key_other_name() -> str:
    material = b"\x04" + cosigner(1)._key.public_key().public_bytes_raw()
    key_id = hashlib.sha256(b"other\n" + material).digest()[:4]
    return f"other+{key_id.hex()}+{base64.b64encode(material).decode()}"


@pytest.mark.parametrize(
    ("lines", "number"),
    [
        ((), 1),
        ((W1,), 1),
        ((W1, "quorum w2"), 2),
        (("quorum w1", W1), 1),
        ((W1, "quorum w1", "quorum w1"), 3),
        ((W1, "quorum w1 w1"), 2),
        ((W1, "quorum"), 2),
        ((W1, W1.replace("w1", "w2", 1), "quorum w1"), 2),
        ((W1, f"witness w2 {same_key_other_name()}", "quorum w1"), 2),
        ((W1, W2, "group g 0 w1 w2", "quorum g"), 3),
        ((W1, W2, "group g 3 w1 w2", "quorum g"), 3),
        ((W1, W2, "group g 01 w1 w2", "quorum g"), 3),
        ((W1, W2, "group g most w1 w2", "quorum g"), 3),
        ((W1, W2, "group g all", "quorum g"), 3),
        ((W1, W2, "group g all w1 w1", "quorum g"), 3),
        ((W1, W2, "group g any w1", "group h any w1 w2", "quorum h"), 4),
        ((W1, W2, "group g any g", "quorum g"), 3),
        ((W1, "group g any none", "quorum g"), 2),
        ((W1, "group w1 any w1", "quorum w1"), 2),
        ((W1, "witnes w2 x", "quorum w1"), 2),
        ((W1 + " https://a.example https://b.example", "quorum w1"), 1),
        ((W1 + " ftp://a.example", "quorum w1"), 1),
        ((W1 + " https://user@a.example", "quorum w1"), 1),
        ((W1 + " http://[::1", "quorum w1"), 1),
        ((f"witness w1 {SIGNER.vkey}", "quorum w1"), 1),
        ((f"log {cosigner(1).vkey}", "quorum none"), 1),
        ((f"log {SIGNER.vkey}", f"log {SIGNER.vkey}", "quorum none"), 2),
        ((W1, "# bell \x07", "quorum w1"), 2),
        ((W1 + "\r", "quorum w1"), 1),
        ((f"witness none {cosigner(1).vkey}", "quorum none"), 1),
        ((f"witness all {cosigner(1).vkey}", "quorum all"), 1),
    ],
)
def test_the_first_bad_line_is_named(lines: tuple[str, ...], number: int) -> None:
    assert refused("\n".join(lines) + "\n").startswith(f"line {number}: ")


def test_names_are_octets() -> None:
    kelvin, plain = "\N{KELVIN SIGN}", "K"
    policy = policy_of(W1.replace("w1", kelvin, 1), W2.replace("w2", plain, 1), f"quorum {plain}")
    assert policy.witnesses[policy.quorum].key.name == cosigner(2).name
