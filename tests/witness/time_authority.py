"""A real RFC 3161 authority: `openssl ts` behind a small HTTP server, with certificates made for the test."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CONFIGURATION = """\
[tsa]
default_tsa = authority
[authority]
serial = {folder}/serial
signer_cert = {folder}/signer.pem
signer_key = {folder}/signer.key
signer_digest = sha256
default_policy = 1.2.3.4
digests = {digests}
ess_cert_id_alg = sha256
{certs}
"""


@dataclass(frozen=True, slots=True)
class Authority:
    """A scratch authority's folder: `root.pem` is what its clients trust."""

    folder: Path

    @property
    def roots(self) -> Path:
        return self.folder / "root.pem"

    def stamp(self, query: bytes) -> bytes:
        (self.folder / "query").write_bytes(query)
        command = ["openssl", "ts", "-reply", "-config", str(self.folder / "ts.cnf"), "-section", "authority"]
        command += ["-queryfile", str(self.folder / "query"), "-out", str(self.folder / "reply")]
        subprocess.run(command, check=True, capture_output=True, timeout=20)
        return (self.folder / "reply").read_bytes()


def make_authority(
    folder: Path, *, digests: str = "sha256", embed_root: bool = False, ended: bool = False, root_name: str = "root"
) -> Authority:
    """Make a root and a signer. `embed_root` puts the root into each answer; `ended`: the signer's time is over."""
    if shutil.which("openssl") is None:
        pytest.skip("NOT TESTED AGAINST A REAL TIME-STAMP AUTHORITY: there is no openssl command")
    folder.mkdir()
    root_key, key = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    root = _certificate(root_name, root_key, root_name, root_key.public_key(), days=30)
    signer = _certificate("signer", root_key, root_name, key.public_key(), days=-1 if ended else 30)
    (folder / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
    (folder / "signer.pem").write_bytes(signer.public_bytes(Encoding.PEM))
    (folder / "signer.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "serial").write_text("01")
    certs = f"certs = {folder}/root.pem" if embed_root else ""
    (folder / "ts.cnf").write_text(CONFIGURATION.format(folder=folder, digests=digests, certs=certs))
    return Authority(folder)


@contextmanager
def answering(authority: Authority, port: int = 0) -> Iterator[str]:
    """The authority on a port; its address."""

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["content-length"]))
            known = self.headers["content-type"] == "application/timestamp-query"
            octets = authority.stamp(query) if known else b""
            self.send_response(200 if known else 415)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(octets)))
            self.end_headers()
            self.wfile.write(octets)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Answering)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def _certificate(
    name: str, issuer_key: EllipticCurvePrivateKey, issuer: str, public: object, *, days: int
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(issuer))
        .public_key(public)  # type: ignore[arg-type]
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=3))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=name == issuer, path_length=None), critical=True)
    )
    if name == issuer:
        # Longer than the signer's, so that openssl's order of the two is also the order that DER wants
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("x" * 60 + ".example")] * 3), False)
    else:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(issuer_key, SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
