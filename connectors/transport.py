"""A department's gateway over HTTP: one pool a route, every request shown with what proves who asks."""

import ssl
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Protocol, TypeAlias, TypeVar
from urllib.parse import urlencode

import msgspec

from connectors.authentication import Authentication, NoAuthentication, RotatingMd5
from connectors.documents import read_json
from connectors.gateways.authenticators import AuthenticatorMaker, check_authentication
from connectors.gateways.credentials import Authenticator, Credentials
from connectors.http_wire import OK, HttpWire
from connectors.memory import Memory
from connectors.requests import Outgoing, RequestForm
from connectors.route import Place, Route, Seconds
from connectors.secret_files import read_secret
from connectors.trouble import DepartmentError, garbled

T = TypeVar("T")


class OverHttp(Route, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every route over HTTP says of its connections and its gateway."""

    authentication: Authentication = NoAuthentication()
    trust: str = ""
    """Names the file with the certificates of the authority that signed the department's, where no public one did."""
    connect_seconds: Seconds = 2
    read_seconds: Annotated[float, msgspec.Meta(gt=0, le=60)] = 10
    """The longest silence between two pieces of an answer; the route's deadline bounds the whole."""


TransportMaker: TypeAlias = Callable[[Memory, Callable[[], datetime]], "Transport"]


def check_transport(route: OverHttp, place: Place, secrets_folder: Path) -> TransportMaker:
    """Return what makes the transport. Raises ConfigurationError for whatever does not add up."""
    authenticate = check_authentication(route.authentication, place.at("authentication"), secrets_folder)
    trust = _trusted(route.trust, place.at("trust"), secrets_folder) if route.trust else None
    return lambda memory, now: Transport(route, authenticate, trust, memory, now)


def check_members(authentication: Authentication, request: RequestForm, place: Place) -> None:
    """What a gateway puts beside the request's own members needs a body that has members."""
    if not isinstance(authentication, RotatingMd5):
        return
    if request.additional is None:
        raise place.error("this gateway wants `additional`: who asks, for which case, by which consent")
    if request.json is None and request.form is None:
        raise place.error("this gateway's signature stands in a JSON or form body")


def _trusted(name: str, place: Place, secrets_folder: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=read_secret(secrets_folder, name, place).text)
    except (ssl.SSLError, ValueError):
        raise place.error("what stands in that file are no certificates (PEM)") from None


class Sending(Protocol):
    """What a connector over HTTP sends by: a route's own connections, or a recorded answer."""

    async def shown(self, asking: Callable[[Credentials], Awaitable[T]]) -> T:
        """Ask with credentials; once more under others where the gateway says that a renewed secret is dead."""

    async def send(
        self, method: str, request: Outgoing, credentials: Credentials, readable: frozenset[int] = frozenset({OK})
    ) -> tuple[int, bytes]:
        """Status and body, where it is readable. Raises DepartmentError, OSError or TimeoutError."""

    async def aclose(self) -> None:
        """End a renewal that is under way and close the pool; a later use opens a new one."""

    def now_ms(self) -> int: ...


class Transport:
    """One route's connections, which belong to the event loop of its first use, and its credentials."""

    def __init__(
        self,
        route: OverHttp,
        authenticate: AuthenticatorMaker,
        trust: ssl.SSLContext | None,
        memory: Memory,
        now: Callable[[], datetime],
    ) -> None:
        self._now = now
        self._wire = HttpWire(route.concurrency, route.connect_seconds, route.read_seconds, trust)
        self._authenticator: Authenticator = authenticate(memory, self.now_ms)

    async def shown(self, asking: Callable[[Credentials], Awaitable[T]]) -> T:
        credentials = await self._authenticator.credentials(self.now_ms(), self._post)
        try:
            return await asking(credentials)
        except DepartmentError as refusal:
            other = await self._authenticator.again(credentials, refusal.code, self.now_ms(), self._post)
            if other is None:
                raise
            return await asking(other)

    async def send(
        self, method: str, request: Outgoing, credentials: Credentials, readable: frozenset[int] = frozenset({OK})
    ) -> tuple[int, bytes]:
        headers = {**request.headers, **credentials.headers}
        return await self._wire.answered(method, request.url, request.query, headers, request.body, readable=readable)

    async def aclose(self) -> None:
        await self._authenticator.aclose()
        await self._wire.aclose()

    def now_ms(self) -> int:
        return int(self._now().timestamp() * 1000)

    async def _post(self, url: str, headers: Mapping[str, str], members: Mapping[str, str]) -> Any:
        """Ask the gateway itself, for a secret."""
        whole = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        body = await self._wire.exchange("POST", url, {}, whole, urlencode(members).encode())
        try:
            return read_json(body.decode("utf-8"))
        except UnicodeDecodeError:
            raise garbled("charset") from None
