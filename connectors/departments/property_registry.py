"""Test department: the real estate registration centre (不动产登记中心), REST and JSON behind a static key."""

import hmac
import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.departments.faults import Fault, bent_rows, data_time
from connectors.departments.people import OLD_FORM, RESIDENTS, Home, Resident, somebody_else
from connectors.departments.serving import Department, arguments, serve
from connectors.departments.store import RecordStore, own_secret

KEY_FILE: Final = "app_key"
"""In the store: the key a caller must show."""


def main() -> None:
    """Run until told to end."""
    given = arguments("test department: real estate registration")
    store = RecordStore(given.store, records())
    key = own_secret(given.store, KEY_FILE)

    async def reply(request: Request, fault: Fault) -> Response:
        if not hmac.compare_digest(request.headers.get("x-app-key", ""), key):
            return _said("403", "appKey无效", [], "")
        asked = json.loads(await request.body())
        found = bent_rows(fault, store.records(_number(asked["zjh"], fault)))
        division = asked.get("xzqh")
        rows = [row for row in found if division in {None, row["XZQH"]}]
        return _said("00", "成功" if found else "查无数据", rows, data_time(fault))

    department = Department("/api/bdc/query", reply)
    serve(department.app, given, department.protocol())


def _number(asked: str, fault: Fault) -> str:
    return somebody_else(asked).person.id_number if fault.fault == "wrong_person" else asked


def _said(code: str, message: str, rows: list[dict[str, str]], time: str) -> Response:
    return JSONResponse(
        {
            "code": code,
            "msg": message,
            "requestId": uuid.uuid4().hex,
            "time": time,
            "data": {"total": str(len(rows)), "list": rows},
        }
    )


def records() -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield what is on file, each under the number it is filed under."""
    for resident in RESIDENTS:
        for home in resident.homes:
            record = _record(resident, home)
            yield record["ZJH"], record


def _record(resident: Resident, home: Home) -> dict[str, str]:
    number = resident.person.id_number
    return {
        "QLRMC": f" {resident.person.name} ",
        "ZJH": number[:6] + number[8:17] if resident.person == OLD_FORM else number.lower(),
        "ZJLX": "1",
        "XZQH": "321099",
        "BDCDYH": home.unit,
        "BDCQZH": home.certificate,
        "ZL": home.location,
        "GHYT": "成套住宅",
        "FWXZ": "0",
        "JZMJ": home.area,
        "GYFS": home.co_ownership,
        "QLBL": home.share,
        "QSZT": "历史" if home.historical else "现势",
        "DJSJ": home.registered.replace("-", ""),
        "SFDY": "是" if home.mortgaged else "否",
        "SFCF": "0",
        "FDZL": "https://bdc.invalid/img",
        "DBR": "登簿员A",
    }


if __name__ == "__main__":
    main()
