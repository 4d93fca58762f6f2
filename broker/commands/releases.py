"""`broker releases stop|start|list`: the one switch, for everything, one item, or one item to one requester.

A department's steward turns her own side of it on her page; this is the operator's.
"""

from functools import partial
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy import Connection

from broker import requesters, tables
from broker.commands.console import AsJson, ConfigFile, failing_clearly, read_words, show, storage_of
from broker.moments import rfc3339
from broker.settings import Settings
from broker.stops import read_all, start_releases, stop_releases
from policies.catalogue import Catalogue
from policies.refusals import Code, Refused

app = typer.Typer(help="Stop and start releases.", no_args_is_help=True)

OneItem = Annotated[str, typer.Option("--item", help="Only this item; without it, everything.")]
OneRequester = Annotated[str, typer.Option("--requester", help="Of the item, only what goes to this requester.")]


@app.command("stop")
def stop(
    config: ConfigFile,
    reason: Annotated[str, typer.Option(help="Why, for the log.")],
    item: OneItem = "",
    requester: OneRequester = "",
    as_json: AsJson = False,
) -> None:
    """From this commit on nothing is admitted, and nothing under way is released."""
    reason = read_words(reason, tables.stop.c.reason)
    with failing_clearly(), storage_of(config) as (settings, storage):
        with storage.reader.begin() as connection:
            _check(connection, settings, item, requester)
        storage.ledger.record(partial(stop_releases, item=item, reason=reason, requester=requester)).result()
    show({"releases": "stopped", "item": item, "requester": requester}, as_json=as_json)


@app.command("start")
def start(config: ConfigFile, item: OneItem = "", requester: OneRequester = "", as_json: AsJson = False) -> None:
    """Lift a stop of the operator's; a department's own stays."""
    with failing_clearly(), storage_of(config) as (_, storage):
        storage.ledger.record(lambda transaction: start_releases(transaction, item, requester=requester)).result()
    show({"releases": "started", "item": item, "requester": requester}, as_json=as_json)


@app.command("list")
def list_all(config: ConfigFile, as_json: AsJson = False) -> None:
    """What is stopped now, by whom and why."""
    with failing_clearly(), storage_of(config) as (_, storage), storage.reader.begin() as connection:
        stops = read_all(connection)
    table = Table("item", "requester", "side", "since", "reason")
    told = []
    for one in stops:
        since = rfc3339(one.stopped_at)
        side = f"{one.department} {one.by}".strip()
        told.append({"item": one.item, "requester": one.requester, "side": side, "since": since, "reason": one.reason})
        table.add_row(one.item or "*", one.requester or "*", side or "operator", since, one.reason)
    show({"stops": told}, as_json=as_json, table=table)


def _check(connection: Connection, settings: Settings, item: str, requester: str) -> None:
    if item and item not in Catalogue.load(settings.catalogue).items:
        raise Refused(Code.UNKNOWN_ITEM)
    if requester and not item:
        raise typer.BadParameter("name the item too; a requester who is to get nothing is suspended")
    if requester and requesters.find(connection, requester) is None:
        raise Refused(Code.NOT_FOUND)
