"""The story's first half: the centre asks, Mr Xu reads and signs on his phone, the centre has his consent."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rich import box
from rich.panel import Panel
from rich.text import Text

from broker.client import RequesterClient
from broker.demo.phone import Phone, ticket_of
from broker.demo.report import Told, answered, check
from broker.demo.stage import MATTER, Stage
from consent import jws
from consent.keys import read_jwk

CASE: Final = "YZ-2026-000123"
OPERATOR: Final = {"id": "clerk-07", "name": "陈科员", "desk": "3号窗口"}
USES: Final = 3
TAX: Final = "deed_tax"
ITEMS: Final[Sequence[Mapping[str, Any]]] = (
    {"item": "real_estate_registration"},
    {"item": TAX, "params": {"date_from": "2026-01-01", "date_to": "2026-12-31"}},
    {"item": "marriage_check_single", "expect": {"marital_status": "20"}},
    {"item": "hpf_remote_account"},
)
ALL: Final = [str(asked["item"]) for asked in ITEMS]
_LONG_POLL: Final = 25


@dataclass(frozen=True, slots=True)
class Asked:
    """A filed request; the ticket stands in the link that the QR code holds, and nowhere else."""

    id: str
    ticket: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent as the centre holds it."""

    token: str = field(repr=False)
    jti: str


async def file_request(stage: Stage) -> Told[Asked]:
    asked = await _file(stage)
    return Told(asked, f"业务编号 case {CASE}：{len(ITEMS)} 项 items；链接里只有一张票 the link holds one ticket only")


async def ready_phone(phone: Phone) -> Told[None]:
    answered(await phone.sign_in(), 204)
    answered(await phone.enrol(), 201)
    return Told(None, f"测试登录；手机里新建的密钥 test sign-in; a new key in the phone: {phone.key.public.kid}")


async def read_offer(phone: Phone, asked: Asked) -> Told[None]:
    """Show the very words that are hashed into the consent."""
    offer = answered(await phone.open(asked.ticket), 200)
    check([line["item"] for line in offer["items"]] == ALL, "the offer should list exactly the items asked for")
    words = Panel(Text(offer["notice_text"].rstrip()), title="徐先生的手机 Mr Xu's phone", box=box.ROUNDED, width=76)
    return Told(None, f"告知书 notice {offer['notice']['id']} {offer['notice']['version']}", words)


async def sign_while_waited_for(stage: Stage, asked: Asked) -> Told[Consent]:
    """Mr Xu signs the composed bytes; the centre's long poll returns with his consent."""
    consent = await _grant(stage, asked, ALL)
    return Told(consent, "四项都同意；中心核对了他的签名 all four agreed to; the centre checked his signature itself")


async def sign_without_tax(stage: Stage) -> Told[Consent]:
    """A second consent of Mr Xu, with one box left unticked."""
    asked = await _file(stage)
    answered(await stage.phone.open(asked.ticket), 200)
    consent = await _grant(stage, asked, [item for item in ALL if item != TAX])
    return Told(consent, "这一次不同意查契税 this time without deed_tax")


async def _file(stage: Stage) -> Asked:
    person = stage.phone.person
    filed = answered(
        await stage.centre.file(
            matter=MATTER,
            case=CASE,
            items=list(ITEMS),
            subject={"name": person.name, "id_number": person.id_number},
            uses=USES,
            operator=OPERATOR,
        ),
        201,
    )
    return Asked(filed["id"], ticket_of(filed["consent_url"]))


async def _grant(stage: Stage, asked: Asked, items: list[str]) -> Consent:
    waiting = _wait(stage.centre, asked)
    (granted, token), (signed, jti) = await asyncio.gather(waiting, _sign(stage.phone, asked, items))
    check(granted == items, "the centre should be told exactly the items agreed to")
    check(token == signed, "the centre should hold exactly what the phone signed")
    return Consent(token, jti)


async def _wait(centre: RequesterClient, asked: Asked) -> tuple[list[str], str]:
    """The items granted, and the consent once its signature has been checked with the device's public key."""
    answer = answered(await centre.read(asked.id, wait=_LONG_POLL), 200)
    check(answer["status"] == "granted", f"the request should be granted, it is {answer['status']}")
    jws.verify_signature(jws.read_form(answer["consent"], jws.CONSENT), read_jwk(answer["jwk"]))
    return answer["granted"], answer["consent"]


async def _sign(phone: Phone, asked: Asked, items: list[str]) -> tuple[str, str]:
    composed = answered(await phone.compose(asked.ticket, items), 200)
    signed = phone.key.complete(composed["signing_input"])
    granted = answered(await phone.post(f"/v1/me/requests/{asked.ticket}/consent", {"consent": signed}), 201)
    return signed, granted["jti"]
