"""The setting `load:`: how much one process takes on at once, and for how long it waits for a slow client."""

from typing import Final

import msgspec

from policies.strict_yaml import Located

_EXCHANGES: Final = range(4, 10_001)
_SLOW: Final = (0.5, 60.0)


class LoadFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    exchanges: int = 256
    """Under way at once in one process; what comes beyond them is refused at once. It bounds how long an accepted one
    may take under overload: so many, divided by how many a second brings to their end."""
    slow_seconds: float = 5.0
    """Within which a request arrives and something of an answer is taken. A proxy in front has limits of its own, and
    takes answers at once for those behind it."""


def read_load(given: LoadFile, located: Located) -> LoadFile:
    """Raises ConfigurationError."""
    if given.exchanges not in _EXCHANGES:
        raise located.error(f"exchanges is from {_EXCHANGES[0]} to {_EXCHANGES[-1]}", "load", "exchanges")
    least, most = _SLOW
    if not least <= given.slow_seconds <= most:
        raise located.error(f"slow_seconds is from {least} to {most}", "load", "slow_seconds")
    return given
