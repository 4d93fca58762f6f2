"""`broker problems list|add|close` and `broker consultations add|list`: what hurts, who mends it, who only asked."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from broker import improvement
from broker.commands.console import AsJson, ConfigFile, failing_clearly, show, storage_of
from broker.improvement import Channel, Found, Source
from policies.catalogue import Catalogue
from policies.refusals import Code, Refused

problems = typer.Typer(help="What hurts on the way, with an owner and a clock.", no_args_is_help=True)
consultations = typer.Typer(help="Questions that were asked, counted apart from cases.", no_args_is_help=True)

Matter = Annotated[str, typer.Option("--matter", help="The matter's id.")]


@problems.command("list")
def list_problems(
    config: ConfigFile,
    closed: Annotated[bool, typer.Option("--closed", help="Those that were mended.")] = False,
    as_json: AsJson = False,
) -> None:
    """The open ones, the first due first."""
    with failing_clearly(), storage_of(config) as (_, storage), storage.reader.begin() as connection:
        found = improvement.problems(connection, closed=closed)
    table = Table("number", "due", "owner", "matter", "step", "what")
    for one in found:
        what = f"{one['text']}\n→ {one['remedy']}" if closed else one["text"]
        table.add_row(str(one["number"]), one["due_on"], one["owner"], one["matter"], one["step"], Text(what))
    show({"problems": list(found)}, as_json=as_json, table=table)


@problems.command("add")
def add_problem(
    config: ConfigFile,
    text: Annotated[str, typer.Option(help="What hurts; no name and no number of anybody.")],
    owner: Annotated[str, typer.Option(help="Who mends it.")],
    matter: Matter = "",
    step: Annotated[str, typer.Option(help="At which step.")] = "other",
    workdays: Annotated[int, typer.Option(help="Within how many workdays.")] = improvement.WORKDAYS,
    as_json: AsJson = False,
) -> None:
    """Write one down."""
    with failing_clearly(), storage_of(config) as (settings, storage):
        if matter and matter not in Catalogue.load(settings.catalogue).matters:
            raise Refused(Code.UNKNOWN_MATTER)
        found = Found(
            source=Source.LISTED,
            matter=matter,
            step=step,
            text=text,
            owner=owner,
            calendar=settings.workdays,
            workdays=workdays,
        )
        number = storage.ledger.record(lambda transaction: improvement.open_problem(transaction, found)).result().value
    show({"number": number}, as_json=as_json)


@problems.command("close")
def close_problem(
    config: ConfigFile,
    number: Annotated[int, typer.Argument(min=1)],
    remedy: Annotated[str, typer.Option(help="What was done about it.")],
    as_json: AsJson = False,
) -> None:
    """Close one, with what was done."""
    with failing_clearly(), storage_of(config) as (_, storage):
        storage.ledger.record(lambda transaction: improvement.close_problem(transaction, number, remedy)).result()
    show({"number": number, "status": "closed"}, as_json=as_json)


@consultations.command("add")
def add_consultation(
    config: ConfigFile,
    channel: Annotated[Channel, typer.Option(help="By which way it came.")],
    matter: Matter = "",
    answered: Annotated[bool, typer.Option("--answered/--open", help="Whether it was answered.")] = True,
    as_json: AsJson = False,
) -> None:
    """Count one more."""
    with failing_clearly(), storage_of(config) as (settings, storage):
        if matter and matter not in Catalogue.load(settings.catalogue).matters:
            raise Refused(Code.UNKNOWN_MATTER)
        storage.ledger.record(
            lambda transaction: improvement.count_consultation(transaction, channel, matter, answered=answered)
        ).result()
    show({"channel": channel, "matter": matter, "answered": answered}, as_json=as_json)


@consultations.command("list")
def list_consultations(config: ConfigFile, as_json: AsJson = False) -> None:
    """By month, channel and matter."""
    with failing_clearly(), storage_of(config) as (_, storage), storage.reader.begin() as connection:
        found = improvement.consultations(connection)
    table = Table("month", "channel", "matter", "answered", "number")
    for one in found:
        table.add_row(one["month"], one["channel"], one["matter"], "yes" if one["answered"] else "no", str(one["n"]))
    show({"consultations": list(found)}, as_json=as_json, table=table)
