"""A test authority and what it signed: a good certificate for loopback, an expired one, and one for another host."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

LOOPBACK = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))


def write_certificates(folder: Path) -> str:
    """Write `good.pem`, `expired.pem` and `wrong_certificate.pem`; return the authority's own certificate (PEM)."""
    folder.mkdir(parents=True, exist_ok=True)
    key = generate_private_key(SECP256R1())
    authority = named("test authority")
    now = datetime.now(UTC)
    own = signed(authority, key, authority, key, (now - timedelta(days=1), now + timedelta(days=1)), None)
    for name, host, days in (
        ("good", LOOPBACK, (-1, 1)),
        ("expired", LOOPBACK, (-30, -1)),
        ("wrong_certificate", x509.DNSName("elsewhere.example"), (-1, 1)),
    ):
        leaf = generate_private_key(SECP256R1())
        begins, ends = (now + timedelta(days=number) for number in days)
        certificate = signed(named(name), leaf, authority, key, (begins, ends), host)
        private = leaf.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{name}.pem").write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return own.public_bytes(Encoding.PEM).decode()


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def signed(
    subject: x509.Name,
    key: EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: EllipticCurvePrivateKey,
    times: tuple[datetime, datetime],
    host: x509.GeneralName | None,
) -> x509.Certificate:
    """A certificate for a host; an authority's where there is none."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(times[0])
        .not_valid_after(times[1])
        .add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if host is None:
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        builder = builder.add_extension(usage, critical=True)
    else:
        builder = builder.add_extension(x509.SubjectAlternativeName([host]), critical=False)
    return builder.sign(issuer_key, SHA256())
