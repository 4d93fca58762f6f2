"""`broker init`, `serve` and `check`: found a broker, run it, look whether it could run."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from broker import sealing
from broker.commands.console import AsJson, ConfigFile, failing_clearly, show, talk
from broker.founding import CONFIGURATION, found_broker
from broker.keys import read_keys
from broker.server import end_with_stdin, listen_on, make_server
from broker.settings import Settings, read_settings
from broker.telemetry import Telemetry, open_log
from broker.wiring import open_storage
from connectors.directory import Directory
from policies.catalogue import Catalogue
from policies.decision import Rules


def init(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    issuer: Annotated[str, typer.Option(help="The public address, without a path.")] = "http://127.0.0.1:8400",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8400,
    database: Annotated[str, typer.Option(help="A file's name, or postgresql://user@host/name.")] = "broker.db",
    test_identity: Annotated[
        bool, typer.Option("--test-identity", help="Let anybody sign in as anybody; loopback only.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a broker's folder: configuration, keys, database and empty log."""
    with failing_clearly():
        settings = found_broker(folder, issuer=issuer, port=port, test_identity=test_identity, database=database)
        vkey = read_keys(settings.secrets, settings.log_origin).log.vkey
    talk.print("Keep the log's verifier key somewhere else too: it is what you will check the log against.")
    show({"config": str(folder / CONFIGURATION), "log_vkey": vkey}, as_json=as_json)


def serve(
    config: ConfigFile,
    until_stdin_ends: Annotated[
        bool, typer.Option("--end-with-stdin", help="End when whoever started this is gone.")
    ] = False,
) -> None:
    """Run the broker until it is told to stop. Prints one JSON line when it accepts connections."""
    with failing_clearly():
        settings = read_settings(config)
        server = make_server(settings, Telemetry(open_log()))
        listener = listen_on(settings.host, settings.port)
    if until_stdin_ends:
        end_with_stdin(server)
    address = f"http://{settings.host}:{listener.getsockname()[1]}"
    # The backlog takes connections from here on, so whoever reads this line can call
    sys.stdout.write(json.dumps({"ready": True, "address": address, "pid": os.getpid()}) + "\n")
    sys.stdout.flush()
    server.run(sockets=[listener])


def check(config: ConfigFile, as_json: AsJson = False) -> None:
    """Read everything that `serve` would read, and say what it would refuse. Changes nothing."""
    with failing_clearly():
        settings = read_settings(config)
        found = _found(settings)
    show(found, as_json=as_json)


def _found(settings: Settings) -> dict[str, object]:
    catalogue = Catalogue.load(settings.catalogue)
    rules = Rules.load(settings.rules)
    directory = Directory.load(settings.routes, catalogue.items, settings.route_secrets)
    keys = read_keys(settings.secrets, settings.log_origin)
    database, storage = open_storage(settings, keys)
    storage.ledger.close()
    vkey = storage.ledger.signer.vkey
    safety = database.safety()
    database.close()
    warnings = [f"no route for item {item}" for item in sorted(catalogue.items.keys() - directory.items())]
    warnings += safety.warnings
    warnings += sealing.warnings(settings.witnesses, settings.timestamps)
    if settings.test_identity:
        warnings.append("identity: test lets anybody sign in as anybody")
    return {
        "ok": True,
        "catalogue": catalogue.version,
        "rules": rules.digest,
        "routes": sorted(directory.items()),
        "log_vkey": vkey,
        "database": {"store": safety.store, **safety.settings},
        "warnings": warnings,
    }
