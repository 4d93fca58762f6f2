"""The shipped catalogue, read once in a test run: nothing in it can be changed, so every small world may have the same.

tests/policies reads it from its files, and broker processes do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from unittest import mock

from policies.catalogue import SHIPPED_CATALOGUE, Catalogue

_load = Catalogue.load


@contextmanager
def catalogue_from_memory() -> Iterator[None]:
    """Within it, the shipped catalogue is the one in memory; any other is read."""
    with mock.patch.object(Catalogue, "load", _remembered):
        yield


def _remembered(folder: Path = SHIPPED_CATALOGUE) -> Catalogue:
    return _shipped() if folder == SHIPPED_CATALOGUE else _load(folder)


@cache
def _shipped() -> Catalogue:
    return _load()
