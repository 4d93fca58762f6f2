"""Test department: civil affairs (民政局) once more, as a SOAP 1.1 service with a document inside its one argument."""

import asyncio
import hmac
from typing import Any, Final
from xml.sax.saxutils import escape

from defusedxml.ElementTree import fromstring
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.departments.civil_affairs import BAD_PACKAGE, NO_DATA, OK, package, records
from connectors.departments.faults import XML_BOMB, XML_ENTITY
from connectors.departments.lateness import Desk
from connectors.departments.serving import arguments, serve
from connectors.departments.store import RecordStore, own_secret

KEY_FILE: Final = "registration_code"
WRONG_LICENCE: Final = "-50"
REFUSED: Final = "-20"
ACTION: Final = '"urn:mz:query"'
_NEVER_SECONDS: Final = 60


def main() -> None:
    """Run until told to end."""
    given = arguments("test department: civil affairs over SOAP")
    store = RecordStore(given.store, records())
    licence = own_secret(given.store, KEY_FILE)
    desk = Desk()

    async def answer(request: Request) -> Response:
        desk.calls.note(request.headers)
        if desk.is_meant("never"):
            await asyncio.sleep(_NEVER_SECONDS)
        if request.headers.get("soapaction") != ACTION:
            return _fault("soap:Client", "no such action")
        if desk.is_meant("down"):
            return _fault("soap:Server", "java.lang.NullPointerException")
        return await desk.spoiled(_answered(_package(await request.body(), desk, store, licence)), request)

    serve(Starlette(routes=[Route("/services/query", answer, methods=["POST"]), *desk.routes]), given)


def _package(body: bytes, desk: Desk, store: RecordStore, licence: str) -> str:
    called: Any = fromstring(body, forbid_dtd=True).find(".//{urn:mz}query")
    if called is None or not hmac.compare_digest(called.findtext("code") or "", licence):
        return package(WRONG_LICENCE, "许可证错误", [])
    if desk.is_meant("refused"):
        return package(REFUSED, "不予提供", [])
    if desk.is_meant("bomb_inside") or desk.is_meant("entity_inside"):
        return XML_BOMB if desk.is_meant("bomb_inside") else XML_ENTITY
    number = fromstring(called.findtext("xml") or "<none/>", forbid_dtd=True).findtext("DATA/RECORD/CERT_NUM")
    if not number:
        return package(BAD_PACKAGE, "报文格式错误", [])
    rows, time = desk.rows(store.records(desk.number(number))), desk.data_time()
    return package(OK, "成功", rows, time) if rows else package(NO_DATA, "查无数据", [], time)


def _answered(inner: str) -> Response:
    return _envelope(f'<q:queryResponse xmlns:q="urn:mz"><return>{escape(inner)}</return></q:queryResponse>')


def _fault(code: str, text: str) -> Response:
    told = f"<soap:Fault><faultcode>{code}</faultcode><faultstring>{text}</faultstring></soap:Fault>"
    return _envelope(told, 500)


def _envelope(content: str, status: int = 200) -> Response:
    text = f'<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>{content}</soap:Body></soap:Envelope>'
    return Response(text, status, media_type="text/xml")


if __name__ == "__main__":
    main()
