"""What a database says of its own safety, for `broker check`."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Safety:
    """Which store it is, the settings that keep an acknowledged commit, and what an operator should know."""

    store: str
    settings: Mapping[str, str]
    warnings: tuple[str, ...] = ()
