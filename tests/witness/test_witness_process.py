"""`broker witness serve` on a real port: the protocol's rules, logs that tell two stories, and sudden ends."""

import base64
import hashlib
import json
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.checkpoint import LogSigner
from audit.cosignature import cosignatures
from audit.merkle import EMPTY_ROOT
from audit.note import LOG_KEY, WITNESS_KEY, read_note, read_tree, read_vkey, verify_note
from audit.witness_store import WitnessStore
from tests.vectors_folder import vectors
from tests.witness.witness_process import (
    SIGNER,
    Running,
    ToldLog,
    called,
    command,
    in_process,
    new_witness,
    origin_hash,
    serving,
)

HONEST = ToldLog.counted(12)
TWO_FACED = ToldLog([*(str(number) for number in range(5)), *(f"another {number}" for number in range(5, 12))])
"""Equal in the first five entries; signed by the same, real key."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, WitnessStore]]:
    """One witness process for the tests that need only an origin of their own."""
    folder = tmp_path_factory.mktemp("witness")
    new_witness(folder, name="example.com/witness")
    with serving(folder) as running:
        yield running, WitnessStore(folder / "witness.db")


@pytest.fixture
def told(shared: tuple[Running, WitnessStore], request: pytest.FixtureRequest) -> tuple[Running, LogSigner]:
    """The witness, and a log that it was just told to watch."""
    running, store = shared
    signer = LogSigner(
        f"log.example/{hashlib.sha256(request.node.name.encode()).hexdigest()}", Ed25519PrivateKey.generate()
    )
    store.watch(signer.vkey)
    return running, signer


def log_of(signer: LogSigner, leaves: ToldLog = HONEST) -> ToldLog:
    log = ToldLog([], signer)
    log.leaves = leaves.leaves
    return log


def test_sunlights_sequence(shared: tuple[Running, WitnessStore]) -> None:
    case = json.loads(vectors("audit", "witness", "sunlight_add_checkpoint_sequence.json").read_bytes())
    witness, store = shared
    material = b"\x01" + bytes.fromhex(case["log_ed25519_pub_hex"])
    key_id = hashlib.sha256(case["log_origin"].encode() + b"\n" + material).hexdigest()[:8]
    store.watch(f"{case['log_origin']}+{key_id}+{base64.b64encode(material).decode()}")
    assert len(case["sequence"]) == 11
    for step in case["sequence"]:
        answer = witness.add(step["body"])
        assert answer.status == step["want_status"], step["name"]
        assert step["want_body_contains"] in answer.body, step["name"]
        if answer.status == 409:
            assert (answer.media_type, answer.body) == ("text/x.tlog.size", step["want_body_contains"])
        if answer.status == 200:
            note = read_note(step["body"].partition("\n\n")[2].encode() + answer.body.encode())
            assert len(cosignatures(note, read_vkey(witness.vkey, WITNESS_KEY))) == 1


def test_a_log_grows_and_anybody_reads_what_was_cosigned(told: tuple[Running, LogSigner]) -> None:
    witness, signer = told
    log = log_of(signer)
    assert called(f"{witness.address}/{origin_hash(signer.name)}/checkpoint").status == 404
    for old, size in ((0, 1), (1, 4), (4, 4), (4, 5), (5, 12)):
        answer = witness.add(log.request(old, size))
        assert answer.status == 200, answer
        served = called(f"{witness.address}/{origin_hash(signer.name)}/checkpoint")
        assert served.body.encode() == log.checkpoint(size) + answer.body.encode()
        note = read_note(served.body.encode())
        verify_note(note, [read_vkey(signer.vkey, LOG_KEY)])
        (cosignature,) = cosignatures(note, read_vkey(witness.vkey, WITNESS_KEY))
        assert cosignature.time > 1_700_000_000
    assert called(f"{witness.address}/{'0' * 64}/checkpoint").status == 404


def test_the_empty_log(told: tuple[Running, LogSigner]) -> None:
    witness, signer = told
    assert witness.add(f"old 0\n\n{signer.sign(0, EMPTY_ROOT).decode()}").status == 200
    assert witness.add(f"old 0\n\n{signer.sign(0, HONEST.root(1)).decode()}").status == 422
    assert witness.add(log_of(signer).request(0, 3)).status == 200


def test_a_log_that_tells_two_stories_is_refused(told: tuple[Running, LogSigner]) -> None:
    """The attack table's row: different logs shown to different people, both signed with the real key."""
    witness, signer = told
    honest, rewritten = log_of(signer), log_of(signer, TWO_FACED)
    assert witness.add(honest.request(0, 5)).status == 200  # the common beginning
    assert witness.add(honest.request(5, 8)).status == 200
    for size in (8, 9, 12):  # the other story, with the proofs that it can give
        assert witness.add(rewritten.request(8, size)).status == 422
        stolen = honest.request(8, size).partition("\n\n")[0]
        assert witness.add(f"{stolen}\n\n{rewritten.checkpoint(size).decode()}").status == 422
    for old in (0, 5, 7):  # not back to before the stories part
        answer = witness.add(rewritten.request(old, 9))
        assert (answer.status, answer.body) == (409, "8\n")
    assert witness.add(rewritten.request(5, 5).replace("old 5", "old 8")).status == 400
    note = called(f"{witness.address}/{origin_hash(signer.name)}/checkpoint").body
    assert read_tree(read_note(note.encode()).text).root == honest.root(8)
    assert witness.add(honest.request(8, 12)).status == 200


def test_who_signed(told: tuple[Running, LogSigner]) -> None:
    witness, signer = told
    log = log_of(signer)
    stranger = log_of(LogSigner(signer.name, Ed25519PrivateKey.generate()))
    assert witness.add(stranger.request(0, 3)).status == 403
    unknown = log_of(LogSigner("log.example/nobody-watches", Ed25519PrivateKey.generate()))
    assert witness.add(unknown.request(0, 3)).status == 404
    ours = log.request(0, 3)
    theirs = stranger.checkpoint(3).decode().partition("\n\n")[2]
    assert witness.add(ours.replace("\n3\n", "\n4\n", 1)).status == 403  # what was signed was another size
    wrong = base64.b64encode(signer._key_id + bytes(64)).decode()
    doubled = f"{ours}\N{EM DASH} {signer.name} {wrong}\n"
    assert witness.add(doubled).status == 403  # a second line of the known key is wrong, so the note is
    assert witness.add(ours + theirs).status == 200  # a line of an unknown key is ignored, and not kept
    assert theirs not in called(f"{witness.address}/{origin_hash(signer.name)}/checkpoint").body


@pytest.mark.parametrize(
    "change",
    [
        lambda _: "",
        lambda body: body.replace("old 3", "old  3"),
        lambda body: body.replace("old 3", "old 03"),
        lambda body: body.replace("old 3", "old +3"),
        lambda body: body.replace("old 3", "old -3"),
        lambda body: body.replace("old 3", "old \N{ARABIC-INDIC DIGIT THREE}"),
        lambda body: body.replace("old 3", "old 99999999999999999999"),
        lambda body: body.replace("old 3", "old 6"),
        lambda body: body.replace("old 3", "size 3"),
        lambda body: body.replace("=\n", "\n", 1),
        lambda body: body.replace("\n", "\r\n"),
        lambda body: body.replace("\n", "\nAAAA\n", 1),
        lambda body: body.replace("\n", "\n" + f"{base64.b64encode(bytes(32)).decode()}\n" * 64, 1),
        lambda body: body[:-1],
        lambda body: body.partition("\n\n")[2],
        lambda body: body.rpartition("\n\n")[0] + "\n",
        lambda body: body + "x",
        lambda body: body.replace("\n\n", "\n\n\x07", 1),
        lambda _: "x" * 200_000,
    ],
)
def test_malformed(told: tuple[Running, LogSigner], change: object) -> None:
    witness, signer = told
    log = log_of(signer)
    assert witness.add(log.request(0, 3)).status == 200
    assert callable(change)
    assert witness.add(change(log.request(3, 5))).status == 400
    assert witness.add(b"\xff\xfe\x00").status == 400
    assert witness.add(log.request(3, 5)).status == 200


def test_a_signed_text_with_more_lines_is_no_checkpoint_we_know(told: tuple[Running, LogSigner]) -> None:
    witness, signer = told
    text = f"{signer.name}\n3\n{base64.b64encode(HONEST.root(3)).decode()}\nan extension\n"
    signature = base64.b64encode(signer._key_id + signer._key.sign(text.encode())).decode()
    answer = witness.add(f"old 0\n\n{text}\n\N{EM DASH} {signer.name} {signature}\n")
    assert (answer.status, answer.body.startswith("invalid checkpoint")) == (400, True)


def test_proofs_that_do_not_hold(told: tuple[Running, LogSigner]) -> None:
    witness, signer = told
    log = log_of(signer)
    spare = base64.b64encode(bytes(32)).decode()
    assert witness.add(log.request(0, 3).replace("\n", f"\n{spare}\n", 1)).status == 422  # none from the empty tree
    assert witness.add(log.request(0, 3)).status == 200
    good = log.request(3, 7)
    lines = good.split("\n")
    assert len(lines) > 6
    for wrong in ([lines[0], *lines[2:]], [lines[0], spare, *lines[1:]], [lines[0], lines[2], lines[1], *lines[3:]]):
        assert witness.add("\n".join(wrong)).status == 422
    assert witness.add(good).status == 200


def test_many_at_once_never_two_roots_for_one_size(told: tuple[Running, LogSigner]) -> None:
    witness, signer = told
    stories = [log_of(signer), log_of(signer, TWO_FACED)]
    witness.add(stories[0].request(0, 5))
    bodies = [story.request(5, size) for size in range(6, 13) for story in stories] * 2
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(witness.add, bodies))
    signed: dict[int, set[bytes]] = {}
    for body, answer in zip(bodies, answers, strict=True):
        assert answer.status in {200, 409, 422}
        if answer.status == 200:
            tree = read_tree(read_note(body.partition("\n\n")[2].encode()).text)
            signed.setdefault(tree.size, set()).add(tree.root)
    assert len(signed) == 1  # all began at 5, so one was first and the others were told its size
    assert all(len(roots) == 1 for roots in signed.values())


def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    new_witness(tmp_path, SIGNER.vkey)
    with serving(tmp_path) as witness:
        assert witness.add(HONEST.request(0, 8)).status == 200
        witness.kill()
    with serving(tmp_path) as witness:
        assert witness.add(TWO_FACED.request(0, 9)).body == "8\n"
        assert witness.add(TWO_FACED.request(8, 9)).status == 422
        assert witness.add(HONEST.request(8, 9)).status == 200
        with sqlite3.connect(tmp_path / "witness.db") as connection:
            connection.execute("DROP TABLE watched")
        assert witness.add(HONEST.request(9, 10)).status == 500  # with a damaged store nothing is cosigned


@pytest.mark.parametrize(
    ("call", "known"), [("fdatasync,fsync", 5), ("sendto", 8)], ids=["before it is stored", "stored, not yet answered"]
)
def test_killed_between_check_and_answer(tmp_path: Path, call: str, known: int) -> None:
    if shutil.which("strace") is None or subprocess.run(["strace", "-o", "/dev/null", "true"], check=False).returncode:
        pytest.skip("NOT TESTED: killing the witness at a chosen system call needs strace and ptrace")
    new_witness(tmp_path, SIGNER.vkey)
    assert in_process(tmp_path).add_checkpoint(HONEST.request(0, 5).encode()).status == 200
    inject = ("-e", f"trace={call}", "-e", f"inject={call}:signal=KILL")
    with serving(tmp_path, "strace", "-f", "--seccomp-bpf", "-o", "/dev/null", *inject) as doomed:
        with pytest.raises(OSError):  # refused, reset or cut short: no cosignature came
            doomed.add(HONEST.request(5, 8))
        assert doomed.process is not None
        assert doomed.process.wait(10) != 0
    again = in_process(tmp_path)  # what the next process finds
    assert again.add_checkpoint(TWO_FACED.request(0, 9).encode()).body == f"{known}\n"
    if known == 8:  # it may have been answered, so no other story can be told any more
        assert again.add_checkpoint(TWO_FACED.request(8, 9).encode()).status == 422
    assert again.add_checkpoint(HONEST.request(known, 9).encode()).status == 200


def test_commands_refuse_clearly(tmp_path: Path) -> None:
    folder = str(tmp_path / "w")
    assert command("serve", folder, "--port", "0")[0] == 2
    assert command("add-log", folder, "--vkey", SIGNER.vkey)[0] == 3
    assert command("init", folder, "--name", "two words")[0] == 4
    new_witness(Path(folder))
    assert command("init", folder, "--name", "again.example")[0] == 4
    code, _, said = command("add-log", folder, "--vkey", SIGNER.vkey.replace("+", "+0", 1))
    assert (code, "verifier key" in said) == (4, True)
    (tmp_path / "w" / "witness.key").chmod(0o644)
    code, _, said = command("serve", folder, "--port", "0")
    assert (code, "chmod 600" in re.sub(r"\s+", " ", said)) == (2, True)
