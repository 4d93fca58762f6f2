"""Time stamps: others' responses, a real authority's, and a broker that has its log stamped."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificates

from audit import tiles
from audit.errors import TimestampRefused
from audit.seals import TIMESTAMP, Seal, keep, newest_time
from audit.timestamps import Request, Roots
from audit.verify import VerificationError, verify_export
from broker import timestamping
from broker.sealing import TimestampSettings
from broker.standing import unstamped
from connectors.departments.fleet import Fleet
from tests.ports import free_port
from tests.vectors_folder import vectors
from tests.witness.test_broker_witnessed import alarms_logged, grow, metric, until
from tests.witness.time_authority import Authority, answering, make_authority
from tests.world import World, open_world

KNOWN_DIFFERENCES = {
    "sigstage/response-no-embedded-cert.tsr": "needs the signer's certificate from elsewhere; we ask for it with each "
    "request and take no answer without it",
    "sigstore.mock/response-expired.tsr": "likewise without its signer's certificate",
    "test_tsa/response-injected-certs.tsr": "the signature is that of the true authority over the true message: the "
    "case is about pinning a signer's name, and we pin roots",
}
"""Fixtures of rfc3161-client whose outcome here is not the one its own tests state, with the reason."""
MESSAGE = b"a checkpoint\n"


def fixture_roots(folder: str) -> Roots:
    octets = vectors("audit", "rfc3161", "fixtures", folder, "ts_chain.pem").read_bytes()
    chain = load_pem_x509_certificates(octets) if octets.startswith(b"-----") else [load_der_x509_certificate(octets)]
    signers = chain[:1] if len(chain) > 1 else []  # ours names authorities only
    return Roots.read(b"".join(one.public_bytes(Encoding.PEM) for one in chain if one not in signers))


THEIRS = [
    ("identrust/issue-104.tsr", b"hello", True),
    ("sigstage/response-sha256.tsr", b"hello", True),
    ("sigstage/response-sha384.tsr", b"hello", True),
    ("sigstage/response-sha512.tsr", b"hello", True),
    ("sigstage/response-invalid-signature.tsr", b"hello", False),
    ("sigstage/response-no-embedded-cert.tsr", b"hello", True),
    ("sigstore.mock/response-expired.tsr", b"payload", True),
    ("test_tsa/response.tsr", b"hello", True),
    ("test_tsa/response-injected-certs.tsr", b"hello", False),
    ("test_tsa/other_response.tsr", b"hello", False),
]
"""What their own tests say of each response."""


@pytest.mark.parametrize(("file", "message", "theirs"), THEIRS)
def test_others_responses(file: str, message: bytes, *, theirs: bool) -> None:
    response = vectors("audit", "rfc3161", "fixtures", *file.split("/")).read_bytes()
    if message == b"payload":
        message = vectors("audit", "rfc3161", "fixtures", "sigstore.mock", "payload").read_bytes()
    roots = fixture_roots(file.split("/", maxsplit=1)[0])
    if theirs != (file in KNOWN_DIFFERENCES):
        assert roots.verify(response, message).time > 1_600_000_000_000_000
        with pytest.raises(TimestampRefused):
            roots.verify(response, message + b"!")
    else:
        with pytest.raises(TimestampRefused):
            roots.verify(response, message)


def test_no_fixture_is_left_out() -> None:
    folder = vectors("audit", "rfc3161", "fixtures")
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*.tsr")}
    assert there == {file for file, _, _ in THEIRS}
    assert there > KNOWN_DIFFERENCES.keys()


def test_a_responses_authority_must_be_the_one_that_is_trusted() -> None:
    response = vectors("audit", "rfc3161", "fixtures", "sigstage", "response-sha256.tsr").read_bytes()
    for folder in ("identrust", "test_tsa", "sigstore.mock"):
        with pytest.raises(TimestampRefused):
            fixture_roots(folder).verify(response, b"hello")


def test_a_list_of_roots_with_a_signer_or_nothing_is_refused() -> None:
    chain = vectors("audit", "rfc3161", "fixtures", "test_tsa", "ts_chain.pem").read_bytes()
    between = load_pem_x509_certificates(chain)[1].public_bytes(Encoding.PEM)
    for wrong in (chain, between, b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        with pytest.raises(TimestampRefused):
            Roots.read(wrong)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority") / "good")


def test_a_real_authoritys_answer(authority: Authority) -> None:
    request = Request(MESSAGE)
    roots = Roots.read(authority.roots.read_bytes())
    response = authority.stamp(request.octets)
    stamp = request.verify(response, roots)
    assert abs(stamp.time / 1_000_000 - time.time()) < 30
    assert stamp.response == response
    for other in (Request(MESSAGE), Request(b"another")):  # another nonce, another message
        with pytest.raises(TimestampRefused):
            other.verify(response, roots)
    with pytest.raises(TimestampRefused):
        roots.verify(response, b"another")


def test_no_changed_byte_of_an_answer_says_another_time(authority: Authority) -> None:
    request = Request(MESSAGE)
    roots = Roots.read(authority.roots.read_bytes())
    response = authority.stamp(request.octets)
    said = request.verify(response, roots).time
    for at in range(0, len(response), 3):
        changed = bytearray(response)
        changed[at] ^= 0x01
        try:
            assert request.verify(bytes(changed), roots).time == said  # unsigned wrapping; what is signed is the same
        except TimestampRefused:
            continue
    for wrong in (b"", response[:-1], response + b"x", b"\x30\x00"):
        with pytest.raises(TimestampRefused):
            request.verify(wrong, roots)


@pytest.mark.parametrize(
    "options",
    [{}, {"embed_root": True}, {"embed_root": True, "root_name": "root "}],
    ids=["a stranger", "a stranger who brings a root along", "one of nearly the same name"],
)
def test_an_authority_that_nobody_trusts(tmp_path: Path, authority: Authority, options: dict[str, bool]) -> None:
    stranger = make_authority(tmp_path / "stranger", **options)  # type: ignore[arg-type]
    request = Request(MESSAGE)
    response = stranger.stamp(request.octets)
    request.verify(response, Roots.read(stranger.roots.read_bytes()))
    with pytest.raises(TimestampRefused):
        request.verify(response, Roots.read(authority.roots.read_bytes()))


def test_an_authority_that_refuses_or_whose_time_is_over(tmp_path: Path) -> None:
    for number, options in enumerate(({"digests": "sha512"}, {"ended": True})):
        poor = make_authority(tmp_path / str(number), **options)  # type: ignore[arg-type]
        request = Request(MESSAGE)
        with pytest.raises(TimestampRefused):
            request.verify(poor.stamp(request.octets), Roots.read(poor.roots.read_bytes()))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timestamping, "LOOK_EVERY", 0.1)
    monkeypatch.setattr(timestamping, "AGAIN_AFTER", 0.5)


@asynccontextmanager
async def stamped_world(
    folder: Path, fleet: Fleet, authority: Authority, *, port: int, stop_after: int
) -> AsyncIterator[World]:
    roots = Roots.read(authority.roots.read_bytes())
    settings = TimestampSettings(f"http://127.0.0.1:{port}/", roots, every=60, stop_after=stop_after)
    async with open_world(folder, fleet, change=lambda given: replace(given, timestamps=settings)) as world:
        yield world


async def readyz(world: World) -> tuple[int, str, str]:
    async with world.http.get(f"{world.issuer}/readyz") as reply:
        members = await reply.json()
        return reply.status, members["checks"]["releases"], members["alarms"]["timestamps"]


@pytest.mark.usefixtures("impatient")
async def test_releases_stop_without_a_fresh_time_stamp(tmp_path: Path, fleet: Fleet, authority: Authority) -> None:
    port = free_port()
    async with stamped_world(tmp_path, fleet, authority, port=port, stop_after=3600) as world:

        async def ready() -> bool:
            return (await readyz(world))[0] == 200

        async def away() -> bool:
            return (await readyz(world))[2].startswith("not reached")

        centre, phone = await world.centre(), await world.phone()
        consent = await world.grant(centre, phone)
        await until(away)
        assert (await readyz(world))[:2] == (503, "stopped: the log has no fresh time stamp")
        refused = await world.pull(centre, consent)
        assert (refused.status, refused.members["code"]) == (503, "releases_stopped")
        with answering(authority, port):
            await until(ready)
            assert (await readyz(world))[1:] == ("ok", "ok")
            assert (await world.pull(centre, consent)).status == 200
            assert await metric(world, "broker_timestamp_age_seconds") < 60
            check_export(world, tmp_path / "export", authority)
        world.clock.advance(3700)
        refused = await world.pull(centre, consent)
        assert (refused.status, refused.members["code"]) == (503, "releases_stopped")
        await until(away)
        assert [state for _, state in alarms_logged(world, "time stamps")][:2] == [
            "not reached: ClientConnectorError",
            "ok",
        ]
        assert all(entry["event"] != "exchange.withheld" for entry in world.entries())


def check_export(world: World, folder: Path, authority: Authority) -> None:
    """What the auditor does: the tokens with openssl alone, the checkpoints that they are over with verify.py."""
    with world.broker.database.reader.begin() as connection:
        tiles.export(connection, folder, world.vkey)
    sizes = verify_export(folder, world.vkey).time_stamps
    assert sizes
    for size in sizes:
        files = ["-data", f"{size}.checkpoint", "-in", f"{size}.tsr", "-CAfile", str(authority.roots)]
        command = ["openssl", "ts", "-verify", *files]
        done = subprocess.run(command, cwd=folder / "timestamps", capture_output=True, text=True, check=False)
        assert (done.returncode, "Verification: OK" in done.stdout) == (0, True), done.stderr
    moved = folder / "timestamps" / f"{sizes[0]}.checkpoint"
    honest = moved.read_bytes()
    moved.write_bytes(world.broker.keys.log.sign(sizes[0], bytes(32)))  # another history, signed with the real key
    with pytest.raises(VerificationError, match="seals"):
        verify_export(folder, world.vkey)
    moved.write_bytes(honest)
    verify_export(folder, world.vkey)


@pytest.mark.usefixtures("impatient")
async def test_never_stopping_is_the_default_and_a_log_at_rest_is_not_stamped_again(
    tmp_path: Path, fleet: Fleet, authority: Authority
) -> None:
    port = free_port()
    async with stamped_world(tmp_path, fleet, authority, port=port, stop_after=0) as world:
        assert (await readyz(world))[:2] == (200, "ok")

        async def stamps() -> int:
            with world.broker.database.reader.begin() as connection:
                return newest_time(connection, TIMESTAMP) or 0

        with answering(authority, port):
            first = await until(stamps)
            world.clock.advance(120)
            await asyncio.sleep(0.5)
            assert await stamps() == first
            before = len(world.entries())
            await asyncio.sleep(1)  # openssl's times have whole seconds
            await grow(world)

            async def newer() -> bool:
                return bool(await stamps() > first)

            await until(newer)
            assert len(world.entries()) == before + 1
        world.clock.advance(100_000)
        assert (await readyz(world))[:2] == (200, "ok")


async def test_a_time_stamp_is_fresh_to_the_second(tmp_path: Path, fleet: Fleet) -> None:
    async with open_world(tmp_path, fleet) as world:
        seal = Seal(1, TIMESTAMP, "tsa/1", b"", 1_000_000_000_000)
        await world.broker.storage.record(lambda transaction: keep(transaction.connection, seal))
        with world.broker.database.reader.begin() as connection:
            for now, stop_after, stopped in ((1_003_600, 3600, False), (1_003_601, 3600, True), (2_000_000, 0, False)):
                assert (unstamped(connection, now, stop_after) is not None) == stopped
