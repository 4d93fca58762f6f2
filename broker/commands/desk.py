"""`broker desk`: the counter, a requester's own program beside no broker, with its own keys, database and clerks.

broker desk --config FILE                              serve the clerks' pages until told to stop
broker desk init DIR --broker URL --log-vkey VKEY --requester ID --name NAME --case-prefix YZ --desk 3号窗口 --matter M
broker desk card --config FILE                         what other centres know this one by
broker desk clerks add|list|end --config FILE NUMBER   the PIN is read from standard input
broker desk assign --config FILE CASE NUMBER           give a case to a colleague
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from broker.commands.console import AsJson, failing_clearly, show, stop, talk
from broker.commands.exits import ExitCode
from broker.desk import cases, clerks
from broker.desk.app import make_desk_server
from broker.desk.founding import NewDesk, card_of, found_desk
from broker.desk.refusals import Refused
from broker.desk.settings import read_desk_settings
from broker.desk.store import Store
from broker.listening import end_with_stdin, listen_on
from broker.telemetry import open_log

app = typer.Typer(help="The counter: a requester's own program.", invoke_without_command=True)
people = typer.Typer(help="The named clerks of this desk.", no_args_is_help=True)
app.add_typer(people, name="clerks")

DeskConfig = Annotated[Path, typer.Option("--config", help="The desk's configuration file.", exists=True)]
Number = Annotated[str, typer.Argument(metavar="NUMBER", help="A clerk's staff number.")]


@app.callback()
def serve(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option("--config", help="The desk's configuration file.")] = None,
    until_stdin_ends: Annotated[
        bool, typer.Option("--end-with-stdin", help="End when whoever started this is gone.")
    ] = False,
) -> None:
    """Without a further word: run the desk. Prints one JSON line when it accepts connections."""
    if context.invoked_subcommand is not None:
        return
    if config is None:
        raise stop("desk: give --config FILE", ExitCode.USAGE)
    with failing_clearly():
        settings = read_desk_settings(config)
        server = make_desk_server(settings, Store(settings.database), open_log())
        listener = listen_on(settings.listen.host, settings.listen.port)
    if until_stdin_ends:
        end_with_stdin(server)
    sys.stdout.write(json.dumps({"ready": True, "address": settings.address, "pid": os.getpid()}) + "\n")
    sys.stdout.flush()
    server.run(sockets=[listener])


@app.command("init")
def init(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    broker: Annotated[str, typer.Option(help="The broker's address, as its tokens name it.")],
    log_vkey: Annotated[str, typer.Option(help="The verifier key of the broker's log.")],
    requester: Annotated[str, typer.Option(help="Your own id at the broker.")],
    name: Annotated[str, typer.Option(help="The centre's name in Chinese.")],
    case_prefix: Annotated[str, typer.Option(help="How case numbers begin.")],
    desk: Annotated[list[str], typer.Option(help="A window; may be given several times.")],
    matter: Annotated[list[str], typer.Option(help="A matter that it is registered for; several times.")],
    name_en: Annotated[str, typer.Option(help="The centre's name in English.")] = "",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8420,
    as_json: AsJson = False,
) -> None:
    """Make a desk's folder: configuration, keys and an empty database."""
    new = NewDesk(broker, log_vkey, requester, name, name_en or name, case_prefix, tuple(desk), tuple(matter), port)
    with failing_clearly():
        config = found_desk(folder, new)
        card = card_of(read_desk_settings(config))
    key = folder / "requester.jwk"
    key.write_text(json.dumps(card["signs"]), encoding="utf-8")
    talk.print("Have the broker's operator register requester.jwk (`broker requesters add`).")
    show({"config": str(config), "key": str(key)}, as_json=as_json)


@app.command("card")
def card(config: DeskConfig) -> None:
    """Print this centre's card as JSON; a partner names its file under `partners`."""
    with failing_clearly():
        show(card_of(read_desk_settings(config)), as_json=True)


@app.command("assign")
def assign(case: Annotated[str, typer.Argument(help="The case's number.")], number: Number, config: DeskConfig) -> None:
    """Give a case to another clerk, as when its own is ill."""
    with _store(config) as store:
        clerk = store.now(lambda connection: clerks.find(connection, number))
        if clerk is None:
            raise stop("no such clerk", ExitCode.NOT_FOUND)
        store.now(lambda connection: cases.assign(connection, case, clerk))
    show({"case": case, "clerk": number}, as_json=False)


@people.command("add")
def add(
    number: Number,
    config: DeskConfig,
    name: Annotated[str, typer.Option(help="Her name, as colleagues know her.")],
    as_json: AsJson = False,
) -> None:
    """Add a clerk. Her PIN is read from standard input."""
    pin = sys.stdin.readline().rstrip("\r\n")
    with _store(config) as store:
        try:
            store.now(lambda connection: clerks.add(connection, number, name, pin))
        except ValueError as error:
            raise stop(str(error), ExitCode.USAGE) from None
    show({"clerk": number}, as_json=as_json)


@people.command("list")
def list_all(config: DeskConfig, as_json: AsJson = False) -> None:
    """Every clerk there was."""
    with _store(config) as store:
        found = store.now(clerks.read_all)
    table = Table("number", "name", "active")
    for clerk, active in found:
        table.add_row(clerk.number, clerk.name, "yes" if active else "no")
    members = [{"number": clerk.number, "name": clerk.name, "active": active} for clerk, active in found]
    show({"clerks": members}, as_json=as_json, table=table)


@people.command("end")
def end(number: Number, config: DeskConfig) -> None:
    """She signs in no more."""
    with _store(config) as store:
        store.now(lambda connection: clerks.end(connection, number))
    show({"clerk": number}, as_json=False)


@contextmanager
def _store(config: Path) -> Iterator[Store]:
    with failing_clearly():
        store = Store(read_desk_settings(config).database)
        try:
            yield store
        except Refused as refused:
            raise stop(refused.words(english=True), ExitCode.NOT_FOUND) from None
        finally:
            store.close()
