"""Test department: civil affairs (民政局), XML in and out, HTTP 200 whatever happens, the truth in a code inside."""

from collections.abc import Iterator, Mapping
from xml.sax.saxutils import escape

from defusedxml.ElementTree import fromstring
from starlette.requests import Request
from starlette.responses import Response

from connectors.departments.faults import Fault, bent_rows, data_time
from connectors.departments.people import RESIDENTS, somebody_else
from connectors.departments.serving import Department, arguments, serve
from connectors.departments.store import RecordStore

OK, NO_DATA, BAD_PACKAGE = "0000", "-901", "-902"
MARRIED = "20"


def main() -> None:
    """Run until told to end."""
    given = arguments("test department: civil affairs")
    store = RecordStore(given.store, records())

    async def reply(request: Request, fault: Fault) -> Response:
        asked = fromstring(await request.body(), forbid_dtd=True)
        number, spouse = (asked.findtext(f"DATA/RECORD/{name}") for name in ("CERT_NUM", "SPOUSE_CERT_NUM"))
        if not number:
            return _package(BAD_PACKAGE, "报文格式错误", [], data_time(fault))
        if fault.fault == "wrong_person":
            number = somebody_else(number).person.id_number
        rows = bent_rows(fault, _couple(number, spouse) if spouse else store.records(number))
        time = data_time(fault)
        return _package(OK, "成功", rows, time) if rows else _package(NO_DATA, "查无数据", [], time)

    department = Department("/ws/marriage", reply)
    serve(department.app, given, department.protocol())


def _couple(number: str, spouse: str) -> list[dict[str, str]]:
    """Whether two are husband and wife now: both married, on the same day."""
    two = [resident for resident in RESIDENTS if resident.person.id_number in (number, spouse)]
    if len(two) != 2:  # noqa: PLR2004 - a couple
        return []
    first, second = (resident.marriage for resident in two)
    married = first is not None and first == second and first[0] == MARRIED
    date = first[1].replace("-", "") if married and first is not None else ""
    return [{"CERT_NUM": number, "SPOUSE_CERT_NUM": spouse, "RESULT": "1" if married else "0", "DJRQ": date}]


def _package(code: str, message: str, rows: list[dict[str, str]], time: str) -> Response:
    return Response(package(code, message, rows, time), media_type="text/xml")


def package(code: str, message: str, rows: list[dict[str, str]], time: str = "") -> str:
    """Return the department's document, its business code and the time of its data inside."""
    filed = "".join(
        f'<RECORD no="{number}">{"".join(f"<{name}>{escape(value)}</{name}>" for name, value in row.items())}</RECORD>'
        for number, row in enumerate(rows, start=1)
    )
    head = f"<SENDER>MZ</SENDER><CODE>{code}</CODE><MSG>{message}</MSG><TIME>{time}</TIME>"
    text = f"<PACKAGE><PACKAGEHEAD>{head}</PACKAGEHEAD><DATA>{filed}</DATA></PACKAGE>"
    return f'<?xml version="1.0" encoding="UTF-8"?>{text}'


def records() -> Iterator[tuple[str, Mapping[str, str]]]:
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
