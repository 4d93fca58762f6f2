"""Test department: the city's data platform (城市数据共享平台), one gateway behind which several offices stand."""

import hmac
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.departments.faults import Fault, bent_rows, data_time
from connectors.departments.people import ENTERPRISES, RESIDENTS, Enterprise, Resident, somebody_else
from connectors.departments.serving import Department, arguments, serve
from connectors.departments.store import own_secret

KEY_FILE: Final = "app_key"
"""In the store: the key a caller must show."""
_PENSION_AGE: Final = 60


def main() -> None:
    """Run until told to end."""
    given = arguments("test department: the city's data platform")
    key = own_secret(given.store, KEY_FILE)

    async def reply(request: Request, fault: Fault) -> Response:
        if not hmac.compare_digest(request.headers.get("x-app-key", ""), key):
            return _said("403", "appKey无效", [], "")
        asked = json.loads(await request.body())
        rows = bent_rows(fault, _rows(request.path_params["item"], asked, fault))
        return _said("00", "成功" if rows else "查无数据", rows, data_time(fault))

    department = Department("/api/{item}", reply)
    serve(department.app, given, department.protocol())


def _rows(item: str, asked: Mapping[str, str], fault: Fault) -> list[dict[str, str]]:
    if item in _OF_ENTERPRISES:
        firms = [one for one in ENTERPRISES if (one.organisation.uscc == asked["tyshxydm"]) != _another(fault)]
        return [{"tyshxydm": one.organisation.uscc, **_OF_ENTERPRISES[item](one)} for one in firms]
    number = somebody_else(asked["zjhm"]).person.id_number if _another(fault) else asked["zjhm"]
    found = [one for one in RESIDENTS if one.person.id_number == number]
    return [{"zjhm": number, **_OF_RESIDENTS[item](one)} for one in found]


def _another(fault: Fault) -> bool:
    return fault.fault == "wrong_person"


def _identity(one: Resident) -> dict[str, str]:
    return {"xm": one.person.name, "hyjg": "1"}


def _basic(one: Resident) -> dict[str, str]:
    number = one.person.id_number
    return {
        "xm": one.person.name,
        "xb": "1" if int(number[16]) % 2 else "2",
        "mz": "01",
        "csrq": number[6:14],
        "xzqh": number[:6],
        "dz": "扬州市示例区",
    }


def _pension(one: Resident) -> dict[str, str]:
    born = int(one.person.id_number[6:10])
    retired = born + _PENSION_AGE
    return {"sftx": "是", "txlb": "1", "txrq": f"{retired}0301", "sffny": f"{retired}04"}


def _registration(one: Enterprise) -> dict[str, str]:
    return {
        "qymc": one.organisation.name,
        "zch": "",
        "qylx": "有限责任公司(自然人投资或控股)",
        "fddbr": one.representative.name,
        "frzjlx": "01",
        "frzjhm": one.representative.id_number,
        "zs": one.address,
        "clrq": one.founded.replace("-", ""),
        "hydm": "I65",
        "jjlx": "私营有限责任公司",
        "jyzt": "01",
        "hzrq": one.founded.replace("-", ""),
    }


_OF_RESIDENTS: Final[Mapping[str, Callable[[Resident], dict[str, str]]]] = {
    "resident_identity_check": _identity,
    "resident_basic": _basic,
    "pension_retirement": _pension,
}
_OF_ENTERPRISES: Final[Mapping[str, Callable[[Enterprise], dict[str, str]]]] = {
    "enterprise_registration": _registration
}


def _said(code: str, message: str, rows: list[dict[str, str]], time: str) -> Response:
    members = {"code": code, "msg": message, "requestId": uuid.uuid4().hex, "time": time, "datas": rows}
    return JSONResponse(members)


if __name__ == "__main__":
    main()
