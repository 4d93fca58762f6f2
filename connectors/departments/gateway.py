"""Test department: a fund centre behind every kind of gateway, which kills a secret as soon as it issues the next.

It counts how often it was upset: a dead or wrong secret shown, or two renewals at once. `POST /kill` makes it forget
every secret; `GET /told` says what it counted.
"""

import asyncio
import base64
import hmac
import json
import secrets
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.authentication import signature
from connectors.departments.beijing_fund import REQUESTER, SERVICE, records
from connectors.departments.serving import arguments, serve
from connectors.departments.store import RecordStore, own_secret
from connectors.gateways import biz_content, rsa_para, sm2_envelope
from connectors.gateways.refreshed_secret import aes_key
from connectors.gateways.rotating_md5 import signed

APP_KEY: Final = "yz-hpf-app"
LIVES_SECONDS: Final = 3.0
"""Of a requestSecret: seconds in place of a quarter of an hour."""
_REFRESH_TAKES: Final = 0.05
_USER: Final = "yz-hpf"
_GROUPS: Final = ("YZ-HPF", "BJ-HPF")


@dataclass
class Gateway:
    """Its secrets of this moment, and what it counted. Owned by one event loop."""

    store: Path
    people: RecordStore
    live: dict[str, str] = field(default_factory=dict)
    counted: Counter[str] = field(default_factory=Counter)
    renewing: int = 0
    late: bool = False

    def secret(self, name: str) -> str:
        return own_secret(self.store, name)

    async def renewed(self, *names: str) -> dict[str, str]:
        """Kill the live secrets of these names and issue others, which takes a moment."""
        self.renewing += 1
        self.counted["renewals"] += 1
        if self.renewing > 1:
            self.counted["upsets"] += 1
        await asyncio.sleep(_REFRESH_TAKES / 2)
        fresh = {name: secrets.token_hex(16) for name in names}
        self.live |= fresh
        await asyncio.sleep(_REFRESH_TAKES / 2)
        self.renewing -= 1
        return fresh

    def rows(self, members: Mapping[str, Any]) -> Response:
        self.counted["answered"] += 1
        self.counted["with_consent"] += "jti-of-the-consent-0001" in str(members)
        found = self.people.records(str(members["zjhm"]))
        return JSONResponse(_reply(found))

    def upset(self, code: str, member: str = "code") -> Response:
        self.counted["upsets"] += 1
        return JSONResponse({member: code, "msg": "拒绝", "datas": None})


def _reply(found: list[dict[str, str]]) -> dict[str, Any]:
    return {"code": "00", "status": "0", "msg": "成功", "datas": json.dumps(found, ensure_ascii=False)}


async def national_refresh(gateway: Gateway, request: Request) -> Response:
    if not _signed(request.headers, gateway.secret("app-secret")):
        return gateway.upset("-5")
    fresh = await gateway.renewed("national")
    padder = PKCS7(128).padder()
    cipher = Cipher(algorithms.AES(aes_key(gateway.secret("app-secret"))), modes.ECB()).encryptor()  # noqa: S305 - as such gateways do
    sealed = cipher.update(padder.update(fresh["national"].encode()) + padder.finalize()) + cipher.finalize()
    return JSONResponse({"code": "0", "data": base64.b64encode(sealed).decode()})


async def national_query(gateway: Gateway, request: Request) -> Response:
    if not _signed(request.headers, gateway.live.get("national", "")):
        return gateway.upset("-5")
    return gateway.rows(await _form(request))


async def rotating_by_key(gateway: Gateway, request: Request) -> Response:
    return await _rotated(gateway, await _form(request), gateway.secret("app-secret"))


async def rotating_by_secret(gateway: Gateway, request: Request) -> Response:
    return await _rotated(gateway, await _form(request), gateway.live.get("refresh", ""))


async def rotating_query(gateway: Gateway, request: Request) -> Response:
    form = await _form(request)
    if not _md5_signed(form, gateway.live.get("request", "")):
        return gateway.upset("03")
    return gateway.rows(form | {"additional": json.loads(form["additional"])})


async def ticket(gateway: Gateway, request: Request) -> Response:
    if (await _form(request))["appKey"] != APP_KEY:
        return gateway.upset("1", "status")
    return JSONResponse({"status": "0", "data": await gateway.renewed("ticket")})


async def token(gateway: Gateway, request: Request) -> Response:
    form = await _form(request)
    if form["appSecret"] != gateway.secret("app-secret") or form["ticket"] != gateway.live.pop("ticket", ""):
        return gateway.upset("1", "status")
    fresh = await gateway.renewed("token")
    return JSONResponse({"status": "0", "data": {"accessToken": fresh["token"]}})


async def token_query(gateway: Gateway, request: Request) -> Response:
    if request.headers.get("accesstoken") != gateway.live.get("token", "none") or request.headers["appkey"] != APP_KEY:
        return gateway.upset("-21", "status")
    return gateway.rows(json.loads(await request.body()))


async def basic_query(gateway: Gateway, request: Request) -> Response:
    wanted = base64.b64encode(f"{_USER}:{gateway.secret('app-secret')}".encode()).decode()
    if request.headers.get("authorization") != f"Basic {wanted}":
        return Response(status_code=401)
    return gateway.rows(json.loads(await request.body()))


async def biz_query(gateway: Gateway, request: Request) -> Response:
    form = await _form(request)
    if form["sign"] != biz_content.signature(gateway.secret("app-secret"), form):
        return gateway.upset("-5")
    again = json.loads(form["biz_content"])
    return gateway.rows(again) if all(form[name] == value for name, value in again.items()) else gateway.upset("-1")


async def rsa_query(gateway: Gateway, request: Request) -> Response:
    own = _rsa_key(gateway.store, "gateway")
    body = json.loads(await request.body())
    asked = json.loads(rsa_para.decrypted(own, body["para"], "pkcs1v15"))
    found = gateway.people.records(asked["zjhm"]) if body["jgh"] == "C32100" else []
    caller = _rsa_key(gateway.store, "caller").public_key()
    return JSONResponse({"para": rsa_para.encrypted(caller, json.dumps(_reply(found)).encode(), "pkcs1v15")})


async def sm2_query(gateway: Gateway, request: Request) -> Response:
    own, caller = (sm2_envelope.Sm2Key(own_sm2(gateway.store, name)) for name in ("gateway", "caller"))
    asked = sm2_envelope.opened(await request.body(), caller.public, own)
    if request.headers.get("group_id") != _GROUPS[0] or asked["head"]["groupId"] != _GROUPS[0]:
        return gateway.upset("-20")
    fault = str(request.query_params.get("fault", ""))
    head = {"groupId": _GROUPS[1], "timestamp": int(time.time() * 1000), "reqId": asked["head"]["reqId"]}
    head |= {"stale": {"timestamp": head["timestamp"] - 301_000}, "echo": {"reqId": "another"}}.get(fault, {})
    head |= {"groupId": "XX-HPF"} if fault == "group" else {}
    signer = sm2_envelope.Sm2Key(own_sm2(gateway.store, "stranger")) if fault == "stranger" else own
    found = gateway.people.records(asked["data"]["zjhm"])
    reply = sm2_envelope.sealed({"head": head, "data": _reply(found)}, caller.public, signer)
    if fault == "altered":
        reply["sign"] = base64.b64encode(base64.b64decode(reply["sign"])[:-1] + b"\0").decode()
    return JSONResponse(reply if fault != "unsigned" else {**reply, "sign": ""})


def main() -> None:
    """Run until told to end."""
    given = arguments("test department: every kind of gateway")
    gateway = Gateway(given.store, RecordStore(given.store, records()))
    for name in ("app-secret",):
        gateway.secret(name)
    for name in ("gateway", "caller"):
        _rsa_key(given.store, name)
    if sm2_envelope.available():
        for name in ("gateway", "caller", "stranger"):
            own_sm2(given.store, name)

    async def tell(_request: Request) -> Response:
        return JSONResponse(dict(gateway.counted))

    async def kill(_request: Request) -> Response:
        gateway.live.clear()
        return JSONResponse({})

    addresses = {
        "/national/refresh": national_refresh,
        "/national/query": national_query,
        "/rotating/by-key": rotating_by_key,
        "/rotating/by-secret": rotating_by_secret,
        "/rotating/query": rotating_query,
        "/ticket/ticket": ticket,
        "/ticket/token": token,
        "/ticket/query": token_query,
        "/basic/query": basic_query,
        "/biz/query": biz_query,
        "/rsa/query": rsa_query,
        "/sm2/query": sm2_query,
    }

    def bound(answer: Any) -> Any:
        async def call(request: Request) -> Response:
            response: Response = await answer(gateway, request)
            return response

        return call

    routes = [Route(path, bound(answer), methods=["POST"]) for path, answer in addresses.items()]
    routes += [Route("/told", tell, methods=["GET"]), Route("/kill", kill, methods=["POST"])]
    serve(Starlette(routes=routes), given)


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode()))


def _signed(headers: Mapping[str, str], secret: str) -> bool:
    sid, rid, rtime, sign = (headers.get(f"gjgxjhpt_{name}", "") for name in ("sid", "rid", "rtime", "sign"))
    good = secret != "" and hmac.compare_digest(sign, signature(secret, sid + rid + rtime))
    return good and (sid, rid) == (SERVICE, REQUESTER)


def _md5_signed(form: Mapping[str, str], secret: str) -> bool:
    return secret != "" and form["sign"] == signed(APP_KEY, secret, int(form["requestTime"]))["sign"]


async def _rotated(gateway: Gateway, form: Mapping[str, str], secret: str) -> Response:
    if not _md5_signed(form, secret):
        gateway.counted["started_over"] += 1
        return JSONResponse({"code": "03", "msg": "签名错误", "datas": None})
    fresh = await gateway.renewed("request", "refresh")
    now = int(time.time() * 1000)
    return JSONResponse(
        {
            "code": "00",
            "datas": {
                "requestSecret": fresh["request"],
                "requestSecretEndTime": now + int(LIVES_SECONDS * 1000),
                "refreshSecret": fresh["refresh"],
                "refreshSecretEndTime": now + 48 * 3_600_000,
            },
        }
    )


def _rsa_key(store: Path, name: str) -> RSAPrivateKey:
    """Return the key of this name, made when it is first asked for; its files are named `<name>-rsa` and `.pub`."""
    known = _RSA.get(name)
    if known is None:
        known = _RSA[name] = generate_private_key(65537, 2048)
        private = known.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = known.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (store / f"{name}-rsa").write_bytes(private)
        (store / f"{name}-rsa.pub").write_bytes(public)
    return known


_RSA: Final[dict[str, RSAPrivateKey]] = {}


def own_sm2(store: Path, name: str) -> str:
    """Return the pair of this name, made when it is first asked for; the public key is in `<name>-sm2.pub`."""
    file = store / f"{name}-sm2"
    if not file.exists():
        pair = sm2_envelope.new_pair()
        file.write_text(pair, encoding="utf-8")
        (store / f"{name}-sm2.pub").write_text(pair.split()[1], encoding="utf-8")
    return file.read_text(encoding="utf-8")


if __name__ == "__main__":
    main()
