"""One office that answers about any item in whichever kind it is asked: the same records, so that only kinds differ.

python -m bench.office --store DIR [--end-with-stdin]. Its records are the catalogue's own examples, one for each of the
test departments' people.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from defusedxml.ElementTree import fromstring
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.departments.people import RESIDENTS
from connectors.departments.serving import arguments, serve
from policies.catalogue import Catalogue
from policies.vocabulary import Item

NUMBER: Final = "zjh"
"""The column with the id number of the person a record is about."""
_ENVELOPE: Final = (
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    '<q:askResponse xmlns:q="urn:office"><return>{}</return></q:askResponse></soap:Body></soap:Envelope>'
)


def record_of(item: Item, id_number: str) -> dict[str, str]:
    """What is on file about one person: the catalogue's examples, so it is nobody's."""
    return {NUMBER: id_number, **{field.id: field.example for field in item.fields.values()}}


def known_numbers() -> list[str]:
    return [resident.person.id_number for resident in RESIDENTS]


class Office:
    """Its files, by item and number."""

    def __init__(self, items: Mapping[str, Item]) -> None:
        self._files = {
            item: {number: record_of(known, number) for number in known_numbers()} for item, known in items.items()
        }
        kinds = {"json": self._json, "form": self._form, "xml": self._xml, "soap": self._soap}
        routes = [Route(f"/{kind}/{{item}}", one, methods=["POST"]) for kind, one in kinds.items()]
        self.app = Starlette(routes=[*routes, Route("/faults", self._bend, methods=["POST"])])
        self._seconds = 0.0
        """How late it answers."""

    async def _bend(self, request: Request) -> Response:
        """As the test departments are told: `slow` and how much, or `none`."""
        told = json.loads(await request.body())
        self._seconds = told["seconds"] if told["fault"] == "slow" else 0.0
        return JSONResponse({})

    async def _json(self, request: Request) -> Response:
        await asyncio.sleep(self._seconds)
        return _in_json(self._rows(request, json.loads(await request.body())[NUMBER]))

    async def _form(self, request: Request) -> Response:
        return _in_json(self._rows(request, parse_qs((await request.body()).decode())[NUMBER][0]))

    async def _xml(self, request: Request) -> Response:
        return Response(
            self._document(request, fromstring(await request.body(), forbid_dtd=True)), media_type="text/xml"
        )

    async def _soap(self, request: Request) -> Response:
        asked: Any = fromstring(await request.body(), forbid_dtd=True).find(".//{urn:office}ask")
        inner = self._document(request, fromstring(asked.findtext("xml"), forbid_dtd=True))
        return Response(_ENVELOPE.format(escape(inner)), media_type="text/xml")

    def _document(self, request: Request, asked: Any) -> str:
        rows = self._rows(request, asked.findtext(NUMBER))
        cells = "".join(f"<{name}>{escape(value)}</{name}>" for row in rows for name, value in row.items())
        return f"<answer><code>00</code><rows><row>{cells}</row></rows></answer>"

    def _rows(self, request: Request, id_number: str) -> list[dict[str, str]]:
        return [self._files[request.path_params["item"]][id_number]]


def _in_json(rows: list[dict[str, str]]) -> Response:
    return JSONResponse({"code": "00", "rows": rows})


def main() -> None:
    """Run until told to end."""
    given = arguments("the bench's office")
    serve(Office(Catalogue.load().items).app, given)


if __name__ == "__main__":
    main()
