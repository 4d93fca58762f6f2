"""Where the broker may call at a requester's wish: never into its own network (server-side request forgery).

 1 address   https, or http on loopback; no user, query or fragment                    `read_url`, at registration
 2 literal   an IP address in the link is permitted                                    `check_url`, before each call
 3 name      every address that it resolves to is permitted, and one of those is used  `CheckedResolver`

Permitted is what the whole internet can reach, and the networks that the settings name.
"""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from broker.loopback import is_loopback
from policies.refusals import Code, Refused
from policies.strict_yaml import Located

Networks: TypeAlias = tuple[IPv4Network | IPv6Network, ...]

URL_LIMIT: Final = 400
_TRANSLATED: Final = tuple(map(ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))
"""IPv6 addresses that lead to an IPv4 address of whatever kind."""


class NotPermitted(OSError):
    """The address lies in a network that nobody has opened; the text does not name it."""


def read_url(text: str) -> str:
    """Step 1. Raises Refused(invalid_request)."""
    try:
        parts = urlsplit(text)
        plain = parts.scheme == "http" and is_loopback(parts.hostname or "")
        bare = not (parts.query or parts.fragment or parts.username or parts.password) and parts.port != 0
    except ValueError as error:
        raise Refused(Code.INVALID_REQUEST, member="url") from error
    written = text.isascii() and text.isprintable() and " " not in text and len(text) <= URL_LIMIT
    if not (written and bare and parts.hostname and (plain or parts.scheme == "https")):
        raise Refused(Code.INVALID_REQUEST, member="url")
    return text


def origin_of(url: str) -> str:
    """Scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def check_url(url: str, opened: Networks) -> None:
    """Step 2. Raises NotPermitted; a name is left to step 3."""
    host = urlsplit(url).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return
    check_address(host, opened)


def check_address(address: str, opened: Networks) -> None:
    """Raises NotPermitted."""
    found = ip_address(address)
    if any(found in network for network in opened):
        return
    if not found.is_global or found.is_multicast or any(found in network for network in _TRANSLATED):
        raise NotPermitted("an address in a network that the settings do not open")


class CheckedResolver(AbstractResolver):
    """Step 3: what is looked up is what is connected to, so a name cannot change between the check and the call."""

    def __init__(self, opened: Networks) -> None:
        self._opened = opened
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        for one in found:
            check_address(one["host"].partition("%")[0], self._opened)
        return found

    async def close(self) -> None:
        await self._resolver.close()


def read_networks(given: Sequence[str], located: Located) -> Networks:
    """The setting `hook_networks`. Raises ConfigurationError."""
    try:
        return tuple(map(ip_network, given))
    except ValueError as error:
        raise located.error("a network is written like 10.20.0.0/16", "hook_networks") from error
