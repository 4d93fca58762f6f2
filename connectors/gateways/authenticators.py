"""From what the routes file says of authentication to who does it: secrets read, addresses checked, nothing asked."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from connectors.authentication import (
    Authentication,
    NoAuthentication,
    RefreshedHeaders,
    Renewed,
    RotatingMd5,
    TicketToken,
)
from connectors.gateways.credentials import Authenticator
from connectors.gateways.fixed import FixedAuthenticator
from connectors.gateways.refreshed_secret import RefreshedAuthenticator
from connectors.gateways.renewal import Renewal
from connectors.gateways.rotating_md5 import RotatingAuthenticator
from connectors.gateways.ticket_token import TokenAuthenticator
from connectors.memory import Memory
from connectors.requests import check_url
from connectors.route import Place
from connectors.secret_files import Secret, read_secret

AuthenticatorMaker: TypeAlias = Callable[[Memory, Callable[[], int]], Authenticator]
"""The memory, and a clock in milliseconds since 1970."""


def check_authentication(how: Authentication, place: Place, secrets_folder: Path) -> AuthenticatorMaker:
    """Raise ConfigurationError for whatever does not add up."""
    if isinstance(how, NoAuthentication):
        return lambda _memory, _now_ms: FixedAuthenticator(how, None)
    secret = read_secret(secrets_folder, how.secret, place.at("secret"))
    if not isinstance(how, (RefreshedHeaders, RotatingMd5, TicketToken)):
        return lambda _memory, _now_ms: FixedAuthenticator(how, secret)
    for member, url in _addresses(how).items():
        check_url(url, how.insecure, place.at(member))
    return lambda memory, now_ms: _renewed(how, secret, Renewal(_name(how), memory, now_ms, how.settle_seconds))


def _renewed(how: Renewed, secret: Secret, renewal: Renewal) -> Authenticator:
    if isinstance(how, RefreshedHeaders):
        return RefreshedAuthenticator(how, secret, renewal)
    if isinstance(how, RotatingMd5):
        return RotatingAuthenticator(how, secret, renewal)
    return TokenAuthenticator(how, secret, renewal)


def _addresses(how: Renewed) -> dict[str, str]:
    if isinstance(how, RefreshedHeaders):
        return {"refresh_url": how.refresh_url}
    if isinstance(how, RotatingMd5):
        return {"by_key_url": how.by_key_url, "by_secret_url": how.by_secret_url}
    return {"ticket_url": how.ticket_url, "token_url": how.token_url}


def _name(how: Renewed) -> str:
    """Return one name for one gateway's one account: its routes share the secret, in every process."""
    account = f"{how.sid} {how.rid}" if isinstance(how, RefreshedHeaders) else how.app_key
    text = "\n".join([type(how).__name__, account, *_addresses(how).values()])
    return "secret/" + hashlib.sha256(text.encode()).hexdigest()[:32]
