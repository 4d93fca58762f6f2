"""`broker init`, `serve` and `check`: found a broker, run it, look whether it could run."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from broker import deadlines, openid_settings, sealing
from broker.backup_record import read_acts
from broker.commands.console import AsJson, ConfigFile, failing_clearly, show, talk
from broker.founding import CONFIGURATION, found_broker
from broker.keys import read_keys
from broker.listening import end_with_stdin, listen_on
from broker.server import make_server
from broker.settings import Settings, read_settings
from broker.systemd import sockets_handed_over
from broker.telemetry import Telemetry, open_log
from broker.wiring import open_storage, wall_clock
from connectors.directory import Directory
from connectors.dry_run import missing_samples
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
        listeners = sockets_handed_over() or [listen_on(settings.host, settings.port)]
    if until_stdin_ends:
        end_with_stdin(server)
    address = f"http://{settings.host}:{settings.port or listeners[0].getsockname()[1]}"
    # The backlog takes connections from here on, so whoever reads this line can call
    sys.stdout.write(json.dumps({"ready": True, "address": address, "pid": os.getpid()}) + "\n")
    sys.stdout.flush()
    server.run(sockets=listeners)


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
    with database.reader.begin() as connection:
        overdue = read_acts(connection).alarms(settings.backup, wall_clock() / 1_000_000)
    database.close()
    unrouted = sorted(catalogue.items.keys() - directory.items())
    warnings = [f"no route, and so never asked for: {', '.join(unrouted)}"] if unrouted else []
    unrecorded = missing_samples(settings.routes)
    warnings += [f"no recorded sample for the routes {', '.join(unrecorded)}"] if unrecorded else []
    warnings += deadlines.warnings(settings.workdays, time.time())
    warnings += safety.warnings
    warnings += sealing.warnings(settings.witnesses, settings.timestamps)
    warnings += openid_settings.warnings(settings.openid, settings.assurance)
    warnings += [*settings.backup.warnings(), *overdue.values()]
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
