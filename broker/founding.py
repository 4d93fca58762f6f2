"""A new broker's folder: its configuration file, keys, database and empty log."""

import json
from pathlib import Path
from typing import Final

import msgspec

from broker.openid_settings import OpenidFile
from broker.settings import Settings, read_settings
from broker.wiring import initialise

CONFIGURATION: Final = "broker.yaml"
_TEMPLATE: Final = """\
# The broker's configuration. Paths are taken from this file's folder; an unknown key refuses to start.
issuer: {issuer}
listen:
  host: {host}
  port: {port}
database: {database}
secrets: secrets
# Which department is asked for which item, and how.
routes: {routes}
route_secrets: {route_secrets}
# test: anybody may sign in as anybody. Refused but on loopback. openid: by the provider of the block below.
identity: {identity}
"""


def found_broker(
    folder: Path,
    *,
    issuer: str,
    host: str = "127.0.0.1",
    port: int = 8400,
    routes: Path | None = None,
    route_secrets: Path | None = None,
    test_identity: bool = False,
    openid: OpenidFile | None = None,
    database: str = "broker.db",
) -> Settings:
    """Write the folder and read it back. Never overwrites: FileExistsError. Raises ConfigurationError.

    Of `openid`, the secret's file must be there already.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / CONFIGURATION
    text = _TEMPLATE.format(
        issuer=json.dumps(issuer),
        host=json.dumps(host),
        port=port,
        database=json.dumps(database),
        routes=json.dumps(str(routes or "departments.yaml")),
        route_secrets=json.dumps(str(route_secrets or "secrets")),
        identity="test" if test_identity else "none" if openid is None else "openid",
    )
    if openid is not None:
        text += f"openid: {msgspec.json.encode(openid).decode()}\n"
    with file.open("x", encoding="utf-8") as stream:
        stream.write(text)
    if routes is None:
        (folder / "departments.yaml").write_text(
            "# Items and their routes; none yet, so nothing can be asked.\nitems: []\n", encoding="utf-8"
        )
    settings = read_settings(file)
    initialise(settings)
    return settings
