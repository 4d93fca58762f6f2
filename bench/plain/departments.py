"""Asking the departments with httpx: how each wants to be asked, and its answer in our own words."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import httpx
from defusedxml.ElementTree import fromstring
from pydantic import BaseModel

from bench.plain.models import Result

TIMEOUT: Final = 3.0
_SID: Final = "s_C11000_hpf_account_4817"
_RID: Final = "r_yz_hpf"


class Address(BaseModel):
    url: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    id_number: str


Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Asking:
    """One item: what is sent, which rows came back, and the fields of a row."""

    request: Callable[[Address, Person, str], dict[str, Any]]
    """httpx's words of a request."""
    rows: Callable[[httpx.Response], Rows]
    number: str
    """The member with the id number of whom a row is about."""
    fields: Mapping[str, tuple[str, Callable[[str], Any]]]
    check: bool = False
    """Whether only an outcome leaves."""


class Departments:
    """All of them, over one pool of connections."""

    def __init__(self, client: httpx.AsyncClient, addresses: Mapping[str, Address]) -> None:
        self._client = client
        self._addresses = addresses

    def request(self, item: str, person: Person, case: str) -> httpx.Request:
        address = self._addresses[item]
        return self._client.build_request("POST", address.url, **ITEMS[item].request(address, person, case))

    async def ask(self, party: str, item: str, fields: Sequence[str], person: Person, case: str) -> Result:
        """What came of it, cut to these fields."""
        try:
            response = await self._client.send(self.request(item, person, case))
            response.raise_for_status()
        except httpx.TimeoutException:
            return Result(party=party, item=item, outcome="timeout")
        except httpx.HTTPError:
            return Result(party=party, item=item, outcome="department_down")
        asking = ITEMS[item]
        try:
            records = [_cut(asking, row, fields, person) for row in asking.rows(response)]
        except (ValueError, KeyError, ArithmeticError, AttributeError):
            return Result(party=party, item=item, outcome="garbled")
        if not records:
            return Result(party=party, item=item, outcome="no_record")
        if asking.check:
            return Result(party=party, item=item, outcome="not_decidable")  # nothing was claimed to compare with
        return Result(party=party, item=item, outcome="found", records=records)


def _cut(asking: Asking, row: Mapping[str, Any], fields: Sequence[str], person: Person) -> dict[str, Any]:
    if row[asking.number].upper() != person.id_number:
        raise ValueError("about somebody else")
    return {field: asking.fields[field][1](row[asking.fields[field][0]]) for field in fields}


def _property(address: Address, person: Person, case: str) -> dict[str, Any]:
    asked = {"xm": person.name, "zjh": person.id_number, "ywxx": {"slbh": case}}
    return {"json": asked, "headers": {"X-App-Key": address.key}}


def _marriage(_address: Address, person: Person, case: str) -> dict[str, Any]:
    record = f'<RECORD no="1"><NAME>{person.name}</NAME><CERT_NUM>{person.id_number}</CERT_NUM></RECORD>'
    head = f"<PACKAGEHEAD><CASENO>{case}</CASENO></PACKAGEHEAD>"
    document = f'<?xml version="1.0" encoding="UTF-8"?><PACKAGE>{head}<DATA>{record}</DATA></PACKAGE>'
    return {"content": document.encode(), "headers": {"Content-Type": "text/xml"}}


def _fund(address: Address, person: Person, case: str) -> dict[str, Any]:
    now = str(int(time.time() * 1000))
    sign = base64.b64encode(
        hmac.new(address.key.encode(), f"{_SID}{_RID}{now}".encode(), hashlib.sha256).digest()
    ).decode()
    parts = {"sid": _SID, "rid": _RID, "rtime": now, "sign": sign}
    return {
        "data": {"xingming": person.name, "zjhm": person.id_number, "ywbh": case},
        "headers": {f"gjgxjhpt_{name}": value for name, value in parts.items()},
    }


def _office(_address: Address, person: Person, _case: str) -> dict[str, Any]:
    return {"json": {"zjh": person.id_number}}


def _property_rows(response: httpx.Response) -> Rows:
    answer = _coded(response)
    rows: Rows = answer["data"]["list"]
    return rows


def _marriage_rows(response: httpx.Response) -> Rows:
    answer = fromstring(response.content, forbid_dtd=True)
    if answer.findtext("PACKAGEHEAD/CODE") == "-901":
        return []
    if answer.findtext("PACKAGEHEAD/CODE") != "0000":
        raise ValueError("refused")
    rows = [{cell.tag: cell.text or "" for cell in row} for row in answer.iterfind("DATA/RECORD")]
    return [max(rows, key=lambda row: row["GXSJ"])]


def _fund_rows(response: httpx.Response) -> Rows:
    rows: Rows = json.loads(_coded(response)["data"])["cxjg"]
    return rows


def _office_rows(response: httpx.Response) -> Rows:
    rows: Rows = _coded(response)["rows"]
    return rows


def _coded(response: httpx.Response) -> dict[str, Any]:
    answer: dict[str, Any] = response.json()
    if answer["code"] != "00":
        raise ValueError("refused")
    return answer


def _day(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}"


def _fen(text: str) -> int:
    return int(Decimal(text) * 100)


_SHARING: Final = {"单独所有": "0", "共同共有": "1", "按份共有": "2", "其他共有": "3"}
_STATES: Final = {"临时": "0", "现势": "1", "历史": "2"}
_PROPERTY: Final = Asking(
    _property,
    _property_rows,
    "ZJH",
    {
        "real_estate_unit_number": ("BDCDYH", str.strip),
        "certificate_number": ("BDCQZH", str.strip),
        "location": ("ZL", str.strip),
        "building_area": ("JZMJ", str),
        "co_ownership_kind": ("GYFS", _SHARING.__getitem__),
        "share_ratio": ("QLBL", str.strip),
        "right_status": ("QSZT", _STATES.__getitem__),
        "registration_date": ("DJSJ", _day),
    },
)
_MARRIAGE: Final = Asking(_marriage, _marriage_rows, "CERT_NUM", {"marital_status": ("HYZK", str)}, check=True)
_FUND: Final = Asking(
    _fund,
    _fund_rows,
    "zjhm",
    {
        "center_code": ("jgh", str.strip),
        "personal_account": ("grzh", str.strip),
        "account_status": ("grzhzt", str),
        "balance": ("grzhye", _fen),
    },
)
_HOUSEHOLD: Final = Asking(_office, _office_rows, "zjh", {"relation_to_householder": ("relation_to_householder", str)})
_ACCOUNT: Final = Asking(
    _office,
    _office_rows,
    "zjh",
    {
        "personal_account": ("personal_account", str),
        "account_status": ("account_status", str),
        "balance": ("balance", int),
    },
)
ITEMS: Final[Mapping[str, Asking]] = {
    "real_estate_registration": _PROPERTY,
    "marriage_check_single": _MARRIAGE,
    "hpf_remote_account": _FUND,
    "household_register": _HOUSEHOLD,
    "hpf_person_account": _ACCOUNT,
}
"""In the order in which a bundle grows."""
