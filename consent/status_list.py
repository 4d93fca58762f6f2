"""A Token Status List (draft-ietf-oauth-status-list, sections 4 and 7): small numbers, packed, compressed, base64url.

Pure: what the numbers mean and whose they are is said elsewhere.
"""

import zlib
from collections.abc import Mapping
from typing import Final

from consent.keys import strict_base64url, to_base64url

BITS: Final = frozenset({1, 2, 4, 8})
UNPACKED_LIMIT: Final = 16 * 1024 * 1024
"""Bytes; a small text can be written that unpacks to any size."""

VALID: Final = 0
INVALID: Final = 1
SUSPENDED: Final = 2


def pack(statuses: Mapping[int, int], *, size: int, bits: int) -> bytes:
    """Entries 0 to `size` - 1 with the lowest index in a byte's lowest bits; what is not named is VALID.

    ValueError for an index or a status that does not fit.
    """
    per_byte = _per_byte(bits)
    packed = bytearray(-(-size // per_byte))
    for index, status in statuses.items():
        if not (0 <= index < size and 0 <= status < 1 << bits):
            raise ValueError("no such entry or status in this list")
        packed[index // per_byte] |= status << index % per_byte * bits
    return bytes(packed)


def encode(packed: bytes) -> str:
    """The member `lst`: DEFLATE in the ZLIB format, at its highest level, base64url without padding."""
    return to_base64url(zlib.compress(packed, 9))


def decode(lst: str) -> bytes:
    """Undo `encode`. ValueError for what is none: not base64url, not one whole ZLIB stream, or larger than allowed."""
    stream = zlib.decompressobj()
    try:
        packed = stream.decompress(strict_base64url(lst), UNPACKED_LIMIT)
    except zlib.error:
        raise ValueError("not a ZLIB stream") from None
    if not stream.eof or stream.unused_data:
        raise ValueError("not one whole ZLIB stream, or larger than allowed")
    return packed


def status_at(packed: bytes, index: int, *, bits: int) -> int:
    """The status of one entry. ValueError beyond the list: then nothing may be assumed of the token."""
    per_byte = _per_byte(bits)
    if not 0 <= index < len(packed) * per_byte:
        raise ValueError("no such entry in this list")
    return packed[index // per_byte] >> index % per_byte * bits & (1 << bits) - 1


def _per_byte(bits: int) -> int:
    if bits not in BITS:
        raise ValueError("an entry has 1, 2, 4 or 8 bits")
    return 8 // bits
