"""The main journey: one signature opens four departments' records, and everything is written down."""

from connectors.departments.people import XU
from tests.world import ITEMS, World


async def test_one_signature_opens_four_departments(each_world: World) -> None:
    world = each_world
    centre, phone = await world.centre(), await world.phone(XU)
    consent = await world.grant(
        centre,
        phone,
        items=ITEMS,
    )
    reply = await world.pull(centre, consent)
    assert reply.status == 200, reply.members
    outcomes = {result["item"]: result["outcome"] for result in reply.members["results"]}
    assert outcomes == {
        "real_estate_registration": "found",
        "deed_tax": "found",
        "marriage_check_single": "not_decidable",
        "hpf_remote_account": "found",
    }
    assert reply.members["uses"] == [{"party": "applicant", "use": 1, "left": 2}]
    report = world.check_log()
    assert report.checkpoint.size == len(world.entries())
