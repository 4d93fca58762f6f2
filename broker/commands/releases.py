"""`broker releases stop|start`: the one switch that stops data from leaving, for everything or one item."""

from typing import Annotated

import typer

from broker import tables
from broker.commands.console import AsJson, ConfigFile, failing_clearly, read_words, show, storage_of
from broker.stops import start_releases, stop_releases
from policies.catalogue import Catalogue
from policies.refusals import Code, Refused

app = typer.Typer(help="Stop and start releases.", no_args_is_help=True)

OneItem = Annotated[str, typer.Option("--item", help="Only this item; without it, everything.")]


@app.command("stop")
def stop(
    config: ConfigFile,
    reason: Annotated[str, typer.Option(help="Why, for the log.")],
    item: OneItem = "",
    as_json: AsJson = False,
) -> None:
    """From this commit on nothing is admitted, and nothing under way is released."""
    reason = read_words(reason, tables.stop.c.reason)
    with failing_clearly(), storage_of(config) as (settings, storage):
        if item and item not in Catalogue.load(settings.catalogue).items:
            raise Refused(Code.UNKNOWN_ITEM)
        storage.ledger.record(lambda transaction: stop_releases(transaction, item, reason)).result()
    show({"releases": "stopped", "item": item}, as_json=as_json)


@app.command("start")
def start(config: ConfigFile, item: OneItem = "", as_json: AsJson = False) -> None:
    """Lift a stop."""
    with failing_clearly(), storage_of(config) as (_, storage):
        storage.ledger.record(lambda transaction: start_releases(transaction, item)).result()
    show({"releases": "started", "item": item}, as_json=as_json)
