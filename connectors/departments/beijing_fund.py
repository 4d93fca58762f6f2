"""Test department: the Beijing housing fund centre (北京住房公积金管理中心) behind a gateway with signed headers."""

import hmac
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.authentication import signature
from connectors.departments.faults import Fault, bent_rows
from connectors.departments.people import RESIDENTS, FundAccount, somebody_else
from connectors.departments.serving import Department, arguments, serve
from connectors.departments.store import RecordStore, own_secret
from policies.vocabulary import Person

CENTRE: Final = "C11000"
SERVICE: Final = "s_C11000_hpf_account_4817"
REQUESTER: Final = "r_yz_hpf"
KEY_FILE: Final = "gateway_secret"
BAD_SIGNATURE: Final = "-5"
CLOCK_OFF: Final = "-19"
_FARTHEST_MS: Final = 600_000


def main() -> None:
    """Run until told to end."""
    given = arguments("test department: Beijing housing fund centre")
    store = RecordStore(given.store, records())
    secret = own_secret(given.store, KEY_FILE)

    async def reply(request: Request, fault: Fault) -> Response:
        refusal = _refusal(request.headers, secret, int(time.time() * 1000))
        if refusal:
            return JSONResponse({"code": refusal, "message": "拒绝访问", "data": "null"})
        form = dict(parse_qsl((await request.body()).decode()))
        number, centre = form["zjhm"], form.get("jgh")
        if fault.fault == "wrong_person":
            number = somebody_else(number).person.id_number
        rows = [] if centre not in {None, CENTRE} else bent_rows(fault, store.records(number))
        data = json.dumps({"cxjg": rows, "zs": len(rows)}, ensure_ascii=False)
        return JSONResponse({"code": "00", "message": "", "data": data, "requestId": uuid.uuid4().hex})

    department = Department("/httpproxy", reply)
    serve(department.app, given, department.protocol())


def _refusal(headers: Mapping[str, str], secret: str, now_ms: int) -> str:
    sid, rid, rtime, sign = (headers.get(f"gjgxjhpt_{name}", "") for name in ("sid", "rid", "rtime", "sign"))
    if not rtime.isdigit() or abs(now_ms - int(rtime)) > _FARTHEST_MS:
        return CLOCK_OFF
    signed = hmac.compare_digest(sign, signature(secret, sid + rid + rtime))
    return "" if signed and (sid, rid) == (SERVICE, REQUESTER) else BAD_SIGNATURE


def records() -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield each account holder's number and record."""
    for resident in RESIDENTS:
        if resident.fund is not None:
            yield resident.person.id_number, _record(resident.person, resident.fund)


def _record(person: Person, account: FundAccount) -> dict[str, str]:
    return {
        "jgh": CENTRE,
        "xingming": person.name,
        "zjhm": person.id_number,
        "grzh": account.number,
        "grzhzt": account.status,
        "khrq": account.opened,
        "grjcjs": account.base,
        "grjcbl": "12.00",
        "dwjcbl": "12.00",
        "gryjce": account.monthly,
        "dwyjce": account.monthly,
        "grzhye": account.balance,
        "jzny": "202610",
        "dwmc": "北京示例科技有限公司",
        "sjhm": "",
    }


if __name__ == "__main__":
    main()
