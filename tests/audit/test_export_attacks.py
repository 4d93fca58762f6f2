"""What somebody with the database, or even the signing key, can do to a log, and how the verifier names it."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.checkpoint import LogSigner
from audit.verify import RULES, VerificationError, verify_export
from tests.audit.sample_log import (
    SIGNER,
    STRANGER,
    Event,
    admitted,
    consent,
    entries,
    entry,
    exported,
    granted,
    released,
    rewrite,
    sample,
)

SIZE = 600
BODIES = sample(SIZE)
Change: TypeAlias = Callable[[list[bytes]], list[bytes]]


def failure(folder: Path, vkey: str = SIGNER.vkey, since: bytes | None = None) -> VerificationError:
    with pytest.raises(VerificationError) as raised:
        verify_export(folder, vkey, since)
    return raised.value


def rules(error: VerificationError) -> set[str]:
    return {problem.rule for problem in error.problems}


def replaced(at: int, body: bytes) -> Change:
    return lambda bodies: [*bodies[:at], body, *bodies[at + 1 :]]


AT = next(at for at in range(300, SIZE) if b"exchange.admitted" in BODIES[at])
CALL = json.loads(BODIES[AT])["body"]["call"]
EDITED = replaced(AT, BODIES[AT].replace(b"deed_tax", b"marriage"))


@pytest.mark.parametrize(
    ("change", "first", "rule"),
    [
        (EDITED, AT, "tiles"),
        (lambda bodies: [*bodies[:AT], *bodies[AT + 1 :], bodies[-1]], AT, "index"),
        (lambda bodies: [*bodies[:AT], bodies[AT + 1], bodies[AT], *bodies[AT + 2 :]], AT, "index"),
        (replaced(AT, BODIES[AT].replace(b'"index":%d' % AT, b'"index":%d' % (AT + 1))), AT, "index"),
        (replaced(AT, BODIES[AT].replace(b"2026-11-22", b"2026-11-21")), AT, "time"),
        (lambda bodies: [*bodies[: AT + 1], bodies[AT], *bodies[AT + 1 : -1]], AT + 1, "index"),
        (replaced(AT, b""), AT, "form"),
        (replaced(AT, BODIES[AT] + b" "), AT, "tiles"),
    ],
    ids=["edited", "deleted", "swapped", "renumbered", "back-dated", "duplicated", "emptied", "a space added"],
)
@pytest.mark.parametrize("level", ["bundles", "tiles", "all"])
def test_changed_entries(tmp_path: Path, change: Change, first: int, rule: str, level: str) -> None:
    """Bundles only: the tiles name the entry. Tiles too: the root differs. Signed again: the kept checkpoint does."""
    folder = exported(tmp_path / "export", BODIES)
    old = SIGNER.sign(SIZE, verify_export(folder, SIGNER.vkey).checkpoint.root)
    rewrite(folder, level, change, BODIES)
    error = failure(folder, since=old)
    assert "since" in rules(error)
    assert ("root" in rules(error)) == (level != "all")
    if level == "bundles" or rule != "tiles":
        assert error.first_bad_entry == first
        assert rule in rules(error)
    if level == "bundles":
        named = next(problem for problem in error.problems if problem.index == first)
        assert named.rule == "tiles"
        assert named.call == (CALL if rule in {"tiles", "time"} and first == AT else named.call)


def test_the_first_bad_entry_is_named_by_its_call(tmp_path: Path) -> None:
    folder = exported(tmp_path / "export", BODIES)
    rewrite(folder, "bundles", EDITED, BODIES)
    error = failure(folder)
    assert str(error).startswith(f'entry {AT} (call "{CALL}"): tiles: ')
    assert rules(error) == {"tiles", "root", "item-admitted"}, "the release no longer fits the admission either"


def test_entries_and_tiles_rewritten_but_not_signed(tmp_path: Path) -> None:
    folder = exported(tmp_path / "export", BODIES)
    rewrite(folder, "tiles", replaced(0, BODIES[0].replace(b'"uses":2', b'"uses":9')), BODIES)
    assert rules(failure(folder)) == {"root"}


@pytest.mark.parametrize("size", [SIZE - 1, 512, 256, 1, 0])
def test_a_tail_cut_and_signed_again_is_seen_by_who_kept_a_checkpoint(tmp_path: Path, size: int) -> None:
    old = (exported(tmp_path / "export", BODIES) / "checkpoint").read_bytes()
    folder = exported(tmp_path / "cut", BODIES[:size])
    assert verify_export(folder, SIGNER.vkey).checkpoint.size == size, "by itself a cut log is a good log"
    assert rules(failure(folder, since=old)) == {"since"}


def test_a_tail_cut_but_not_signed_again(tmp_path: Path) -> None:
    folder = exported(tmp_path / "export", BODIES)
    checkpoint = (folder / "checkpoint").read_bytes()
    folder = exported(tmp_path / "cut", BODIES[:-1])
    (folder / "checkpoint").write_bytes(checkpoint)
    assert {"files", "bundle"} <= rules(failure(folder))


@pytest.mark.parametrize("kept", [1, 255, 256, 257, 511, 512, SIZE])
def test_a_history_rewritten_and_signed_again_is_seen_by_who_kept_a_checkpoint(tmp_path: Path, kept: int) -> None:
    old = (exported(tmp_path / "before", BODIES[:kept]) / "checkpoint").read_bytes()
    good = exported(tmp_path / "good", BODIES)
    assert verify_export(good, SIGNER.vkey, old).since is not None
    bad = exported(tmp_path / "bad", replaced(0, BODIES[0].replace(b'"uses":2', b'"uses":9'))(BODIES))
    assert verify_export(bad, SIGNER.vkey).checkpoint.size == SIZE
    assert rules(failure(bad, since=old)) == {"since"}


def test_another_key_and_another_log(tmp_path: Path) -> None:
    folder = exported(tmp_path / "export", BODIES, STRANGER)
    assert (folder / "log.vkey").read_text().strip() == STRANGER.vkey
    assert rules(failure(folder)) == {"checkpoint"}, "the key found in the folder is not asked"
    elsewhere = LogSigner("log.example/other", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    folder = exported(tmp_path / "own", BODIES)
    root = verify_export(folder, SIGNER.vkey).checkpoint.root
    (folder / "checkpoint").write_bytes(elsewhere.sign(SIZE, root))
    assert rules(failure(folder)) == {"checkpoint"}
    (folder / "checkpoint").write_bytes((exported(tmp_path / "other", sample(SIZE)[:599]) / "checkpoint").read_bytes())
    assert rules(failure(folder)) >= {"files"}


@pytest.mark.parametrize(
    ("tile", "at", "first", "told"),
    [
        ("tile/0/001", 44, 300, "entry 300"),
        ("tile/0/002.p/88", 0, 512, "entry 512"),
        ("tile/1/000.p/2", 1, None, "entries 256 to 511"),
    ],
)
def test_only_a_tile_tampered(tmp_path: Path, tile: str, at: int, first: int | None, told: str) -> None:
    folder = exported(tmp_path / "export", BODIES)
    octets = bytearray((folder / tile).read_bytes())
    octets[at * 32] ^= 1
    (folder / tile).write_bytes(octets)
    error = failure(folder)
    assert (rules(error), error.first_bad_entry, len(error.problems)) == ({"tiles"}, first, 1)
    assert told in str(error)


@pytest.mark.parametrize(
    "lost",
    ["checkpoint", "tile/0/000", "tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/001", "tile/entries/002.p/88"],
)
def test_a_lost_file(tmp_path: Path, lost: str) -> None:
    folder = exported(tmp_path / "export", BODIES)
    (folder / lost).unlink()
    error = failure(folder)
    assert "files" in rules(error)
    assert lost in str(error)


@pytest.mark.parametrize(
    "extra",
    [
        "checkpoint.part",
        "notes.txt",
        "tile/0/003",
        "tile/0/000.p/5",
        "tile/2/000.p/1",
        "tile/entries/x000/000",
        "tile/64/000",
    ],
)
def test_a_file_too_many(tmp_path: Path, extra: str) -> None:
    folder = exported(tmp_path / "export", BODIES)
    (folder / extra).parent.mkdir(parents=True, exist_ok=True)
    (folder / extra).write_bytes(b"\x1b[2J")
    error = failure(folder)
    assert rules(error) == {"files"}
    assert extra in str(error)


def test_a_bundle_with_something_after_its_entries(tmp_path: Path) -> None:
    folder = exported(tmp_path / "export", BODIES)
    bundle = folder / "tile/entries/001"
    bundle.write_bytes(bundle.read_bytes() + b"\0")
    error = failure(folder)
    assert (rules(error), error.first_bad_entry) == ({"bundle"}, 511)


def test_problems_are_told_safely_and_not_without_end(tmp_path: Path) -> None:
    forged = [entry(index, "exchange.released", {"call": "\x1b[2J\u202e"}) for index in range(50)]
    error = failure(exported(tmp_path / "export", forged))
    assert len(error.problems) == 5
    assert str(error.problems[0]).isascii()
    assert "\x1b" not in str(error)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_single_byte_changed_anywhere_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp() / "single-byte"
    if not folder.exists():
        exported(folder, BODIES[:260])
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "log.vkey")
    path = data.draw(st.sampled_from(files))
    octets = path.read_bytes()
    at = data.draw(st.integers(0, len(octets) - 1))
    try:
        path.write_bytes(octets[:at] + bytes([octets[at] ^ data.draw(st.integers(1, 255))]) + octets[at + 1 :])
        failure(folder)
    finally:
        path.write_bytes(octets)
    assert verify_export(folder, SIGNER.vkey).checkpoint.size == 260


def collected(number: int, **members: str) -> Event:
    name, body = released(number, **members)
    return name, {**body, "collects": 2}


WITHDRAWN: Event = ("consent.withdrawn", {"consent": consent(0)})
PAUSED: Event = ("consent.paused", {"consent": consent(0)})
NOBODY: Event = ("exchange.admitted", {"call": "call-0", "consents": [], "items": []})
STORIES: list[tuple[str, int, Sequence[Event]]] = [
    ("grant-once", 1, [granted(0), granted(0, uses=9)]),
    ("grant-once", 2, [granted(0), WITHDRAWN, granted(0)]),
    ("consent-granted", 0, [admitted(0), granted(0), released(0)]),
    ("consent-granted", 0, [NOBODY]),
    ("consent-standing", 2, [granted(0), WITHDRAWN, admitted(0)]),
    ("consent-standing", 2, [granted(0), PAUSED, admitted(0)]),
    ("consent-standing", 3, [granted(0), WITHDRAWN, ("consent.resumed", {"consent": consent(0)}), admitted(0)]),
    ("uses", 1, [granted(0), admitted(0, use=3)]),
    ("call-once", 2, [granted(0), admitted(0), admitted(0)]),
    ("call-once", 3, [granted(0), admitted(0), released(0), admitted(0)]),
    ("call-admitted", 1, [granted(0), released(0), admitted(0)]),
    ("call-admitted", 0, [("exchange.withheld", {"call": "call-0"})]),
    ("one-ending", 3, [granted(0), admitted(0), released(0), released(0)]),
    ("call-released", 2, [granted(0), admitted(0), ("exchange.viewed", {"call": "call-0"}), released(0)]),
    ("call-released", 3, [granted(0), admitted(0), released(0), ("exchange.decided", {"call": "call-1"})]),
    ("one-ending", 3, [granted(0), admitted(0), ("exchange.interrupted", {"call": "call-0"}), released(0)]),
    ("item-admitted", 2, [granted(0), admitted(0), released(0, item="marriage")]),
    ("item-admitted", 2, [granted(0), admitted(0), released(0, party="spouse")]),
    ("party-standing", 3, [granted(0), admitted(0), WITHDRAWN, released(0)]),
    ("party-standing", 3, [granted(0), admitted(0), WITHDRAWN, released(0, outcome="no_record")]),
    ("party-standing", 3, [granted(0), admitted(0), PAUSED, released(0)]),
    ("collected", 3, [granted(0), admitted(0), released(0), collected(0)]),
    ("collected", 2, [granted(0), admitted(0), collected(0)]),
    ("collected", 3, [granted(0), admitted(0), released(0, outcome="pending"), collected(0, item="marriage")]),
    ("collected", 3, [granted(0), admitted(0), released(0, outcome="pending"), collected(1)]),
    ("one-ending", 3, [granted(0), admitted(0), released(0, outcome="pending"), released(0)]),
    ("party-standing", 4, [granted(0), admitted(0), released(0, outcome="pending"), WITHDRAWN, collected(0)]),
    ("party-standing", 4, [granted(0), admitted(0), released(0, outcome="pending"), PAUSED, collected(0)]),
    ("event", 0, [("exchange", {})]),
    ("event", 0, [("exchange.viewed.twice", {})]),
    ("body", 0, [("consent.granted", {"uses": 1})]),
    ("body", 0, [("consent.granted", {"consent": consent(0), "uses": True})]),
    ("body", 0, [("exchange.released", {"results": []})]),
    ("body", 1, [granted(0), ("exchange.admitted", {"call": "call-0", "consents": [7], "items": []})]),
    ("body", 2, [granted(0), admitted(0), ("exchange.released", {"call": "call-0", "results": {}})]),
]


@pytest.mark.parametrize(("rule", "first", "events"), STORIES)
def test_a_story_that_cannot_have_happened(tmp_path: Path, rule: str, first: int, events: Sequence[Event]) -> None:
    """Written and signed by the operator: every hash and signature is right."""
    error = failure(exported(tmp_path / "export", entries(events)))
    assert (error.problems[0].rule, error.first_bad_entry) == (rule, first)


@pytest.mark.parametrize(
    ("rule", "body"),
    [
        ("index", entry(0, "policy.loaded", {})),
        ("time", entry(1, "policy.loaded", {}, late=-1)),
        ("form", entry(1, "policy.loaded", {}).replace(b'"v":1', b'"v":2')),
        ("form", entry(1, "policy.loaded", {}).replace(b'"v":1', b'"v":true')),
        ("form", entry(1, "policy.loaded", {}).replace(b'"index":1', b'"index":1.0')),
        ("form", entry(1, "policy.loaded", {}).replace(b"000001Z", b"001Z")),
        ("form", entry(1, "policy.loaded", {}).replace(b"000001Z", b"000001+00:00")),
        ("form", entry(1, "policy.loaded", {}).replace(b"2026-11-22", b"2026-11-31")),
        ("form", entry(1, "policy.loaded", {}).replace(b'"v":1', b'"v":1,"v":1')),
        ("form", entry(1, "policy.loaded", {}).replace(b'"v":1', b'"v":1,"w":1')),
        ("form", entry(1, "policy.loaded", {"a": 1}).replace(b'"a":1', b'"a":1,"a":1')),
        ("form", entry(1, "policy.loaded", {"a": 1}).replace(b'"a":1', b'"a":NaN')),
        ("form", entry(1, "policy.loaded", {"a": 1}).replace(b'"a":1', b'"a":' + b"[" * 30_000)),
        ("form", entry(1, "policy.loaded", {"a": "x"}).replace(b'"x"', b'"\xff"')),
        ("form", b"\xef\xbb\xbf{}"),
    ],
)
def test_an_entry_that_the_ledger_never_writes(tmp_path: Path, rule: str, body: bytes) -> None:
    error = failure(exported(tmp_path / "export", [entry(0, "policy.loaded", {}), body]))
    assert (error.problems[0].rule, error.first_bad_entry) == (rule, 1)


def test_every_rule_about_entries_has_its_attack() -> None:
    listed = list(RULES)
    about_entries = set(listed[listed.index("event") : listed.index("party-standing") + 1])
    assert about_entries == {rule for rule, _, _ in STORIES}


def test_the_sample_itself_is_a_good_story(tmp_path: Path) -> None:
    report = verify_export(exported(tmp_path / "export", sample(999)), SIGNER.vkey)
    assert report.checkpoint.size == 999
    assert report.unfinished <= 1
    assert report.first_time < report.last_time


def test_what_was_pending_may_be_collected_more_than_once_and_held_back_in_between(tmp_path: Path) -> None:
    held = ("exchange.withheld", {"call": "call-0", "collects": 2})
    resumed: Event = ("consent.resumed", {"consent": consent(0)})
    pending = released(0, outcome="pending")
    story = [granted(0), admitted(0), pending, PAUSED, held, resumed, collected(0, outcome="pending"), collected(0)]
    report = verify_export(exported(tmp_path / "export", entries([*story, collected(0)])), SIGNER.vkey)
    assert report.unfinished == 0
