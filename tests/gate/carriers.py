"""Every place on the wire that takes a token: which kind, whose, and what it says when it refuses."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from broker.client import Reply, read_reply
from broker.signing import SigningKey
from tests.forging import claims_for, forge, header_for
from tests.gate.scene import Scene, payload_of
from tests.world import MATTER


@dataclass(frozen=True, slots=True)
class Carrier:
    """One place that takes a token."""

    name: str
    typ: str
    token: str
    """The `token` member of its refusals."""
    key: Callable[[Scene], SigningKey]
    claims: Callable[[Scene], dict[str, Any]]
    send: Callable[[Scene, str], Awaitable[Reply]]
    accepted: int
    """The status of a good one."""
    recorded: bool = False
    """Whether a refusal of it leaves an entry: only a caller past step 2 can cause one."""

    @property
    def status(self) -> int:
        return 401 if self.token == "request" else 422

    def make(self, scene: Scene, *, key: SigningKey | None = None, typ: str = "", **changed: Any) -> str:
        """A token that is good but for what is changed."""
        signer = key or self.key(scene)
        claims = {name: value for name, value in (self.claims(scene) | changed).items() if value is not ...}
        return forge(signer, header_for(self.key(scene), typ or self.typ), claims)


async def _file(scene: Scene, token: str) -> Reply:
    return await scene.centre.send("/v1/authorization-requests", token)


async def _exchange(scene: Scene, token: str) -> Reply:
    return await scene.centre.send("/v1/exchanges", token)


async def _exchange_of(scene: Scene, consent: str) -> Reply:
    return await scene.centre.exchange(**scene.body(consents=[consent]))


def _request_path(scene: Scene) -> str:
    return f"/v1/authorization-requests/{scene.request}"


async def _read(scene: Scene, token: str) -> Reply:
    headers = {"Authorization": f"Bearer {token}"}
    async with scene.world.http.get(scene.world.issuer + _request_path(scene), headers=headers) as response:
        return await read_reply(response)


async def _renew(scene: Scene, token: str) -> Reply:
    headers = {"Authorization": f"Bearer {token}"}
    address = f"{scene.world.issuer}{_request_path(scene)}/renew"
    async with scene.world.http.post(address, headers=headers) as response:
        return await read_reply(response)


async def _agree(scene: Scene, token: str) -> Reply:
    return await scene.phone.post(f"/v1/me/requests/{scene.ticket}/consent", {"consent": token})


async def _withdraw(scene: Scene, token: str) -> Reply:
    jti = payload_of(scene.consent)["jti"]
    return await scene.phone.post(f"/v1/me/consents/{jti}/withdraw", {"withdrawal": token})


async def _enrol(scene: Scene, token: str) -> Reply:
    return await scene.phone.post("/v1/me/devices", {"jwk": dict(scene.new_key.public.jwk), "proof": token})


def _authentication(method: str, ending: str) -> Callable[[Scene], dict[str, Any]]:
    return lambda scene: scene.claims(htm=method, htu=f"{scene.world.issuer}{_request_path(scene)}{ending}")


def _device_claims(key: SigningKey, scene: Scene, **members: Any) -> dict[str, Any]:
    return claims_for(key.public.kid, scene.world.issuer, scene.now, **members)


def _centre_key(scene: Scene) -> SigningKey:
    return scene.centre.key


def _device_key(scene: Scene) -> SigningKey:
    return scene.phone.key


REQUEST, EXCHANGE = "authorization-request+jwt", "exchange-request+jwt"
AUTHENTICATION, CONSENT = "client-authentication+jwt", "consent+jwt"
WITHDRAWAL, PROOF, RESPONSE = "withdrawal+jwt", "device-proof+jwt", "exchange-response+jwt"
TYPES = (REQUEST, EXCHANGE, AUTHENTICATION, CONSENT, WITHDRAWAL, PROOF, RESPONSE)

# The last three end something when they are accepted, so a control goes through them in this order
CARRIERS = (
    Carrier("file", REQUEST, "request", _centre_key, lambda s: s.claims(matter=MATTER, case="c-1"), _file, 201),
    Carrier("read", AUTHENTICATION, "request", _centre_key, _authentication("GET", ""), _read, 200),
    Carrier("exchange", EXCHANGE, "request", _centre_key, lambda s: s.claims(**s.body()), _exchange, 200),
    Carrier("consent", CONSENT, "consent", _device_key, lambda s: payload_of(s.consent), _exchange_of, 200, True),
    Carrier("sign", CONSENT, "consent", _device_key, lambda s: dict(s.composed), _agree, 201),
    Carrier(
        "withdraw",
        WITHDRAWAL,
        "withdrawal",
        _device_key,
        lambda s: _device_claims(s.phone.key, s, consent=payload_of(s.consent)["jti"]),
        _withdraw,
        200,
    ),
    Carrier(
        "enrol",
        PROOF,
        "device",
        lambda s: s.new_key,
        lambda s: _device_claims(s.new_key, s, nonce=s.nonce),
        _enrol,
        201,
    ),
)
BY_NAME = {carrier.name: carrier for carrier in CARRIERS}
RENEW = Carrier("renew", AUTHENTICATION, "request", _centre_key, _authentication("POST", "/renew"), _renew, 200)
