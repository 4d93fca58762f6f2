"""What departments that answer late share: their own bad habits, switched from outside, and their control addresses."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, get_args

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.departments.faults import CallBook, Fault, bent, data_time
from connectors.departments.people import somebody_else

LateFaultName = Literal[
    "none",
    "refused",
    "down",
    "hang",
    "500",
    "429",
    "huge",
    "long",
    "xml_bomb",
    "xml_entity",
    "bomb_inside",
    "entity_inside",
    "truncated",
    "wrong_person",
    "wrong_schema",
    "no_record",
    "duplicates",
    "stale",
    "held",
    "never",
    "said_never",
    "twice",
    "not_hers",
    "wrong_host_key",
]
LATE_FAULTS: Final[tuple[str, ...]] = get_args(LateFaultName)
_ON_THE_WAY: Final = frozenset({"hang", "500", "429", "huge", "long", "xml_bomb", "xml_entity", "truncated"})
"""What spoils one HTTP answer, whatever it holds."""


class LateFault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /faults` takes. `seconds`: how long an answer takes to be there; `held`: until another is told."""

    fault: LateFaultName
    seconds: float = 0.0


class Desk:
    """A late department's habits, its book of calls, and its control addresses."""

    def __init__(self) -> None:
        self.fault = LateFault("none")
        self.calls = CallBook()
        self.when_bent: Callable[[], None] = lambda: None
        self.free = asyncio.Event()
        """Set unless answers are held."""
        self.free.set()
        self.routes = [
            Route("/faults", self._bend, methods=["POST"]),
            Route("/calls", self._tell, methods=["GET"]),
        ]

    def is_meant(self, fault: LateFaultName) -> bool:
        return self.fault.fault == fault

    @property
    def holds(self) -> bool:
        """Whether no answer gets ready for now."""
        return self.is_meant("held") or self.is_meant("never")

    def number(self, asked: str) -> str:
        """Whose records are looked up: by some habits somebody else's."""
        return somebody_else(asked).person.id_number if self.is_meant("wrong_person") else asked

    def rows(self, honest: list[dict[str, str]]) -> list[dict[str, Any]]:
        """What is on file, as this habit writes it."""
        if self.is_meant("no_record"):
            return []
        written = honest * 2 if self.is_meant("duplicates") else honest
        return [misnamed(row) for row in written] if self.is_meant("wrong_schema") else list(written)

    def data_time(self) -> str:
        """When the department says that its data was true, in China's time."""
        return data_time(Fault("stale" if self.is_meant("stale") else "none"))

    async def spoiled(self, honest: Response, request: Request) -> Response:
        """The honest answer, or what happens to it on its way."""
        name = self.fault.fault
        if name not in _ON_THE_WAY:
            return honest
        return await bent(msgspec.convert({"fault": name}, Fault), honest, request)

    async def _bend(self, request: Request) -> Response:
        self.fault = msgspec.json.decode(await request.body(), type=LateFault)
        (self.free.clear if self.is_meant("held") else self.free.set)()
        self.when_bent()
        return JSONResponse({"fault": self.fault.fault})

    async def _tell(self, _request: Request) -> Response:
        return JSONResponse(self.calls.told())


def misnamed(record: Mapping[str, str]) -> dict[str, Any]:
    """The same record after somebody renamed every member without notice."""
    return {f"new_{name}": value for name, value in record.items()}
