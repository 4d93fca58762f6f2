"""`broker witness init|add-log|serve`: a witness of somebody's log, with its own key and store and nothing of a broker.

Whoever holds witness.key can cosign in this witness's name; whoever can write witness.db can make it forget.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from audit.cosignature import Cosigner
from audit.witness import Witness
from audit.witness_store import WitnessStore
from broker.commands.console import AsJson, failing_clearly, show, talk
from broker.listening import listen_on
from broker.secret_files import read_secret, write_secret
from broker.signing import SigningKey
from broker.telemetry import open_log
from broker.witness_server import create_witness_app, make_witness_server
from policies.strict_yaml import ConfigurationError

app = typer.Typer(help="Watch a log for others: cosign only what continues all that was seen.", no_args_is_help=True)

KEY: Final = "witness.key"
VKEY: Final = "witness.vkey"
STORE: Final = "witness.db"

Folder = Annotated[Path, typer.Argument(help="The witness's own folder.")]


@app.command("init")
def init(
    folder: Folder,
    name: Annotated[str, typer.Option(help="Its name in cosignatures, like an address without https://.")],
    as_json: AsJson = False,
) -> None:
    """Make a witness's folder: key, verifier key and empty store."""
    with failing_clearly():
        key = Ed25519PrivateKey.generate()
        cosigner = Cosigner(name, key)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_secret(folder / KEY, SigningKey.of(key).pem())
        WitnessStore.create(folder / STORE)
        (folder / VKEY).write_text(f"{cosigner.vkey}\n", encoding="utf-8")
    talk.print("Give the verifier key to the log's operator and to everybody who checks it.")
    show({"vkey": cosigner.vkey}, as_json=as_json)


@app.command("add-log")
def add_log(
    folder: Folder,
    vkey: Annotated[str, typer.Option(help="The log's verifier key; its name is the origin.")],
    as_json: AsJson = False,
) -> None:
    """Watch a log. A running witness takes it up at once."""
    with failing_clearly():
        origin = WitnessStore(folder / STORE).watch(vkey)
    show({"origin": origin}, as_json=as_json)


@app.command("serve")
def serve(
    folder: Folder,
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 8410,
    host: Annotated[str, typer.Option(help="The address to listen on; put a proxy with https before any other.")] = (
        "127.0.0.1"
    ),
) -> None:
    """Run the witness until it is told to stop. Prints one JSON line when it accepts connections."""
    with failing_clearly():
        cosigner = read_cosigner(folder)
        store = WitnessStore(folder / STORE)
        listener = listen_on(host, port)
    server = make_witness_server(
        create_witness_app(Witness(cosigner, store, lambda: int(time.time())), store, open_log())
    )
    address = f"http://{host}:{listener.getsockname()[1]}"
    sys.stdout.write(json.dumps({"ready": True, "address": address, "pid": os.getpid(), "vkey": cosigner.vkey}) + "\n")
    sys.stdout.flush()
    server.run(sockets=[listener])


def read_cosigner(folder: Path) -> Cosigner:
    """The key, under the name it was made with. Raises ConfigurationError."""
    key = load_pem_private_key(read_secret(folder / KEY), None)
    try:
        vkey = (folder / VKEY).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{folder / VKEY}:1: cannot be read") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(f"{folder / KEY}:1: not an Ed25519 key")
    cosigner = Cosigner(vkey.partition("+")[0], key)
    if cosigner.vkey != vkey:
        raise ConfigurationError(f"{folder / VKEY}:1: not the verifier key of {KEY}")
    return cosigner
