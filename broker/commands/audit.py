"""`broker audit export|verify|prove`: the log as files, checked without the server, and one entry's receipt."""

import base64
import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection, select

from audit import tables, tiles, verify
from audit.batch import Transaction, read_head
from audit.checkpoint import format_proof
from audit.errors import NotInLog
from audit.events import LogExported
from audit.merkle import inclusion_path
from broker.commands.console import AsJson, ConfigFile, failing_clearly, progress, show, storage_of
from broker.keys import read_keys
from broker.wiring import log_size

app = typer.Typer(help="The log: export, verify, prove.", no_args_is_help=True)


@app.command("export")
def export(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")], config: ConfigFile, as_json: AsJson = False
) -> None:
    """Write the log as a tlog-tiles folder. That it was exported is itself in the log."""
    with failing_clearly(), storage_of(config) as (settings, storage):
        vkey = read_keys(settings.secrets, settings.log_origin).log.vkey

        def note(transaction: Transaction) -> None:
            transaction.append(LogExported(size=log_size(transaction.connection)))

        storage.ledger.record(note).result()
        with storage.reader.begin() as connection, progress("exporting") as advance:
            exported = tiles.export(connection, folder, vkey, advance)
    show({"folder": str(folder), "size": exported.size, "root": exported.root.hex(), "vkey": vkey}, as_json=as_json)


@app.command("verify")
def verify_folder(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False)],
    key: Annotated[str, typer.Option(help="The log's verifier key as you pinned it, never one found beside the log.")],
    since: Annotated[Path | None, typer.Option(help="A checkpoint you kept from before.", exists=True)] = None,
    as_json: AsJson = False,
) -> None:
    """Check an export: signature, every leaf, the root, times, and that nothing left without its record."""
    arguments = [str(folder), "--key", key]
    arguments += ["--since", str(since)] if since is not None else []
    arguments += ["--json"] if as_json else []
    raise typer.Exit(verify.main(arguments))


@app.command("prove")
def prove(index: Annotated[int, typer.Argument(min=0)], config: ConfigFile) -> None:
    """The receipt of one entry, as JSON: its exact bytes and the proof that they are in the log."""
    with failing_clearly(), storage_of(config) as (_, storage), storage.reader.begin() as connection:
        entry, proof = _prove(connection, index)
    sys.stdout.write(json.dumps({"entry": base64.b64encode(entry).decode(), "proof": proof}) + "\n")


def _prove(connection: Connection, index: int) -> tuple[bytes, str]:
    head = read_head(connection)
    size = head.frontier.size
    if index >= size:
        raise NotInLog(f"the log has {size} entries; there is no entry {index}")
    body = connection.execute(select(tables.entry.c.body).where(tables.entry.c.idx == index)).scalar_one()
    path = inclusion_path(index, size, tiles.node_reader(connection, size))
    return body, format_proof(index, path, head.checkpoint)
