"""`broker requesters add|list|suspend|resume|hook|unhook`: the fund centres and departments that may ask."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from audit.batch import Transaction
from broker import hooks, requesters, tables
from broker.commands.console import AsJson, ConfigFile, failing_clearly, read_words, show, storage_of
from broker.hooks import Hook
from broker.requesters import Requester
from consent.errors import InvalidKey
from consent.keys import PublicKey, read_jwk
from policies.catalogue import Catalogue
from policies.identifiers import read_identifier
from policies.strict_yaml import ConfigurationError

app = typer.Typer(help="The fund centres and departments that may ask.", no_args_is_help=True)

RequesterId = Annotated[str, typer.Argument(metavar="ID", help="The requester's id, such as yz-hpf.")]


@app.command("add")
def add(
    requester: RequesterId,
    config: ConfigFile,
    name: Annotated[str, typer.Option(help="Its name as citizens read it, in Chinese.")],
    key: Annotated[Path, typer.Option(help="A file with its public key as a JWK.", exists=True)],
    matter: Annotated[list[str], typer.Option(help="A matter it may ask for; may be given several times.")],
    name_en: Annotated[str, typer.Option(help="Its name in English; by default the Chinese one.")] = "",
    department: Annotated[str, typer.Option(help="The catalogue's department that it is; none: a fund centre.")] = "",
    as_json: AsJson = False,
) -> None:
    """Register a requester with its first key, or add a key to one that is registered."""
    with failing_clearly(), storage_of(config) as (settings, storage):
        if department and department not in Catalogue.load(settings.catalogue).departments:
            raise typer.BadParameter("the catalogue has no such department")
        public = _read_key(key)
        zh, en = (read_words(text, tables.requester.c.name_zh) for text in (name, name_en or name))
        entry = Requester(_read_id(requester), zh, en, frozenset(matter), suspended=False, department=department)

        def work(transaction: Transaction) -> None:
            if requesters.find(transaction.connection, entry.id) is None:
                requesters.register(transaction, entry)
            requesters.add_key(transaction, entry.id, public)

        storage.ledger.record(work).result()
    show({"requester": requester, "kid": public.kid, "alg": public.alg}, as_json=as_json)


@app.command("list")
def list_all(config: ConfigFile, as_json: AsJson = False) -> None:
    """Everybody registered."""
    with failing_clearly(), storage_of(config) as (_, storage), storage.reader.begin() as connection:
        found = list(requesters.read_all(connection))
        told = hooks.read_all(connection)
    table = Table("id", "名称", "name", "matters", "status")
    for one in found:
        table.add_row(one.id, one.name_zh, one.name_en, " ".join(sorted(one.matters)), _status(one))
    members = [
        _members(one) | {"hooks": [_hook_members(hook) for hook in told if hook.requester == one.id]} for one in found
    ]
    show({"requesters": members}, as_json=as_json, table=table)


@app.command("suspend")
def suspend(requester: RequesterId, config: ConfigFile, as_json: AsJson = False) -> None:
    """Nothing more is admitted or released for it, from this commit on."""
    with failing_clearly(), storage_of(config) as (_, storage):
        storage.ledger.record(lambda transaction: requesters.suspend(transaction, requester)).result()
    show({"requester": requester, "status": "suspended"}, as_json=as_json)


@app.command("resume")
def resume(requester: RequesterId, config: ConfigFile, as_json: AsJson = False) -> None:
    """It may ask again."""
    with failing_clearly(), storage_of(config) as (_, storage):
        storage.ledger.record(lambda transaction: requesters.resume(transaction, requester)).result()
    show({"requester": requester, "status": "active"}, as_json=as_json)


@app.command("hook")
def hook(
    requester: RequesterId,
    config: ConfigFile,
    url: Annotated[str, typer.Option(help="Where it is told of its events; again, to go on after it was not reached.")],
    as_json: AsJson = False,
) -> None:
    """Tell a requester of its events, signed, at an address of its own."""
    with failing_clearly(), storage_of(config) as (_, storage):
        added = storage.ledger.record(lambda transaction: hooks.add(transaction, requester, url)).result().value
    show({"requester": requester, "hook": added.id, "url": added.url}, as_json=as_json)


@app.command("unhook")
def unhook(
    hook_id: Annotated[str, typer.Argument(metavar="HOOK", help="The hook's id, such as hk_...")],
    config: ConfigFile,
    as_json: AsJson = False,
) -> None:
    """Nothing more is told there."""
    with failing_clearly(), storage_of(config) as (_, storage):
        storage.ledger.record(lambda transaction: hooks.remove(transaction, hook_id)).result()
    show({"hook": hook_id, "status": "removed"}, as_json=as_json)


def _read_key(file: Path) -> PublicKey:
    try:
        members = json.loads(file.read_text(encoding="utf-8"))
        return read_jwk(members if isinstance(members, dict) else {})
    except (InvalidKey, ValueError) as error:
        raise ConfigurationError(f"{file}:1: not a public P-256 or Ed25519 key as a JWK: {error}") from error


def _read_id(text: str) -> str:
    try:
        return read_identifier(text, range(2, 65))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _status(one: Requester) -> str:
    return "suspended" if one.suspended else "active"


def _hook_members(one: Hook) -> dict[str, Any]:
    return {"id": one.id, "url": one.url, "reached": one.reached, "status": "stopped" if one.stopped else "active"}


def _members(one: Requester) -> dict[str, Any]:
    return {
        "id": one.id,
        "name_zh": one.name_zh,
        "name_en": one.name_en,
        "matters": sorted(one.matters),
        "department": one.department,
        "status": _status(one),
    }
