"""What a person wrote and was answered is sealed under her key: nowhere in clear, and gone with her."""

import json

from sqlalchemy import select

from broker.commands.exits import ExitCode
from connectors.departments.people import XU
from consent import tables
from tests.journeys.test_erasure import forget
from tests.mydata.living import ANSWER, Life, ask
from tests.world import World


def everything(world: World) -> dict[str, bytes]:
    """All that is written where her words must not be."""
    files = [file for file in (world.folder / "broker").glob("broker.db*") if file.is_file()]
    return {
        "log of the server": world.log.getvalue().encode(),
        "ledger": json.dumps(world.entries(), ensure_ascii=False).encode(),
        "database": b"".join(file.read_bytes() for file in files),
    }


async def test_her_words_are_sealed_and_erasing_her_takes_them(world: World) -> None:
    centre, phone = await world.centre(), await world.phone(XU)
    life = Life(world, centre, phone, "YZ-2026-000123")
    index = await life.release()
    numbers = [(await ask(life, index))["number"], (await ask(life, index, item="deed_tax"))["number"]]
    await life.command("questions", "answer", numbers[0], stdin=ANSWER)
    await life.page("/me/questions")
    async with world.http.get(f"{world.issuer}/metrics") as response:
        metrics = await response.read()
    for where, held in (everything(world) | {"metrics": metrics}).items():
        for word in ("诸葛不该出现", "尉迟不该出现", "为什么要查我的房子"):
            assert word.encode() not in held, where
            assert json.dumps(word)[1:-1].encode() not in held, where
    assert numbers[0].encode() in everything(world)["ledger"], "the search itself must be able to find"
    await forget(world)
    with world.broker.database.reader.begin() as connection:
        columns = (tables.inquiry.c.status, tables.inquiry.c.text, tables.inquiry.c.answer)
        assert set(connection.execute(select(*columns)).all()) == {("erased", None, None)}
    for kind, number in zip(("questions", "corrections"), numbers, strict=True):
        shown = json.loads((await life.command(kind, "show", number, "--json")).stdout)
        assert (shown["status"], shown["text"], shown["answer"]) == ("erased", None, None)
    late = await life.command("corrections", "answer", numbers[1], stdin=ANSWER)
    assert late.exit_code == ExitCode.REFUSED
    world.check_log()
