"""`broker walk --as citizen|clerk --matter ID`: a matter in somebody's shoes, each step timed, what hurts noted."""

import asyncio
import time
from enum import StrEnum
from typing import Annotated

import aiohttp
import typer
from rich.table import Table
from rich.text import Text

from audit.batch import Transaction
from broker import improvement, requesters
from broker.client import RequesterClient
from broker.commands.console import AsJson, ConfigFile, failing_clearly, show, stop, storage_of, talk
from broker.commands.exits import ExitCode
from broker.demo.phone import open_phone
from broker.improvement import Found, Source
from broker.requesters import Requester
from broker.signing import SigningKey
from broker.storage import Storage
from broker.walking import Step, Stopped, Walk
from connectors.departments.people import RESIDENTS
from policies.catalogue import Catalogue
from policies.refusals import Code, Refused

CENTRE = "walk-through"
Noted = list[tuple[Step, float, str]]


class Role(StrEnum):
    CITIZEN = "citizen"
    CLERK = "clerk"


def walk(
    config: ConfigFile,
    role: Annotated[Role, typer.Option("--as", help="In whose shoes.")],
    matter: Annotated[str, typer.Option("--matter", help="The matter's id.")],
    owner: Annotated[str, typer.Option(help="Who is to mend what hurts.")] = "leader",
    person: Annotated[int, typer.Option(min=0, max=len(RESIDENTS) - 1, help="Which of the made-up people.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Only beside a running broker in which anybody may sign in as anybody. Names nobody: all people are made up."""
    with failing_clearly(), storage_of(config) as (settings, storage):
        if not settings.test_identity:
            raise Refused(Code.FORBIDDEN)
        if matter not in Catalogue.load(settings.catalogue).matters:
            raise Refused(Code.UNKNOWN_MATTER)
        key = SigningKey.generate()
        storage.ledger.record(lambda transaction: _register(transaction, matter, key)).result()
        try:
            noted = asyncio.run(_walk(settings.issuer, key, matter, role, person))
        except (Stopped, aiohttp.ClientError) as error:
            raise stop(f"the walk stopped: {error}", ExitCode.REFUSED) from error
        hurting = [
            Found(
                source=Source.WALK,
                matter=matter,
                step=f"{role}/{step.id}",
                text=hurt,
                owner=owner,
                calendar=settings.workdays,
            )
            for step, _, hurt in noted
            if hurt
        ]
        numbers = [_write_down(storage, found) for found in hurting]
    steps = [{"step": step.id, "seconds": round(seconds, 1), "hurt": hurt} for step, seconds, hurt in noted]
    show({"as": role, "matter": matter, "steps": steps, "problems": numbers}, as_json=as_json, table=_table(noted))


async def _walk(issuer: str, key: SigningKey, matter: str, role: Role, person: int) -> Noted:
    noted: Noted = []
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        phone = open_phone(issuer, RESIDENTS[person].person)
        try:
            for step in Walk(RequesterClient(http, issuer, _name(matter), key), phone, matter).steps(role):
                noted.append((step, await _timed(step), _ask("哪里难受？没有就回车 What hurts? Enter if nothing")))
        finally:
            await phone.http.close()
    return noted


async def _timed(step: Step) -> float:
    """Seconds from when she sees it to when it is done."""
    began = time.monotonic()
    talk.print(Text(" · ".join(step.title), style="bold"))
    talk.print(Text(await step.look()))
    while True:
        try:
            await step.act(_ask(" ".join(step.question)))
        except ValueError:
            talk.print("不明白，请再说一次 not understood, once more")
        else:
            return time.monotonic() - began


def _ask(words: str) -> str:
    answer: str = typer.prompt(words, default="", show_default=False, err=True)
    return answer.strip()


def _register(transaction: Transaction, matter: str, key: SigningKey) -> None:
    """A centre of its own for each matter, with a key that nobody keeps."""
    if requesters.find(transaction.connection, _name(matter)) is None:
        centre = Requester(_name(matter), "走流程（演示）", "Walk-through (demo)", frozenset({matter}), suspended=False)
        requesters.register(transaction, centre)
    requesters.add_key(transaction, _name(matter), key.public)


def _name(matter: str) -> str:
    return f"{CENTRE}-{matter}"[:64]


def _write_down(storage: Storage, found: Found) -> int:
    return storage.ledger.record(lambda transaction: improvement.open_problem(transaction, found)).result().value


def _table(noted: Noted) -> Table:
    table = Table("step", "一步", "seconds", "what hurt")
    for step, seconds, hurt in noted:
        table.add_row(step.title[1], step.title[0], f"{seconds:.1f}", Text(hurt))
    return table
