"""Time stamps over checkpoints: an outside clock's word that a tree existed by then (RFC 3161).

rfc3161-client does the work. Its floor is a security floor: before 1.0.9 it trusted certificates found in the response
itself. It refuses responses whose embedded certificates are not in DER order, so let the authority embed its own
certificate alone.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.x509 import BasicConstraints, Certificate, ExtensionNotFound, load_pem_x509_certificates

from audit.errors import TimestampRefused

try:
    import rfc3161_client
    from rfc3161_client.tsp import TimeStampRequest
except ModuleNotFoundError:  # an installation without the extra `timestamps`
    rfc3161_client = None  # type: ignore[assignment]

REQUEST_TYPE = "application/timestamp-query"
RESPONSE_TYPE = "application/timestamp-reply"
RESPONSE_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Timestamp:
    """Verified: the authority saw these bytes at `time`, in microseconds since 1970. `serial` is its number, in hex."""

    time: int
    serial: str
    response: bytes


class Request:
    """One question to an authority; the answer must name its nonce and its message."""

    def __init__(self, message: bytes) -> None:
        builder = rfc3161_client.TimestampRequestBuilder().data(message)
        self.message = message
        self._request: TimeStampRequest = builder.hash_algorithm(rfc3161_client.HashAlgorithm.SHA256).build()

    @property
    def octets(self) -> bytes:
        return self._request.as_bytes()

    def verify(self, response: bytes, roots: "Roots") -> Timestamp:
        """The answer to this very question. Raises TimestampRefused."""
        return roots.verify(response, self.message, nonce=self._request.nonce)


class Roots:
    """The authorities that are trusted: their roots, and the certificates between those and whoever signs."""

    def __init__(self, roots: Sequence[Certificate], between: Sequence[Certificate]) -> None:
        self._roots, self._between = list(roots), list(between)

    @classmethod
    def read(cls, pem: bytes) -> "Roots":
        """Read a PEM file of certificates. Raises TimestampRefused unless all are authorities', one its own issuer."""
        if rfc3161_client is None:
            raise TimestampRefused("install consent-broker[timestamps] to use time stamps")
        try:
            certificates = load_pem_x509_certificates(pem)
        except ValueError as error:
            raise TimestampRefused("not a PEM file of certificates") from error
        if not all(map(_is_authority, certificates)):
            raise TimestampRefused("a certificate is not an authority's: roots and those below them belong here")
        roots = [one for one in certificates if one.issuer == one.subject]
        if not roots:
            raise TimestampRefused("there is no root among the certificates")
        return cls(roots, [one for one in certificates if one.issuer != one.subject])

    def verify(self, response: bytes, message: bytes, *, nonce: int | None = None) -> Timestamp:
        """Verify a response over these bytes, with certificates valid when it was made. Raises TimestampRefused."""
        try:
            decoded = rfc3161_client.decode_timestamp_response(response)
            verifier = rfc3161_client.VerifierBuilder(
                roots=list(self._roots), intermediates=list(self._between), nonce=nonce
            ).build()
            verifier.verify_message(decoded, message)
            info = decoded.tst_info
            return Timestamp(_microseconds(info.gen_time), f"{info.serial_number:x}", response)
        except (rfc3161_client.VerificationError, ValueError) as error:
            raise TimestampRefused(str(error).partition("\n")[0][:200]) from error


def _is_authority(certificate: Certificate) -> bool:
    with contextlib.suppress(ExtensionNotFound):
        return certificate.extensions.get_extension_for_class(BasicConstraints).value.ca
    return False


def _microseconds(moment: datetime) -> int:
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond
