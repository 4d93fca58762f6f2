"""`broker subjects erase`: forget a person for good."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from audit.batch import Transaction
from broker.commands.console import AsJson, ConfigFile, failing_clearly, show, storage_of
from broker.database import open_database
from broker.keys import read_keys
from broker.login import end_sessions
from consent.erasure import erase, find_subject
from policies.identifiers import read_id_number
from policies.refusals import Code, Refused

app = typer.Typer(help="People.", no_args_is_help=True)


@app.callback()
def people() -> None:
    """People: what is kept of them, and its end."""


@app.command("erase")
def erase_one(
    config: ConfigFile,
    file: Annotated[
        Path | None,
        typer.Option(help='A file with {"id_number": ...}; by default standard input, for process lists are public.'),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Withdraw what stands, destroy the person's key and the mapping from the id number, and record it."""
    with failing_clearly(), storage_of(config) as (settings, storage):
        keys = read_keys(settings.secrets, settings.log_origin).subjects
        id_number = id_number_in(file.read_text(encoding="utf-8") if file is not None else sys.stdin.read())

        def work(transaction: Transaction) -> str:
            subject_ref = find_subject(transaction.connection, keys, id_number)
            erase(transaction, subject_ref)
            end_sessions(transaction, subject_ref)
            return subject_ref

        recorded = storage.ledger.record(work).result()
    database = open_database(settings)
    database.sweep()
    database.close()
    show({"erased": recorded.value, "entry": recorded.entries[-1]}, as_json=as_json)


def id_number_in(text: str) -> str:
    """Read {"id_number": ...}. Raises Refused(invalid_request); no error holds the number."""
    try:
        return read_id_number(json.loads(text)["id_number"])
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(Code.INVALID_REQUEST, member="id_number") from error
