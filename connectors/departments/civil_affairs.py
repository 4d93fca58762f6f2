"""Test department: civil affairs (民政局), XML in and out, HTTP 200 whatever happens, the truth in a code inside."""

from collections.abc import Iterator, Mapping
from xml.sax.saxutils import escape

from defusedxml.ElementTree import fromstring
from starlette.requests import Request
from starlette.responses import Response

from connectors.departments.faults import Fault
from connectors.departments.people import RESIDENTS, somebody_else
from connectors.departments.serving import Department, arguments, serve
from connectors.departments.store import RecordStore

OK, NO_DATA, BAD_PACKAGE = "0000", "-901", "-902"


def main() -> None:
    """Run until told to end."""
    given = arguments("test department: civil affairs")
    store = RecordStore(given.store, _records())

    async def reply(request: Request, fault: Fault) -> Response:
        number = fromstring(await request.body(), forbid_dtd=True).findtext("DATA/RECORD/CERT_NUM")
        if not number:
            return _package(BAD_PACKAGE, "报文格式错误", [])
        if fault.fault == "wrong_person":
            number = somebody_else(number).person.id_number
        rows = [] if fault.fault == "no_record" else store.records(number)
        return _package(OK, "成功", rows) if rows else _package(NO_DATA, "查无数据", [])

    department = Department("/ws/marriage", reply)
    serve(department.app, given, department.protocol())


def _package(code: str, message: str, rows: list[dict[str, str]]) -> Response:
    records = "".join(
        f'<RECORD no="{number}">{"".join(f"<{name}>{escape(value)}</{name}>" for name, value in row.items())}</RECORD>'
        for number, row in enumerate(rows, start=1)
    )
    head = f"<SENDER>MZ</SENDER><CODE>{code}</CODE><MSG>{message}</MSG>"
    text = f"<PACKAGE><PACKAGEHEAD>{head}</PACKAGEHEAD><DATA>{records}</DATA></PACKAGE>"
    return Response(f'<?xml version="1.0" encoding="UTF-8"?>{text}', media_type="text/xml")


def _records() -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield each person's marriage history; where there was a wedding the time before it is on file too."""
    for resident in RESIDENTS:
        if resident.marriage is None:
            continue
        code, date = resident.marriage
        person = resident.person
        history = [(code, date.replace("-", ""), f"{date or '2020-01-01'} 09:30:00")]
        if date:
            history.insert(0, ("10", "", "1990-01-01 00:00:00"))
        for status, registered, changed in history:
            yield (
                person.id_number,
                {
                    "NAME": person.name,
                    "CERT_NUM": person.id_number,
                    "HYZK": status,
                    "DJRQ": registered,
                    "GXSJ": changed,
                    "OP_DATE": "20261101",
                },
            )


if __name__ == "__main__":
    main()
