"""`broker keys show|new`: the broker's public keys, and a new key pair for a requester."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from broker.commands.console import AsJson, ConfigFile, failing_clearly, show, talk
from broker.keys import read_keys
from broker.secret_files import write_secret
from broker.settings import read_settings
from broker.signing import SigningKey
from broker.wiring import current_vkey

app = typer.Typer(help="Public keys, and new key pairs.", no_args_is_help=True)


@app.command("show")
def show_public(config: ConfigFile, as_json: AsJson = False) -> None:
    """The log's verifier key and the key that signs answers."""
    with failing_clearly():
        settings = read_settings(config)
        keys = read_keys(settings.secrets, settings.log_origin)
        vkey = current_vkey(settings, keys)
    issuer = keys.issuer.public
    show({"log_vkey": vkey, "issuer_jwk": {**issuer.jwk, "kid": issuer.kid}}, as_json=as_json)


@app.command("new")
def new(
    file: Annotated[Path, typer.Argument(help="Where the private key goes (PEM, readable by its owner only).")],
    alg: Annotated[str, typer.Option(help="ES256 or EdDSA.")] = "ES256",
) -> None:
    """Make a requester's key pair; the public key is printed as the JWK that `requesters add` takes."""
    if alg not in ("ES256", "EdDSA"):
        raise typer.BadParameter("ES256 or EdDSA")
    key = SigningKey.generate(alg)
    with failing_clearly():
        write_secret(file, key.pem())
    talk.print(f"The private key is in {file}. It never has to leave the requester.")
    sys.stdout.write(json.dumps(dict(key.public.jwk)) + "\n")
