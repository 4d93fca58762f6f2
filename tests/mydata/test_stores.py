"""The same over each store: asked, answered, noticed, seen, taken away."""

import json

from broker.commands.exits import ExitCode
from connectors.departments.people import XU
from tests.mydata.living import ANSWER, Life, ask
from tests.world import World


async def test_from_the_question_to_the_copy(each_world: World) -> None:
    centre, phone = await each_world.centre(), await each_world.phone(XU)
    life = Life(each_world, centre, phone, "YZ-2026-000123")
    reply = await life.pulled()
    release = next(entry["index"] for entry in each_world.entries() if entry["event"] == "exchange.released")
    assert reply.status == 200
    number = (await ask(life, release))["number"]
    assert (await life.command("questions", "answer", number, stdin=ANSWER)).exit_code == ExitCode.OK
    told = (await phone.get("/v1/me/inbox")).members
    assert (told["unread"], told["notices"][0]["event"]) == (5, "question.answered")
    for path in ("/me/inbox", "/me/accesses", f"/me/accesses/{release}", "/me/questions"):
        assert (await life.page(path))[0] == 200, path
    assert (await phone.get("/v1/me/inbox")).members["unread"] == 0
    async with phone.http.get(f"{each_world.issuer}/v1/me/export") as response:
        found = json.loads(await response.read())
    assert (found["questions"][0]["answer"], len(found["accesses"])) == (ANSWER, 1)
    each_world.check_log()
