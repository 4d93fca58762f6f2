"""Signing in at the configured identity provider: OpenID Connect's code flow with PKCE, spoken over aiohttp.

1 discovery  the provider's own document; its issuer must be the configured one
2 authorize  the browser is sent there with `state`, `nonce` and a PKCE challenge (S256)
3 return     `iss` (RFC 9207) is checked before the code is used
4 token      the code is redeemed with the verifier, once
5 ID token   verified (broker/id_token.py); claims that it lacks are read from userinfo, of the same `sub`
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import msgspec
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from broker.filing import FiledPerson, read_person
from broker.id_token import Expected, VerifiedIdToken, failed, verify_id_token
from broker.login import Assurance
from broker.openid_documents import Documents, ProviderMetadata, read_json
from broker.openid_settings import OpenidSettings
from broker.posting import get, open_session, post
from policies.refusals import Code, Refused
from policies.vocabulary import Person

FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One sign-in's own parameters."""

    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    max_age: int
    """Seconds; 0 has the person prove herself anew."""
    level: Assurance | None = None
    """The least `acr` wanted."""
    lang: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What the browser brought back with a `code`, and what the sign-in expects of the token."""

    code: str = field(repr=False)
    iss: str | None
    verifier: str = field(repr=False)
    nonce: str = field(repr=False)
    authenticated_after: int


@dataclass(frozen=True, slots=True)
class Proven:
    """Whom the provider vouches for, how surely, and when she proved herself (seconds since 1970)."""

    person: Person = field(repr=False)
    assurance: Assurance
    at: int


class OpenidProvider:
    """The configured provider. Lives on the server's event loop; whoever made it closes it."""

    def __init__(self, settings: OpenidSettings, redirect_uri: str, now: Callable[[], float]) -> None:
        self.settings = settings
        self._redirect_uri = redirect_uri
        self._now = now
        self._session: aiohttp.ClientSession | None = None
        self._documents = Documents(settings.issuer, now)

    async def address(self, asking: Asking) -> str:
        """Where to send the browser. Raises Refused(identity_provider_unavailable)."""
        metadata = await self._documents.metadata(self._pool())
        anew = asking.max_age == 0
        address: str = prepare_grant_uri(
            metadata.authorization_endpoint,
            self.settings.client_id,
            "code",
            redirect_uri=self._redirect_uri,
            scope=self.settings.scope,
            state=asking.state,
            nonce=asking.nonce,
            code_challenge=create_s256_code_challenge(asking.verifier),
            code_challenge_method="S256",
            max_age=str(asking.max_age),
            prompt="login" if anew else None,
            acr_values=(self.settings.values_for(asking.level) or None) if asking.level is not None else None,
            ui_locales=asking.lang,
        )
        return address

    async def check_issuer(self, iss: str | None) -> None:
        """Whose answer this is, before anything of it is believed (RFC 9207). Raises Refused(sign_in_failed)."""
        metadata = await self._documents.metadata(self._pool())
        absent = iss is None and not metadata.authorization_response_iss_parameter_supported
        if not absent and iss != self.settings.issuer:
            raise failed("iss")

    async def identify(self, returned: Returned) -> Proven:
        """Steps 3 to 5. Raises Refused(sign_in_failed | identity_incomplete | identity_provider_unavailable)."""
        await self.check_issuer(returned.iss)
        metadata = await self._documents.metadata(self._pool())
        tokens = await self._redeem(metadata, returned)
        access_token = tokens.get("access_token")
        expected = Expected(
            issuer=self.settings.issuer,
            client_id=self.settings.client_id,
            nonce=returned.nonce,
            authenticated_after=returned.authenticated_after,
            access_token=access_token if isinstance(access_token, str) else None,
        )
        verified = await self._verify(tokens.get("id_token"), expected)
        claims = await self._claims(metadata, verified, expected.access_token)
        return Proven(self._person(claims), self.settings.level_of(verified.claims.get("acr")), verified.auth_time)

    async def aclose(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _redeem(self, metadata: ProviderMetadata, returned: Returned) -> Mapping[str, Any]:
        body = prepare_token_request(
            "authorization_code",
            redirect_uri=self._redirect_uri,
            code=returned.code,
            code_verifier=returned.verifier,
        )
        client = ClientAuth(self.settings.client_id, self.settings.client_secret, metadata.client_authentication)
        address, headers, body = client.prepare("POST", metadata.token_endpoint, {}, body)
        try:
            status, raw = await post(self._pool(), address, body.encode(), FORM, headers)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Refused(Code.PROVIDER_UNAVAILABLE) from error
        if status >= 500:  # noqa: PLR2004 - HTTP's own number
            raise Refused(Code.PROVIDER_UNAVAILABLE)
        if status != 200:  # noqa: PLR2004 - HTTP's own number
            raise failed("code")
        return read_json(raw, "token")

    async def _verify(self, id_token: object, expected: Expected) -> VerifiedIdToken:
        if not isinstance(id_token, str):
            raise failed("id_token")
        keys = await self._documents.keys(self._pool(), id_token)
        return verify_id_token(id_token, keys, expected, self._now())

    async def _claims(
        self, metadata: ProviderMetadata, verified: VerifiedIdToken, access_token: str | None
    ) -> Mapping[str, Any]:
        """Name and number, from the token itself or else from userinfo (Core, section 5.3.2: only of the same sub)."""
        wanted = (self.settings.name_claim, self.settings.id_number_claim)
        if all(claim in verified.claims for claim in wanted) or not metadata.userinfo_endpoint or not access_token:
            return verified.claims
        try:
            headers = {"Authorization": f"Bearer {access_token}"}
            status, raw = await get(self._pool(), metadata.userinfo_endpoint, headers)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Refused(Code.PROVIDER_UNAVAILABLE) from error
        if status != 200:  # noqa: PLR2004 - HTTP's own number
            raise failed("userinfo")
        told = read_json(raw, "userinfo")
        if told.get("sub") != verified.sub:
            raise failed("userinfo")
        return {**verified.claims, **told}

    def _person(self, claims: Mapping[str, Any]) -> Person:
        wanted = (self.settings.name_claim, self.settings.id_number_claim)
        try:
            name, id_number = msgspec.convert([claims.get(claim) for claim in wanted], tuple[str, str])
            return read_person(FiledPerson(name, id_number))
        except msgspec.ValidationError as error:
            raise Refused(Code.IDENTITY_INCOMPLETE) from error
        except Refused as error:
            raise Refused(Code.IDENTITY_INCOMPLETE, member=error.refusal.member) from error

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = open_session()
        return self._session
