"""The setting `openid`: the identity provider whose word on who somebody is this broker takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from broker.assurance import LEVELS, AssuranceNeeded, LevelName
from broker.login import Assurance
from broker.loopback import is_loopback
from broker.secret_files import read_secret
from policies.strict_yaml import Located

BLOCK: Final = "openid"


class OpenidFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may stand in the file."""

    issuer: str
    client_id: str
    client_secret: str
    """The file below `secrets` that holds it."""
    acr: dict[str, LevelName] = {}
    """What the provider's `acr` values are worth, the preferred first. What does not stand here is low."""
    scope: str = "openid"
    name_claim: str = "name"
    id_number_claim: str = "id_number"


@dataclass(frozen=True, slots=True)
class OpenidSettings:
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    acr: Mapping[str, Assurance]
    scope: str
    name_claim: str
    id_number_claim: str

    def level_of(self, acr: object) -> Assurance:
        """What an `acr` claim is worth: a missing or unknown one is low."""
        return self.acr.get(acr, Assurance.LOW) if isinstance(acr, str) else Assurance.LOW

    def values_for(self, least: Assurance) -> str:
        """`acr_values` that reach a level, the preferred first; empty where none does."""
        return " ".join(value for value, level in self.acr.items() if level >= least)


def read_openid(given: OpenidFile | None, secrets: Path, located: Located) -> OpenidSettings | None:
    """Raises ConfigurationError."""
    if given is None:
        return None
    _check(given, located)
    file = secrets / given.client_secret
    if not given.client_secret or file.parent != secrets:
        raise located.error("client_secret is the name of a file below `secrets`", BLOCK, "client_secret")
    try:
        secret = read_secret(file).decode("ascii").strip()
    except UnicodeDecodeError:
        secret = ""
    if not secret.isprintable() or not secret:
        raise located.error("the client's secret must be one line of ASCII", BLOCK, "client_secret")
    return OpenidSettings(
        given.issuer,
        given.client_id,
        secret,
        {value: LEVELS[name] for value, name in given.acr.items()},
        given.scope,
        given.name_claim,
        given.id_number_claim,
    )


def warnings(given: OpenidSettings | None, needed: AssuranceNeeded) -> list[str]:
    """What an operator should know of what people will be able to do."""
    if given is None:
        return []
    best = max(given.acr.values(), default=Assurance.LOW)
    actions = {"sign": needed.sign, "sign_sensitive": needed.sign_sensitive}
    return [
        f"openid: no acr value is worth {least.name.lower()}, which {action} needs"
        for action, least in actions.items()
        if best < least
    ]


def is_safe_address(url: str) -> bool:
    """An address to which secrets and people may be sent: https, or plain http that never leaves this machine."""
    try:
        parts = urlsplit(url)
        host, named = parts.hostname or "", parts.username is not None or parts.port == 0
    except ValueError:
        return False
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    return bool(safe and host and not named and not parts.fragment and url.isascii() and url.isprintable())


def _check(given: OpenidFile, located: Located) -> None:
    if not is_safe_address(given.issuer) or urlsplit(given.issuer).query:
        raise located.error("the provider's issuer is an https address; plain http only on loopback", BLOCK, "issuer")
    if not given.client_id or not given.client_id.isascii() or not given.client_id.isprintable():
        raise located.error("client_id must be plain ASCII", BLOCK, "client_id")
    if "openid" not in given.scope.split():
        raise located.error("scope must name openid", BLOCK, "scope")
    for value in given.acr:
        if not value or " " in value:
            raise located.error("an acr value has no spaces", BLOCK, "acr", value)
    for name in ("name_claim", "id_number_claim"):
        if not getattr(given, name):
            raise located.error("a claim has a name", BLOCK, name)
