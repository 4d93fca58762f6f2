"""Test department: the Beijing housing fund centre (北京住房公积金管理中心) once more, which posts its answers to us.

Where to is told at `POST /push-to`; what became of each post stands at `GET /posts`.
"""

import asyncio
import base64
import hmac
import http.client
import json
import time
import uuid
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.departments.beijing_fund import records
from connectors.departments.faults import XML_BOMB, XML_ENTITY
from connectors.departments.lateness import Desk
from connectors.departments.serving import arguments, serve
from connectors.departments.store import RecordStore, own_secret
from connectors.push import SIGNATURE_HEADER, TIME_HEADER

KEY_FILE: Final = "push_secret"
_TRIES: Final = 8
_PAUSE: Final = 0.5
_OTHERWISE: Final = {"xml_bomb": XML_BOMB, "xml_entity": XML_ENTITY}


class Office:
    """Takes questions, and posts each answer until it is taken or it has tried often enough."""

    def __init__(self, store: RecordStore, secret: str) -> None:
        self.desk = Desk()
        self._store = store
        self._secret = secret
        self._push_to = ""
        self._posts: list[dict[str, Any]] = []
        self._running: set[asyncio.Task[None]] = set()
        self.app = Starlette(
            routes=[
                Route("/questions", self._take, methods=["POST"]),
                Route("/push-to", self._told_where, methods=["POST"]),
                Route("/posts", self._tell, methods=["GET"]),
                *self.desk.routes,
            ]
        )

    async def _take(self, request: Request) -> Response:
        self.desk.calls.note(request.headers)
        asked = json.loads(await request.body())
        if self.desk.is_meant("refused"):
            return JSONResponse({"code": "-20"})
        if self.desk.fault.fault not in {"never", "hang", "500", "down"}:
            task = asyncio.create_task(self._push(asked["ywlsh"], asked["zjhm"]))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        taken = JSONResponse({"new_code" if self.desk.is_meant("wrong_schema") else "code": "00"})
        return taken if self.desk.is_meant("truncated") else await self.desk.spoiled(taken, request)

    async def _push(self, ticket: str, number: str) -> None:
        await asyncio.sleep(self.desk.fault.seconds)
        await self.desk.free.wait()
        if self.desk.is_meant("not_hers"):
            ticket = "ex_of_somebody_else.1"
        body = self._written(ticket, number)
        for _ in range(_TRIES):
            status = await asyncio.to_thread(self._post, body)
            self._posts.append({"ticket": ticket, "status": status})
            if status != http.client.SERVICE_UNAVAILABLE:
                break
            await asyncio.sleep(_PAUSE)  # much quicker than the asker, who waits for it only from its own record on
        if self.desk.is_meant("twice"):
            for again in (body, self._written(ticket, number)):
                self._posts.append({"ticket": ticket, "status": await asyncio.to_thread(self._post, again)})

    def _written(self, ticket: str, number: str) -> bytes:
        found = {"sjsj": self.desk.data_time(), "cxjg": self.desk.rows(self._store.records(self.desk.number(number)))}
        said = {"ywlsh": ticket, "tsbh": uuid.uuid4().hex, "code": "00", "data": found}
        body = _OTHERWISE.get(self.desk.fault.fault, "") or json.dumps(said, ensure_ascii=False)
        return body.encode()[: len(body) // 2 if self.desk.is_meant("truncated") else None]

    def _post(self, body: bytes) -> int:
        address = urlsplit(self._push_to)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
        try:
            connection.request("POST", address.path, body, signed(self._secret, body, int(time.time())))
            return connection.getresponse().status
        except OSError:
            return http.client.SERVICE_UNAVAILABLE
        finally:
            connection.close()

    async def _told_where(self, request: Request) -> Response:
        self._push_to = json.loads(await request.body())["url"]
        return JSONResponse({})

    async def _tell(self, _request: Request) -> Response:
        return JSONResponse({"posts": self._posts})


def signed(secret: str, body: bytes, now: int) -> dict[str, str]:
    """The headers under which a department's post is believed."""
    signature = hmac.digest(secret.encode(), str(now).encode() + b"\n" + body, "sha256")
    return {
        "Content-Type": "application/json",
        TIME_HEADER: str(now),
        SIGNATURE_HEADER: base64.b64encode(signature).decode(),
    }


def main() -> None:
    """Run until told to end."""
    given = arguments("test department: Beijing housing fund centre, which posts its answers")
    office = Office(RecordStore(given.store, records()), own_secret(given.store, KEY_FILE))
    serve(office.app, given)


if __name__ == "__main__":
    main()
