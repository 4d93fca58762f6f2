"""The block `figures` and its file of cities: every mistake refuses to start and names the line."""

from pathlib import Path

import pytest

from broker.figures.places import read_places
from broker.founding import CONFIGURATION, found_broker
from broker.settings import read_settings
from policies.strict_yaml import ConfigurationError
from tests.figures.conftest import CITIES

MISTAKES = [
    ("beijing-fund: beijing", "beijing-fund: peking", "peking is none of the cities", 7),
    ("taxation: yangzhou", "taxation: suzhou", "suzhou is none of the cities", 6),
    ("[yangzhou, beijing], km", "[yangzhou, tianjin], km", "tianjin is none of the cities", 9),
    ("km: 1012", "km: 0", "km is from 1 to 6000", 9),
    ("km: 1012", "km: 1012.5", "Expected `int`", 9),
    ("source: made up", "sources: made up", "unknown field `sources`", 9),
    ("  yangzhou: {zh", "  Yang zhou: {zh", "written in small letters", 4),
]


@pytest.mark.parametrize(("written", "instead", "message", "line"), MISTAKES)
def test_a_mistake_in_the_cities_is_named(tmp_path: Path, written: str, instead: str, message: str, line: int) -> None:
    file = tmp_path / "cities.yaml"
    file.write_text(CITIES.lstrip().replace(written, instead, 1), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=message) as caught:
        read_places(file)
    assert f"cities.yaml:{line}:" in str(caught.value) or message.startswith("written")


def test_two_distances_between_the_same_cities_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "cities.yaml"
    file.write_text(f"{CITIES.lstrip()}  - {{between: [beijing, yangzhou], km: 900, source: x}}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="twice"):
        read_places(file)


def test_what_does_not_stand_there_is_not_known(tmp_path: Path) -> None:
    file = tmp_path / "cities.yaml"
    file.write_text(CITIES.lstrip(), encoding="utf-8")
    places = read_places(file)
    assert places.pair("yz-hpf", "hpf_center_remote", "beijing-fund") == ("yangzhou", "beijing")
    assert places.pair("yz-hpf", "hpf_center_remote", "tianjin-fund") is None
    assert places.pair("bj-hpf", "taxation", "city") is None
    assert places.kilometres(("beijing", "yangzhou")) == 1012
    assert places.kilometres(("yangzhou", "yangzhou")) is None


@pytest.mark.parametrize("smallest", [0, 2, 101])
def test_the_smallest_number_is_bounded(tmp_path: Path, smallest: int) -> None:
    found_broker(tmp_path / "broker", issuer="http://127.0.0.1:8400")
    file = tmp_path / "broker" / CONFIGURATION
    text = file.read_text(encoding="utf-8")
    assert read_settings(file).figures.smallest == 5
    file.write_text(f"{text}figures: {{smallest: {smallest}}}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="smallest is from 3 to 100"):
        read_settings(file)
