"""`broker staff found|list`: the first auditors and security administrator; everybody else is made on the page.

Whoever has a shell on this machine is a system administrator in fact: after the founding, that makes nobody an auditor.
"""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from broker.commands.console import AsJson, ConfigFile, failing_clearly, show, storage_of
from broker.filing import FiledPerson, read_person
from broker.keys import read_keys
from broker.staff import people
from broker.staff.people import Member, NewMember
from broker.staff.roles import FOUNDED, Role
from policies.identifiers import read_identifier
from policies.refusals import Code, Refused
from policies.vocabulary import Person

app = typer.Typer(help="Auditors, stewards and administrators.", no_args_is_help=True)


@app.command("found")
def found(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The staff number, such as a-001.")],
    config: ConfigFile,
    role: Annotated[Role, typer.Option(help="auditor (two of them) or security (one); once.")],
    file: Annotated[
        Path | None,
        typer.Option(help='A file with {"name": ..., "id_number": ...}; by default standard input.'),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make one of the first. Refused once there were as many: they make the others, on the page /staff/people."""
    with failing_clearly(), storage_of(config) as (settings, storage):
        if role not in FOUNDED:
            raise Refused(Code.FORBIDDEN)
        keys = read_keys(settings.secrets, settings.log_origin).subjects
        person = _person(file.read_text(encoding="utf-8") if file is not None else sys.stdin.read())
        new = NewMember(_number(number), person, role)
        made = storage.ledger.record(lambda transaction: people.found(transaction, keys, new)).result().value
    show(_told(made), as_json=as_json)


@app.command("list")
def list_all(config: ConfigFile, as_json: AsJson = False) -> None:
    """Who has which role."""
    with failing_clearly(), storage_of(config) as (_, storage), storage.reader.begin() as connection:
        members = people.read_all(connection)
    table = Table("number", "name", "role", "department", "status")
    for one in members:
        table.add_row(one.number, one.name, one.role, one.department, one.status)
    show({"people": [_told(one) for one in members]}, as_json=as_json, table=table)


def _person(text: str) -> Person:
    try:
        given = json.loads(text)
        return read_person(FiledPerson(given["name"], given["id_number"]), member="person")
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(Code.INVALID_REQUEST, member="person") from error


def _number(text: str) -> str:
    try:
        return read_identifier(text, range(2, 33))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _told(one: Member) -> dict[str, Any]:
    return {
        "number": one.number,
        "name": one.name,
        "role": one.role,
        "department": one.department,
        "status": one.status,
    }
