"""Whether a host name or address stays on this machine."""

import ipaddress


def is_loopback(host: str) -> bool:
    """True for localhost and loopback addresses; a name that would have to be looked up is elsewhere."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
