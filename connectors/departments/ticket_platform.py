"""Test department: real estate registration (不动产登记中心) by ticket: submit, poll, confirm, collect.

States as such platforms have them: 1 not made, 2 stored and not sent, 3 sent, 4 in part, 5 timed out.
"""

import hmac
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.departments.lateness import Desk
from connectors.departments.people import somebody_else
from connectors.departments.property_registry import records
from connectors.departments.serving import arguments, serve
from connectors.departments.store import RecordStore, own_secret

KEY_FILE: Final = "platform_key"


@dataclass
class Ticket:
    """One question that was handed in, and from when its answer is there."""

    number: str
    ready_at: float
    confirmed: bool = False


class Platform:
    """Lives in one process; its tickets are gone with it, as the broker then sees."""

    def __init__(self, store: RecordStore, key: str) -> None:
        self.desk = Desk()
        self._store = store
        self._key = key
        self._tickets: dict[str, Ticket] = {}
        steps = {"submit": self._submit, "poll": self._poll, "confirm": self._confirm, "collect": self._collect}
        self.app = Starlette(
            routes=[
                *(Route(f"/bdc/{name}", self._guarded(step), methods=["POST"]) for name, step in steps.items()),
                *self.desk.routes,
            ]
        )

    def _guarded(self, step: Any) -> Any:
        async def answer(request: Request) -> Response:
            self.desk.calls.note(request.headers)
            if not hmac.compare_digest(request.headers.get("x-app-key", ""), self._key):
                return _said("403", {})
            return await self.desk.spoiled(step(json.loads(await request.body())), request)

        return answer

    def _submit(self, asked: dict[str, str]) -> Response:
        if self.desk.is_meant("refused"):
            return _said("20", {})
        if self.desk.is_meant("wrong_schema"):
            return _said("00", {"new_cxsqdh": ""})
        ticket = f"CX{secrets.token_hex(8)}"
        self._tickets[ticket] = Ticket(asked["zjh"], time.monotonic() + self.desk.fault.seconds)
        return _said("00", {"cxsqdh": ticket})

    def _poll(self, asked: dict[str, str]) -> Response:
        ticket = self._tickets.get(asked["cxsqdh"])
        if ticket is None:
            return _said("44", {})
        if self.desk.is_meant("said_never"):
            return _said("00", {"zt": "5"})
        late = self.desk.holds or time.monotonic() < ticket.ready_at
        return _said("00", {"zt": "2" if late else "3"})

    def _confirm(self, asked: dict[str, str]) -> Response:
        self._tickets[asked["cxsqdh"]].confirmed = True
        return _said("00", {})

    def _collect(self, asked: dict[str, str]) -> Response:
        ticket = self._tickets[asked["cxsqdh"]]
        if not ticket.confirmed:
            return _said("45", {})
        number = self.desk.number(ticket.number)
        if self.desk.is_meant("not_hers"):
            number = somebody_else(number).person.id_number
        rows = self.desk.rows(self._store.records(number))
        return _said("00", {"sjsj": self.desk.data_time(), "list": rows})


def _said(code: str, data: dict[str, Any]) -> Response:
    return JSONResponse({"code": code, "data": data})


def main() -> None:
    """Run until told to end."""
    given = arguments("test department: real estate registration by ticket")
    platform = Platform(RecordStore(given.store, records()), own_secret(given.store, KEY_FILE))
    serve(platform.app, given)


if __name__ == "__main__":
    main()
