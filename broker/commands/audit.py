"""`broker audit export|verify|prove`: the log as files, checked without the server, and one entry's receipt.

Searching is in searching.py.
"""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from audit import tiles, verify
from audit.batch import Transaction
from audit.events import LogExported
from audit.proofs import receipts
from broker.commands import searching
from broker.commands.console import AsJson, ConfigFile, failing_clearly, progress, show, storage_of, talk
from broker.exchange import receipt_members
from broker.forking import accept_fork
from broker.settings import read_settings
from broker.wiring import log_size

app = typer.Typer(help="The log: search, export, verify, prove.", no_args_is_help=True)
app.command("search")(searching.search_log)
app.command("reindex")(searching.reindex)


@app.command("export")
def export(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")], config: ConfigFile, as_json: AsJson = False
) -> None:
    """Write the log as a tlog-tiles folder. That it was exported is itself in the log."""
    with failing_clearly(), storage_of(config) as (_, storage):
        vkey = storage.ledger.signer.vkey

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
    witness: Annotated[list[str] | None, typer.Option(help="A witness's verifier key that must have cosigned.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check an export: signature, every leaf, the root, times, and that nothing left without its record."""
    arguments = [str(folder), "--key", key]
    arguments += ["--since", str(since)] if since is not None else []
    arguments += [part for vkey in witness or () for part in ("--witness", vkey)]
    arguments += ["--json"] if as_json else []
    raise typer.Exit(verify.main(arguments))


@app.command("accept-fork")
def accept(
    config: ConfigFile,
    reason: Annotated[str, typer.Option(help="Why the log does not extend what was known, for the log.")],
    as_json: AsJson = False,
) -> None:
    """After a restored backup: go on under a new origin that records the break. The server must be down."""
    with failing_clearly():
        signer = accept_fork(read_settings(config), reason)
    talk.print("Receipts of what was lost stay true of the old log. Tell auditors and witnesses the new verifier key.")
    talk.print(
        "Releases are STOPPED: what was withdrawn, erased or used in the lost entries is not known here. Withdraw and "
        "erase again what people and requesters can show you, then `broker releases start`.",
        soft_wrap=True,
    )
    show({"origin": signer.name, "log_vkey": signer.vkey}, as_json=as_json)


@app.command("prove")
def prove(index: Annotated[int, typer.Argument(min=0)], config: ConfigFile) -> None:
    """The receipt of one entry, as JSON: its exact bytes and the proof that they are in the log."""
    with failing_clearly(), storage_of(config) as (_, storage), storage.reader.begin() as connection:
        receipt = receipts(connection, [index])[index]
    sys.stdout.write(json.dumps(receipt_members(receipt)) + "\n")
