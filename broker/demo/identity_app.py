"""A TEST identity provider that speaks real OpenID Connect and believes everybody. It can be told to misbehave.

Discovery, keys, authorize (a form), token (PKCE verified, a code works once) and userinfo are as the standard has them;
who somebody is, is what she types. Whoever can reach it can be anybody: loopback only, never in production.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from broker.demo.identity_pages import form_page, stopped_page
from broker.loopback import is_loopback
from connectors.departments.people import RESIDENTS

ACR: Final = {level: f"urn:test:{level}" for level in ("low", "substantial", "high")}
_LIFE: Final = 300
_NO_STORE: Final = {"Cache-Control": "no-store"}


class Misbehaviour(StrEnum):
    """How an answer can be wrong; each is one that a relying party must refuse or bear."""

    NONE = "none"
    WRONG_NONCE = "wrong_nonce"
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_KEY = "unknown_key"
    ALG_NONE = "alg_none"
    SHARED_SECRET = "shared_secret"  # noqa: S105 - the name of a fault: HS256 under the client's own secret
    WRONG_ISS = "wrong_iss"
    WRONG_RESPONSE_ISS = "wrong_response_iss"
    NO_RESPONSE_ISS = "no_response_iss"
    WRONG_AUD = "wrong_aud"
    EXPIRED = "expired"
    CODE_SPENT = "code_spent"
    TOKEN_DOWN = "token_down"  # noqa: S105 - the name of a fault
    OLD_AUTH_TIME = "old_auth_time"
    NO_AUTH_TIME = "no_auth_time"
    NO_ACR = "no_acr"
    UNKNOWN_ACR = "unknown_acr"
    NO_NAME = "no_name"
    BAD_ID_NUMBER = "bad_id_number"
    USERINFO_ONLY = "userinfo_only"
    OTHER_SUB = "other_sub"
    NOT_JSON = "not_json"


@dataclass(frozen=True, slots=True)
class Client:
    """The one relying party."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code stands for."""

    asked: Mapping[str, str]
    who: Mapping[str, str] = field(repr=False)
    auth_time: int


class BelievingProvider:
    """Its whole state, in memory: it ends with the process."""

    def __init__(self, issuer: str, client: Client) -> None:
        self.issuer, self.client = issuer, client
        self.misbehaviour = Misbehaviour.NONE
        self._key, self._other_key = _new_key(), _new_key()
        self._pending: dict[str, Mapping[str, str]] = {}
        self._grants: dict[str, Grant] = {}
        self._tokens: dict[str, Mapping[str, Any]] = {}
        self.app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._metadata),
                Route("/jwks", self._jwks),
                Route("/authorize", self._show_form, methods=["GET"]),
                Route("/authorize", self._take_form, methods=["POST"]),
                Route("/token", self._token, methods=["POST"]),
                Route("/userinfo", self._userinfo),
                Route("/misbehave", self._misbehave, methods=["POST"]),
            ]
        )

    async def _metadata(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "jwks_uri": f"{self.issuer}/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                "code_challenge_methods_supported": ["S256"],
                "acr_values_supported": list(ACR.values()),
                "authorization_response_iss_parameter_supported": True,
            }
        )

    async def _jwks(self, _: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})

    async def _show_form(self, request: Request) -> Response:
        asked = dict(request.query_params)
        if wrong := self._wrong_with(asked):
            return stopped_page(wrong)
        pending = secrets.token_urlsafe(16)
        self._pending[pending] = asked
        return form_page(pending, _level_wanted(asked), [one.person for one in RESIDENTS])

    def _wrong_with(self, asked: Mapping[str, str]) -> str:
        """What no redirect may follow on (RFC 6749, section 4.1.2.1), and what a test must not pass without."""
        where = urlsplit(asked.get("redirect_uri", ""))
        if asked.get("client_id") != self.client.id or not is_loopback(where.hostname or ""):
            return "unknown client, or a return address off this machine"
        if asked.get("response_type") != "code" or "openid" not in asked.get("scope", "").split():
            return "not an OpenID Connect code request"
        if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
            return "no PKCE challenge (S256)"
        return "" if asked.get("state") and asked.get("nonce") else "no state or nonce"

    async def _take_form(self, request: Request) -> Response:
        fields = await _fields(request)
        asked = self._pending.pop(fields.get("pending", ""), None)
        if asked is None:
            return stopped_page("this form was used before")
        if "deny" in fields:
            return self._back(asked, {"error": "access_denied"})
        who = fields
        if (picked := fields.get("pick", "")).isdecimal():
            person = RESIDENTS[int(picked)].person
            who = fields | {"name": person.name, "id_number": person.id_number}
        code = secrets.token_urlsafe(24)
        self._grants[code] = Grant(asked, who, int(time.time()))
        return self._back(asked, {"code": code})

    def _back(self, asked: Mapping[str, str], answer: Mapping[str, str]) -> Response:
        members = {**answer, "state": asked["state"], "iss": self.issuer}
        if self.misbehaviour is Misbehaviour.WRONG_RESPONSE_ISS:
            members["iss"] = "https://another.example"
        if self.misbehaviour is Misbehaviour.NO_RESPONSE_ISS:
            del members["iss"]
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(members)}", 303, _NO_STORE)

    async def _token(self, request: Request) -> Response:
        fields = await _fields(request)
        if self.misbehaviour is Misbehaviour.TOKEN_DOWN:
            return Response("down", 503)
        if self.misbehaviour is Misbehaviour.NOT_JSON:
            return Response("<html>")
        if not self._is_client(request.headers.get("authorization", "")):
            return JSONResponse({"error": "invalid_client"}, 401)
        grant = self._grants.pop(fields.get("code", ""), None)  # used once, whatever comes of it
        spent = self.misbehaviour is Misbehaviour.CODE_SPENT
        if grant is None or spent or not _proves(grant, fields):
            return JSONResponse({"error": "invalid_grant"}, 400)
        access_token = secrets.token_urlsafe(24)
        claims = self._claims(grant)
        self._tokens[access_token] = self._told(claims)
        members = {"access_token": access_token, "token_type": "Bearer", "expires_in": _LIFE}
        return JSONResponse(members | {"id_token": self._sign(claims)}, headers=_NO_STORE)

    def _is_client(self, authorization: str) -> bool:
        expected = base64.b64encode(f"{self.client.id}:{self.client.secret}".encode()).decode()
        return hmac.compare_digest(authorization.encode(), f"Basic {expected}".encode())

    def _claims(self, grant: Grant) -> dict[str, Any]:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": hmac.digest(self.client.secret.encode(), grant.who["id_number"].encode(), "sha256").hex(),
            "aud": self.client.id,
            "iat": now,
            "exp": now + _LIFE,
            "auth_time": grant.auth_time,
            "nonce": grant.asked["nonce"],
            "acr": ACR.get(grant.who.get("level", ""), ACR["low"]),
            "name": grant.who["name"],
            "id_number": grant.who["id_number"],
        }
        return bend(claims, self.misbehaviour)

    def _told(self, claims: Mapping[str, Any]) -> Mapping[str, Any]:
        sub = "somebody-else" if self.misbehaviour is Misbehaviour.OTHER_SUB else claims["sub"]
        return {name: claims[name] for name in ("name", "id_number") if name in claims} | {"sub": sub}

    def _sign(self, claims: Mapping[str, Any]) -> str:
        said = dict(claims)
        if self.misbehaviour in (Misbehaviour.USERINFO_ONLY, Misbehaviour.OTHER_SUB):
            del said["name"], said["id_number"]
        if self.misbehaviour is Misbehaviour.ALG_NONE:
            return unsigned(said)
        if self.misbehaviour is Misbehaviour.SHARED_SECRET:
            return jwt.encode({"alg": "HS256"}, said, OctKey.import_key(self.client.secret), ["HS256"])
        forged = self.misbehaviour in (Misbehaviour.BAD_SIGNATURE, Misbehaviour.UNKNOWN_KEY)
        kid = self._other_key.kid if self.misbehaviour is Misbehaviour.UNKNOWN_KEY else self._key.kid
        return jwt.encode({"alg": "ES256", "kid": kid}, said, self._other_key if forged else self._key)

    async def _userinfo(self, request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self._tokens:
            return JSONResponse({"error": "invalid_token"}, 401)
        return JSONResponse(self._tokens[token], headers=_NO_STORE)

    async def _misbehave(self, request: Request) -> Response:
        self.misbehaviour = Misbehaviour((await request.body()).decode())
        return JSONResponse({"misbehaviour": self.misbehaviour})


def bend(claims: dict[str, Any], misbehaviour: Misbehaviour) -> dict[str, Any]:
    """The claims as this misbehaviour has them."""
    changes: Mapping[Misbehaviour, Mapping[str, Any]] = {
        Misbehaviour.WRONG_NONCE: {"nonce": secrets.token_urlsafe(16)},
        Misbehaviour.WRONG_ISS: {"iss": "https://another.example"},
        Misbehaviour.WRONG_AUD: {"aud": "another-client"},
        Misbehaviour.EXPIRED: {"iat": claims["iat"] - 2 * _LIFE, "exp": claims["iat"] - _LIFE},
        Misbehaviour.OLD_AUTH_TIME: {"auth_time": claims["auth_time"] - 24 * 3600},
        Misbehaviour.NO_AUTH_TIME: {"auth_time": ...},
        Misbehaviour.NO_ACR: {"acr": ...},
        Misbehaviour.UNKNOWN_ACR: {"acr": "urn:test:beyond-doubt"},
        Misbehaviour.NO_NAME: {"name": ...},
        Misbehaviour.BAD_ID_NUMBER: {"id_number": "321099190001010000"},
    }
    bent = claims | dict(changes.get(misbehaviour, {}))
    return {name: value for name, value in bent.items() if value is not ...}


def unsigned(claims: Mapping[str, Any]) -> str:
    """A token of `alg: none` (RFC 7519, section 6)."""
    header, payload = jwt.encode({"alg": "ES256"}, dict(claims), _new_key()).split(".")[:2]
    header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    return f"{header}.{payload}."


def _new_key() -> ECKey:
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"})
    key.ensure_kid()
    return key


def _proves(grant: Grant, fields: Mapping[str, str]) -> bool:
    """Whether the verifier is that of the challenge (RFC 7636, section 4.6), for the same return address."""
    digest = hashlib.sha256(fields.get("code_verifier", "").encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    same = fields.get("redirect_uri") == grant.asked["redirect_uri"]
    return same and hmac.compare_digest(challenge, grant.asked["code_challenge"])


def _level_wanted(asked: Mapping[str, str]) -> str:
    wanted = asked.get("acr_values", "").split()
    return next((level for level, value in ACR.items() if value in wanted[:1]), "substantial")


async def _fields(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
