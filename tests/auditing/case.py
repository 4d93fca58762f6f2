"""A case as an auditor finds it: agreed to, looked up, viewed, decided, withdrawn, and tried once more in vain."""

from dataclasses import dataclass
from typing import Any

from broker.client import RequesterClient
from broker.demo.phone import Phone
from connectors.departments.people import LIN, XU
from tests.staff.desk import Desk
from tests.world import ITEMS, OPERATOR, World, letters

CASE = "YZ-2026-000123"
CLAIM = "marital_status"
REASON = "按举报核查本案"
PERSONAL = (XU.name, XU.id_number, LIN.name, LIN.id_number, "文昌示例路88号")
"""What must stand on no page, mask or none."""


@dataclass
class Case:
    world: World
    desk: Desk
    centre: RequesterClient
    phone: Phone
    consent: str
    exchange: str
    refused: int
    """The index of the call after the withdrawal: other tests of the same world are refused later."""

    def entries(self, event: str) -> list[dict[str, Any]]:
        return [entry for entry in self.world.entries() if entry["event"] == event]

    def index(self, event: str) -> int:
        """The newest entry of an event."""
        return int(self.entries(event)[-1]["index"])

    def looks(self, what: str) -> list[dict[str, Any]]:
        """What the log holds of the auditors' looks of one kind."""
        return [entry["body"] for entry in self.entries("staff.looked") if entry["body"]["what"] == what]

    def refusals(self) -> list[tuple[str, str]]:
        bodies = [entry["body"] for entry in self.entries("staff.refused")]
        return [(body["address"], body["code"]) for body in bodies]


async def live(world: World, desk: Desk) -> Case:
    centre, phone = await world.centre(), await world.phone()
    items: list[Any] = [{"item": item} for item in ITEMS]
    items[2]["expect"] = {CLAIM: "20"}
    consent = await _granted(world, centre, phone, items)
    exchange = f"x-{letters()}"
    assert (await world.pull(centre, consent, exchange=exchange)).status == 200
    for told in ({"event": "viewed"}, {"event": "decided", "decision": "approved"}):
        reply = await centre.tell(exchange, **told, operator=OPERATOR)
        assert reply.status < 300, reply.members
    [row] = (await phone.get("/v1/me/consents")).members["consents"]
    assert (await phone.withdraw(row["jti"])).status == 200
    refused = await world.pull(centre, consent)
    assert refused.code == "consent_withdrawn"
    [*_, entry] = (entry for entry in world.entries() if entry["event"] == "exchange.refused")
    return Case(world, desk, centre, phone, consent, exchange, int(entry["index"]))


async def _granted(world: World, centre: RequesterClient, phone: Phone, items: list[Any]) -> str:
    request, ticket = await world.ask(centre, phone.person, items=items)
    assert (await phone.open(ticket)).status == 200
    assert (await phone.agree(ticket, list(ITEMS))).status == 201
    return str((await centre.read(request)).members["consent"])
