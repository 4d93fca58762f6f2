"""What an identity provider publishes of itself: its metadata and its keys, fetched when needed, kept for a while."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import aiohttp
import msgspec
from authlib.oidc.discovery import get_well_known_url
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, import_key

from broker.id_token import failed
from broker.openid_settings import is_safe_address
from broker.posting import get
from consent.keys import strict_base64url
from policies.refusals import Code, Refused

KEPT: Final = 15 * 60
"""Seconds. A withdrawn key is believed no longer than this."""
AGAIN_AFTER: Final = 10
"""Seconds before an unknown key has the keys fetched once more."""


class ProviderMetadata(msgspec.Struct, frozen=True):
    """The members that we use (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False

    @property
    def client_authentication(self) -> str:
        basic = "client_secret_basic" in self.token_endpoint_auth_methods_supported
        return "client_secret_basic" if basic else "client_secret_post"

    @property
    def addresses(self) -> tuple[str, ...]:
        always = (self.authorization_endpoint, self.token_endpoint, self.jwks_uri)
        return (*always, self.userinfo_endpoint) if self.userinfo_endpoint else always


class Documents:
    """One provider's, with the time at which each was fetched."""

    def __init__(self, issuer: str, now: Callable[[], float]) -> None:
        self._issuer = issuer
        self._now = now
        self._metadata: tuple[float, ProviderMetadata] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def metadata(self, session: aiohttp.ClientSession) -> ProviderMetadata:
        """Raises Refused(identity_provider_unavailable) where it cannot be had or is not that issuer's."""
        if self._metadata is None or self._now() - self._metadata[0] > KEPT:
            found = await self._fetch(session, get_well_known_url(self._issuer, external=True))
            self._metadata = (self._now(), self._read(found))
        return self._metadata[1]

    async def keys(self, session: aiohttp.ClientSession, token: str) -> KeySet:
        """The provider's keys, fetched anew where this (still unverified) token names one that is not known yet."""
        if self._keys is None or self._outdated(*self._keys, unverified_kid(token)):
            metadata = await self.metadata(session)
            self._keys = (self._now(), _read_keys(await self._fetch(session, metadata.jwks_uri)))
        return self._keys[1]

    def _outdated(self, since: float, keys: KeySet, kid: str | None) -> bool:
        unknown = kid is not None and kid not in {key.kid for key in keys.keys}
        return self._now() - since > (AGAIN_AFTER if unknown else KEPT)

    async def _fetch(self, session: aiohttp.ClientSession, address: str) -> Mapping[str, Any]:
        try:
            status, raw = await get(session, address)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Refused(Code.PROVIDER_UNAVAILABLE) from error
        if status != 200:  # noqa: PLR2004 - HTTP's own number
            raise Refused(Code.PROVIDER_UNAVAILABLE)
        try:
            return read_json(raw, "document")
        except Refused as error:
            raise Refused(Code.PROVIDER_UNAVAILABLE) from error

    def _read(self, document: Mapping[str, Any]) -> ProviderMetadata:
        try:
            metadata = msgspec.convert(document, ProviderMetadata)
        except msgspec.ValidationError as error:
            raise Refused(Code.PROVIDER_UNAVAILABLE, member="metadata") from error
        # The document must be that of the issuer we asked, or another could speak for it (Discovery, section 4.3)
        if metadata.issuer != self._issuer or not all(map(is_safe_address, metadata.addresses)):
            raise Refused(Code.PROVIDER_UNAVAILABLE, member="metadata")
        return metadata


def read_json(raw: bytes, what: str) -> Mapping[str, Any]:
    """A JSON object. Raises Refused(sign_in_failed)."""
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise failed(what) from error


def unverified_kid(token: str) -> str | None:
    """The key that a token's header names, if it has one."""
    try:
        kid = msgspec.json.decode(strict_base64url(token.partition(".")[0]), type=dict[str, Any]).get("kid")
    except ValueError:
        return None
    return kid if isinstance(kid, str) else None


def _read_keys(document: Mapping[str, Any]) -> KeySet:
    """The keys that we can use; a provider may well publish others beside them."""
    keys = []
    for one in document.get("keys", []) if isinstance(document.get("keys"), list) else []:
        try:
            if one.get("use", "sig") == "sig" and one.get("kty") != "oct":
                keys.append(import_key(one))
        except (JoseError, ValueError, TypeError, AttributeError):
            continue
    return KeySet(keys)
