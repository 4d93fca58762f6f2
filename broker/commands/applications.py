"""`broker applications file|complete|list|show`: the requester's side of an application; the answers are the steward's.

What is applied for comes as a file or on standard input: {"requester", "item", "fields", "basis", "scenario", "scope",
"way", "time"}.
"""

import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from broker.commands.console import AsJson, ConfigFile, failing_clearly, show, storage_of
from broker.names import Names
from broker.settings import Settings
from broker.stewards import applications, filing
from broker.stewards.applications import Office
from broker.stewards.filing import Application
from broker.stops import Side
from policies.catalogue import Catalogue
from policies.refusals import Code, Refused

app = typer.Typer(help="Applications to departments for items and fields.", no_args_is_help=True)

Number = Annotated[str, typer.Argument(help="Such as SQ-7K3M-Q2ZP.")]
File = Annotated[Path | None, typer.Option(help="A JSON file; by default standard input.")]


@app.command("file")
def file(
    config: ConfigFile,
    file: File = None,
    department: Annotated[str, typer.Option(help="Whose it is, where the catalogue does not know the item yet.")] = "",
    as_json: AsJson = False,
) -> None:
    """File one; its number, and what is missing in it."""
    with failing_clearly(), storage_of(config) as (settings, storage):
        application, catalogue = _read(file), Catalogue.load(settings.catalogue)
        office = _office(settings, filing.department_of(catalogue, application, department))
        work = partial(applications.file, application=application, catalogue=catalogue, office=office)
        number = storage.ledger.record(work).result().value
    show({"number": number, "missing": application.missing}, as_json=as_json)


@app.command("complete")
def complete(number: Number, config: ConfigFile, file: File = None, as_json: AsJson = False) -> None:
    """Bring what was missing: the whole application once more."""
    with failing_clearly(), storage_of(config) as (settings, storage):
        application = _read(file)
        work = partial(applications.complete, number=number, application=application, office=_office(settings, ""))
        storage.ledger.record(work).result()
    show({"number": number, "missing": application.missing}, as_json=as_json)


@app.command("list")
def list_all(config: ConfigFile, as_json: AsJson = False) -> None:
    """All of them: those whose clock runs first."""
    with failing_clearly(), storage_of(config) as (settings, storage), storage.reader.begin() as connection:
        names = Names.read(connection, Catalogue.load(settings.catalogue), english=True)
        told = [applications.members(names, one, time.time()) for one in applications.read_all(connection)]
    table = Table("number", "requester", "department", "item", "status", "due")
    for one in told:
        table.add_row(*(str(one[name]) for name in ("number", "requester", "department", "item", "status", "due_on")))
    show({"applications": told}, as_json=as_json, table=table)


@app.command("show")
def show_one(number: Number, config: ConfigFile, as_json: AsJson = False) -> None:
    """One, with what the applicant was told."""
    with failing_clearly(), storage_of(config) as (settings, storage), storage.reader.begin() as connection:
        names = Names.read(connection, Catalogue.load(settings.catalogue), english=True)
        told = applications.members(names, applications.find(connection, number), time.time())
    show(told, as_json=as_json)


def _office(settings: Settings, department: str) -> Office:
    return Office(Side(department), settings.deadlines)


def _read(file: Path | None) -> Application:
    text = file.read_text(encoding="utf-8") if file is not None else sys.stdin.read()
    try:
        given: Any = json.loads(text)
    except ValueError as error:
        raise Refused(Code.INVALID_REQUEST) from error
    if not isinstance(given, dict):
        raise Refused(Code.INVALID_REQUEST)
    return filing.read_application(given)
