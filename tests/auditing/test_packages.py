"""An evidence package verifies alone; any changed byte is found, and so is whoever signs a changed one again."""

import base64
import hashlib
import io
import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit import verify
from broker.signing import SigningKey
from connectors.departments.people import XU
from tests.auditing.case import CASE, CLAIM, REASON, Case
from tests.staff.desk import sit_down
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")

Files = dict[str, bytes]


async def taken(of: Case, **fields: str) -> bytes:
    async with of.desk.http.post(
        f"{of.world.issuer}/audit/packages",
        data={"reason": REASON} | fields,
        headers={"Origin": of.world.issuer, "Accept": "text/html"},
    ) as response:
        assert response.status == 200, await response.text()
        assert "attachment" in response.headers["Content-Disposition"]
        return await response.read()


async def of_call(case: Case) -> bytes:
    return await taken(case, kind="call", index=str(case.index("exchange.released")))


def checked(place: Path, world: World) -> verify.VerifiedPackage:
    return verify.verify_package(place, world.vkey, world.broker.keys.issuer.public.kid)


def refused(place: Path, world: World) -> str:
    with pytest.raises(verify.VerificationError) as raised:
        checked(place, world)
    return raised.value.problems[0].rule


def written(folder: Path, octets: bytes) -> Path:
    place = folder / "package.zip"
    place.write_bytes(octets)
    return place


def unpacked(octets: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def laid_out(folder: Path, files: Files) -> Path:
    for name, octets in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(octets)
    return folder


def signed_again(files: Files, key: SigningKey) -> Files:
    """The list made anew over whatever the files hold now."""
    payload = files["manifest.jwt"].split(b".")[1]
    listed = json.loads(base64.urlsafe_b64decode(payload + b"=="))
    digests = {name: hashlib.sha256(files[name]).hexdigest() for name in files if name != "manifest.jwt"}
    return files | {"manifest.jwt": key.token("evidence-manifest+jwt", listed | {"files": digests}).encode()}


async def test_a_call_a_case_and_a_person(case: Case, tmp_path: Path) -> None:
    search = await case.desk.post("/audit/search", {"id_number": XU.id_number, "reason": REASON})
    who = search.headers["Location"].rpartition("who=")[2]
    before = len(case.looks("export"))
    call = checked(written(tmp_path, await of_call(case)), case.world)
    of_case = checked(written(tmp_path, await taken(case, kind="case", requester="yz-hpf", case=CASE)), case.world)
    person = checked(written(tmp_path, await taken(case, kind="person", who=who)), case.world)
    assert (len(call.entries), call.notices, call.tokens, call.evidence, call.missing) == (8, 1, 1, 0, ())
    assert call.about["kind"] == "call"
    assert set(call.entries) < set(of_case.entries), "the refused call is the case's too"
    assert set(call.entries) <= set(person.entries)
    looks = case.looks("export")[before:]
    assert [(one["filters"]["kind"], one["reason"]) for one in looks] == [
        ("call", REASON),
        ("case", REASON),
        ("person", REASON),
    ]
    assert looks[2]["entries"] == len(person.entries)
    assert looks[0]["subject_ref"] == looks[2]["subject_ref"] == person.about["person"]


async def test_it_holds_the_exact_words_and_signatures(case: Case) -> None:
    files = unpacked(await of_call(case))
    [notice] = [text.decode() for name, text in files.items() if name.startswith("notices/")]
    [token] = [text.decode() for name, text in files.items() if name.startswith("consents/")]
    assert token == case.consent
    assert "核对的说法" in notice
    assert CLAIM not in notice
    for readme in ("README.zh-CN.txt", "README.en.txt"):
        assert "verify.py --package" in files[readme].decode()


async def test_any_changed_byte_is_found(case: Case, tmp_path: Path) -> None:
    octets = await of_call(case)
    checked(written(tmp_path, octets), case.world)
    chance = random.Random(13)
    places = {*range(0, len(octets), len(octets) // 60), *(chance.randrange(len(octets)) for _ in range(120))}
    for at in (*sorted(places), len(octets) - 1):
        changed = octets[:at] + bytes([octets[at] ^ 1 << chance.randrange(8)]) + octets[at + 1 :]
        assert refused(written(tmp_path, changed), case.world), at
    for changed in (octets[:-1], octets + b"\0", b"\0" + octets, b""):
        assert refused(written(tmp_path, changed), case.world) == "package"


async def test_any_changed_file_of_its_folder_is_found(case: Case, tmp_path: Path) -> None:
    files = unpacked(await of_call(case))
    checked(laid_out(tmp_path / "whole", files), case.world)
    for number, (name, octets) in enumerate(files.items()):
        middle = len(octets) // 2
        changed = octets[:middle] + bytes([octets[middle] ^ 1]) + octets[middle + 1 :]
        place = laid_out(tmp_path / f"changed-{number}", files | {name: changed})
        assert refused(place, case.world) in {"listed", "signer"}, name
        left_out = {other: held for other, held in files.items() if other != name}
        assert refused(laid_out(tmp_path / f"without-{number}", left_out), case.world), name
    more = laid_out(tmp_path / "more", files | {"entries/999999999.json": b"{}"})
    assert refused(more, case.world) == "listed"


def last_of(files: Files, kind: str) -> str:
    return next(name for name in files if name.startswith(kind))


Change = Callable[[Files], Files]
CHANGES: list[tuple[str, Change]] = [
    ("notice", lambda files: {last_of(files, "notices/"): "您同意一切。\n".encode()}),
    ("notice", lambda files: {"notices/ar_other.txt": files[last_of(files, "notices/")]}),
    ("token", lambda files: {last_of(files, "consents/"): files["manifest.jwt"]}),
    ("token", lambda files: {last_of(files, "keys/device-"): files["keys/issuer.jwk.json"]}),
    ("token", lambda files: {"consents/other.jwt": files[last_of(files, "consents/")]}),
    ("evidence", lambda _: {"evidence/other.json": b"{}"}),
    (
        "inclusion",
        lambda files: {last_of(files, "entries/"): files[last_of(files, "entries/")].replace(b":", b": ", 1)},
    ),
    ("package", lambda files: {"entries/000000000.json": files[last_of(files, "entries/")], **_first_proof(files)}),
    ("key", lambda _: {"keys/log.vkey": b"other\n"}),
    ("checkpoint", lambda _: {"checkpoint": b"other\n"}),
]


def _first_proof(files: Files) -> Files:
    return {"proofs/000000000.tlog-proof": files[last_of(files, "proofs/")]}


@pytest.mark.parametrize(("rule", "change"), CHANGES)
async def test_whoever_holds_the_brokers_key_cannot_make_up_what_is_in_it(
    case: Case, tmp_path: Path, rule: str, change: Change
) -> None:
    files = unpacked(await of_call(case))
    forged = signed_again(files | change(files), case.world.broker.keys.issuer)
    assert refused(laid_out(tmp_path, forged), case.world) == rule


async def test_another_signer_is_nobody(case: Case, tmp_path: Path) -> None:
    other, files = SigningKey.generate(), unpacked(await of_call(case))
    forged = signed_again(files | {"keys/issuer.jwk.json": json.dumps(dict(other.public.jwk)).encode()}, other)
    assert refused(laid_out(tmp_path / "one", forged), case.world) == "signer"
    assert refused(laid_out(tmp_path / "two", signed_again(files, other)), case.world) == "signer"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"kind": "call", "index": "0"}, 404),
        ({"kind": "call"}, 404),
        ({"kind": "case", "requester": "yz-hpf", "case": "nothing"}, 404),
        ({"kind": "case", "requester": "yz-hpf"}, 422),
        ({"kind": "person", "who": "somebody"}, 404),
        ({"kind": "all"}, 422),
        ({"kind": "case", "requester": "yz-hpf", "case": CASE, "reason": ""}, 422),
    ],
)
async def test_what_cannot_be_taken(case: Case, fields: dict[str, str], status: int) -> None:
    before = len(case.looks("export"))
    seen = await case.desk.post("/audit/packages", {"reason": REASON} | fields)
    assert seen.status == status
    assert len(case.looks("export")) == before


async def test_another_auditors_search_gives_no_package(case: Case) -> None:
    search = await case.desk.post("/audit/search", {"id_number": XU.id_number, "reason": REASON})
    other = await sit_down(case.world, "a-002")
    who = search.headers["Location"].rpartition("who=")[2]
    assert (await other.post("/audit/packages", {"kind": "person", "who": who, "reason": REASON})).status == 404


async def test_the_log_itself_entry_by_entry(case: Case) -> None:
    read: list[dict[str, Any]] = []
    cursor = ""
    for _ in range(50):
        page = await case.desk.json(f"/v1/log/entries?limit=20&after={cursor}")
        read += page["entries"]
        if len(page["entries"]) < 20:
            break
        cursor = page["cursor"]
    assert [one["index"] for one in read] == list(range(len(read)))
    assert json.loads(base64.b64decode(read[0]["entry"])) == case.world.entries()[0]
    assert case.looks("entries")[0]["filters"] == {"from": "0"}
    for query in (f"after={cursor[:-1]}", "after=AAAAAAAAAAA", "limit=0", "limit=501", "from=1", "after=%E7%94%B2"):
        assert (await case.desk.json(f"/v1/log/entries?{query}"))["code"] == "invalid_request", query


async def test_the_whole_log_as_one_file_verifies(case: Case, tmp_path: Path) -> None:
    async with case.desk.http.get(f"{case.world.issuer}/v1/log/export") as response:
        assert response.status == 200
        octets = await response.read()
    folder = laid_out(tmp_path / "log", unpacked(octets))
    report = verify.verify_export(folder, case.world.vkey)
    assert report.checkpoint.size >= case.index("exchange.refused")
    assert case.looks("export")[-1]["filters"] == {"kind": "log"}


@pytest.mark.parametrize("path", ["/v1/log/entries", "/v1/log/export"])
async def test_nobody_else_reads_the_log(case: Case, path: str) -> None:
    security = await sit_down(case.world, "s-001")
    assert (await security.json(path))["code"] == "forbidden"
    async with case.world.http.get(f"{case.world.issuer}{path}") as response:
        assert response.status == 401
