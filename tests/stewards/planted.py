"""Admissions put into the log as it would hold them, many at a time."""

from typing import Any

from audit import events, parts
from tests.stewards.conftest import ITEM
from tests.world import World

FIELDS = ["location", "paid_amount"]


def look(requester: str, case: str = "YZ-1", fields: list[str] = FIELDS) -> events.ExchangeAdmitted:
    """An admission as the log would hold it."""
    item = parts.DecidedItem("applicant", "s" * 22, ITEM, "taxation", fields, "核对", "separate_consent", ["x"])
    return events.ExchangeAdmitted(
        requester=requester,
        matter="purchase_withdrawal",
        case=case,
        call="ex_planted",
        exchange="x-planted",
        attempt=1,
        kid="k",
        request_jti="j",
        request_sha256="0",
        matter_version="1",
        operator=parts.Operator("clerk-1", "1号窗口"),
        consents=[parts.SpentUse("applicant", "i", "j", "s" * 22, 1, 0)],
        items=[item],
        rules="r",
        catalogue="c",
        process="p",
    )


async def put(world: World, admissions: list[events.ExchangeAdmitted]) -> None:
    def work(transaction: Any) -> None:
        for one in admissions:
            transaction.append(one)

    await world.broker.storage.record(work)
