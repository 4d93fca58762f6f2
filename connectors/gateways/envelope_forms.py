"""How a request's members are wrapped before they are sent, as it stands in the routes file."""

from typing import Annotated, Literal, TypeAlias

import msgspec

Member = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$")]


class Open(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="none"):
    """The members stand in the body as they are."""


class BizContent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="biz_content"):
    """A form with all parameters, and all of them again in one JSON string; signed over the sorted parameters."""

    app_id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    secret: str
    """The access key. The signature is hex(HMAC-SHA256(key, `a=1&b=2`)), the parameters sorted by name."""
    member: Member = "biz_content"


class RsaPara(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="rsa_para"):
    """`jgh` in clear and `para`, the JSON encrypted block by block with the peer's RSA key; the reply likewise."""

    centre: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    peer_key: str
    """Names the file of the peer's public key (PEM)."""
    own_key: str
    """Names the file of our private key (PEM, not encrypted)."""
    padding: Literal["pkcs1v15", "oaep_sha256"] = "pkcs1v15"
    centre_member: Member = "jgh"
    member: Member = "para"
    reply_at: str = "para"


class Sm2(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="sm2"):
    """`cryptoData` for the peer alone and `sign` by us, and the reply the same: whose signature is always verified."""

    group_id: Annotated[str, msgspec.Meta(min_length=1, max_length=60, pattern=r"^[\x21-\x7e]+$")]
    """Ours, sent as the header GROUP_ID and inside."""
    peer_group_id: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    """The only one whose replies are trusted."""
    peer_key: str
    """Names the file of the peer's SM2 public key: 128 hex digits, or 130 with 04 before them."""
    own_key: str
    """Names the file of our SM2 key pair: the private key in 64 hex digits, space, the public one as above."""
    oldest_seconds: Annotated[int, msgspec.Meta(ge=1, le=300)] = 300


EnvelopeForm: TypeAlias = Open | BizContent | RsaPara | Sm2
