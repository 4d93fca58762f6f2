"""The example routes load, and each does what its sample says: whoever copies one begins with one that works."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import connectors
from connectors.directory import Directory
from connectors.dry_run import missing_samples, rehearse, routes_of, sample_of
from policies.vocabulary import ItemKind, Outcome
from tests.connectors.asking import ITEMS

EXAMPLES = Path(connectors.__file__).with_name("examples") / "departments.yaml"
SECRET = "exchange-gateway-key"


@pytest.fixture
async def directory(tmp_path: Path) -> AsyncIterator[Directory]:
    (tmp_path / SECRET).touch(mode=0o600)
    (tmp_path / SECRET).write_text("not-a-real-secret\n", encoding="utf-8")
    loaded = Directory.load(EXAMPLES, ITEMS, tmp_path)
    yield loaded
    await loaded.aclose()


async def test_each_example_does_as_its_sample_says(directory: Directory) -> None:
    assert len(directory.items()) >= 20
    assert missing_samples(EXAMPLES) == []
    names = set()
    for item in sorted(directory.items()):
        for route in routes_of(EXAMPLES, item):
            names.add(route.name)
            done = rehearse(route, ITEMS[item], sample_of(EXAMPLES, route.name))
            assert done.differences == (), route.name
            assert done.leaves.dropped > 0, f"{route.name} shows no minimising"
            checked = ITEMS[item].kind is ItemKind.VERIFY
            assert done.leaves.outcome is (Outcome.MATCH if checked else Outcome.FOUND)
            assert bool(done.leaves.records) is not checked
    assert {file.stem for file in (EXAMPLES.parent / "samples").iterdir()} == names, "a sample of no route"
