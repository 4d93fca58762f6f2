"""`broker questions|corrections list|show|answer`: what people ask, from the terminal.

What a person wrote is shown by `show` alone; an answer comes by standard input, for process lists are public.
"""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection

from broker.commands.console import AsJson, ConfigFile, failing_clearly, show, storage_of
from broker.inquiring import members, read_text
from broker.keys import read_keys
from broker.settings import Settings
from broker.storage import Storage
from consent import inquiries
from consent.inquiries import Inquiry, Kind
from consent.subjects import SubjectKeys
from policies.refusals import Code, Refused

AT_MOST = 500
Number = Annotated[str, typer.Argument(help="Such as WT-7K3M-Q2ZP.")]


def commands(kind: Kind, about: str) -> typer.Typer:
    """The three commands for one kind."""
    app = typer.Typer(help=about, no_args_is_help=True)

    @app.command("list")
    def list_open(
        config: ConfigFile,
        limit: Annotated[int, typer.Option(min=1, max=AT_MOST)] = 50,
        as_json: AsJson = False,
    ) -> None:
        """The open ones, those due first at the head; nothing of what they say."""
        with failing_clearly(), storage_of(config) as (_, storage), storage.reader.begin() as connection:
            waiting = inquiries.waiting(connection, kind, limit)
            number = inquiries.count_waiting(connection, kind)
        told = {"open": number, "inquiries": [_outside(one) for one in waiting]}
        show(told, as_json=as_json, table=_table(waiting))

    @app.command("show")
    def show_one(config: ConfigFile, number: Number, as_json: AsJson = False) -> None:
        """One, with its text and answer."""
        with failing_clearly(), storage_of(config) as (settings, storage), storage.reader.begin() as connection:
            told = _whole(connection, _keys(settings), _of_kind(connection, number, kind))
        show(dict(told), as_json=as_json)

    @app.command("answer")
    def answer_one(
        config: ConfigFile,
        number: Number,
        file: Annotated[
            Path | None, typer.Option(help="A file with the answer in plain text; by default standard input.")
        ] = None,
        as_json: AsJson = False,
    ) -> None:
        """Answer one, once and for good; the person reads it on her page and in her inbox."""
        with failing_clearly(), storage_of(config) as (settings, storage):
            given = file.read_text(encoding="utf-8") if file is not None else sys.stdin.read()
            entry = _answer(storage, _keys(settings), number, kind, read_text(given, inquiries.ANSWER_LIMIT))
        show({"number": number, "status": inquiries.ANSWERED, "entry": entry}, as_json=as_json)

    return app


def _answer(storage: Storage, keys: SubjectKeys, number: str, kind: Kind, text: str) -> int:
    with storage.reader.begin() as connection:
        _of_kind(connection, number, kind)
    recorded = storage.ledger.record(lambda transaction: inquiries.answer(transaction, keys, number, text)).result()
    return recorded.entries[-1]


def _keys(settings: Settings) -> SubjectKeys:
    return read_keys(settings.secrets, settings.log_origin).subjects


def _of_kind(connection: Connection, number: str, kind: Kind) -> Inquiry:
    found = inquiries.find(connection, number)
    if found.asking.kind is not kind:
        raise Refused(Code.NOT_FOUND)
    return found


def _whole(connection: Connection, keys: SubjectKeys, one: Inquiry) -> Mapping[str, Any]:
    return members(connection, keys, one, time.time())


def _outside(one: Inquiry) -> dict[str, Any]:
    asked = one.asking
    return {
        "number": one.number,
        "due_on": one.due_on,
        "about": asked.about,
        "requester": asked.requester,
        "department": asked.department,
        "item": asked.item,
    }


def _table(waiting: Any) -> Table:
    table = Table("number", "due", "entry", "requester", "department", "item")
    for one in waiting:
        table.add_row(*(Text(str(value)) for value in _outside(one).values()))
    return table


questions = commands(Kind.QUESTION, "People's questions to the auditors.")
corrections = commands(Kind.CORRECTION, "People's corrections to departments.")
