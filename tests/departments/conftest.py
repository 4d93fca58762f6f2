"""Each department is started once, when the first test of its rows asks for it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.departments.kinds import KINDS
from tests.departments.running import Running, Start


@pytest.fixture(scope="module")
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Running]]:
    started: dict[Start, Running] = {}
    with ExitStack() as stack:

        def start(kind: str) -> Running:
            way = KINDS[kind].start
            if way not in started:
                started[way] = stack.enter_context(way(tmp_path_factory.mktemp("kind"), request))
            return started[way]

        yield start
