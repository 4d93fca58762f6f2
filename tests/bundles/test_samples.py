"""The platform's recorded answers through its routes; a sample about the wrong sort of subject is refused by line."""

from pathlib import Path

import pytest

from connectors.departments.city import City
from connectors.dry_run import rehearse, routes_of
from policies.catalogue import Catalogue
from policies.strict_yaml import ConfigurationError

ITEMS = ("resident_identity_check", "resident_basic", "pension_retirement", "enterprise_registration")
SAMPLES = Path(__file__).parents[2] / "connectors" / "departments" / "samples"
CATALOGUE = Catalogue.load()
FIRM = "uscc: 91321099MA0000017K"


@pytest.mark.parametrize("item", ITEMS)
def test_it_comes_out_as_recorded(platform: City, item: str) -> None:
    (route,) = routes_of(platform.routes_file, item)
    assert rehearse(route, CATALOGUE.items[item], SAMPLES / f"{route.name}.yaml").differences == ()


@pytest.mark.parametrize(
    ("item", "before", "after", "told"),
    [
        ("enterprise_registration", "  organisation:", "  person:", "organisation"),
        ("enterprise_registration", "uscc: 91321099MA0000017K\n  at", "uscc: 91350100M000100Y43\n  at", "made up"),
        (
            "enterprise_registration",
            "uscc: 91321099MA0000017K\n  at",
            "uscc: 91321099MA0000017A\n  at",
            "check character",
        ),
        ("resident_basic", "  person:\n", "  organisation:\n", "person"),
    ],
)
def test_a_sample_about_the_wrong_subject_is_refused(
    platform: City, tmp_path: Path, item: str, before: str, after: str, told: str
) -> None:
    (route,) = routes_of(platform.routes_file, item)
    text = (SAMPLES / f"{route.name}.yaml").read_text(encoding="utf-8")
    assert before in text
    changed = text.replace(before, after, 1)
    if after.strip() == "person:":
        changed = changed.replace("    uscc:", "    id_number:", 1)
    if after.strip() == "organisation:":
        changed = changed.replace("    id_number:", "    uscc:", 1)
    file = tmp_path / "sample.yaml"
    file.write_text(changed, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=told):
        rehearse(route, CATALOGUE.items[item], file)


def test_another_firms_recorded_answer_never_leaves(platform: City, tmp_path: Path) -> None:
    (route,) = routes_of(platform.routes_file, "enterprise_registration")
    text = (SAMPLES / f"{route.name}.yaml").read_text(encoding="utf-8")
    file = tmp_path / "sample.yaml"
    file.write_text(
        text.replace('"tyshxydm":"91321099MA0000017K"', '"tyshxydm":"91321099MA0000018H"'), encoding="utf-8"
    )
    done = rehearse(route, CATALOGUE.items["enterprise_registration"], file)
    assert (done.leaves.outcome, done.leaves.records) == ("garbled", ())
