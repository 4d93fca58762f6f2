"""A recorded answer through the route's real reading: what would leave, and each way in which a sample may be off."""

import base64
from pathlib import Path
from shutil import copytree

import msgspec
import pytest

from connectors import departments
from connectors.dry_run import Rehearsal, rehearse, routes_of, sample_of
from connectors.route import Route
from connectors.routes import RoutesFile
from policies.strict_yaml import ConfigurationError, read_yaml
from policies.vocabulary import Outcome
from tests.connectors.asking import DEPARTMENT, ITEMS, routes_text

FUND, ESTATE, TAX, MARRIAGE = "hpf_remote_account", "real_estate_registration", "deed_tax", "marriage_check_single"


class Folder:
    """A routes file with its samples beside it, to be changed."""

    def __init__(self, path: Path) -> None:
        self.routes = path / "departments.yaml"
        self.routes.write_text(routes_text(path), encoding="utf-8")
        copytree(Path(departments.__file__).with_name("samples"), path / "samples")

    def route(self, item: str) -> Route:
        return routes_of(self.routes, item)[0]

    def sample(self, item: str) -> Path:
        return sample_of(self.routes, self.route(item).name)

    def change(self, item: str, old: str, new: str) -> int:
        """Replace in the item's sample; the line of `new`."""
        text = self.sample(item).read_text(encoding="utf-8")
        assert text.count(old) == 1, "the sample has changed under this test"
        changed = text.replace(old, new)
        self.sample(item).write_text(changed, encoding="utf-8")
        return changed.count("\n", 0, changed.index(new)) + 1

    def run(self, item: str) -> Rehearsal:
        return rehearse(self.route(item), ITEMS[item], self.sample(item))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.mark.parametrize("item", DEPARTMENT)
def test_each_test_department_does_as_recorded(folder: Folder, item: str) -> None:
    done = folder.run(item)
    assert done.differences == ()
    assert done.leaves.dropped > 0, "a sample without anything to drop shows no minimising"


def test_no_route_of_the_test_departments_is_without_a_sample_that_comes_out(folder: Folder) -> None:
    routed, _ = read_yaml(folder.routes, RoutesFile)
    routes = [(entry.item, route) for entry in routed.items for route in entry.routes]
    samples = {file.stem for file in (folder.routes.parent / "samples").iterdir()}
    assert {route.name for _, route in routes} <= samples
    for item, route in routes:
        assert rehearse(route, ITEMS[item], sample_of(folder.routes, route.name)).differences == (), route.name


def test_of_a_check_one_word_leaves(folder: Folder) -> None:
    assert folder.run(MARRIAGE).leaves.records == ()
    folder.change(MARRIAGE, 'expect: {marital_status: "20"}', 'expect: {marital_status: "40"}')
    done = folder.run(MARRIAGE)
    assert (done.leaves.outcome, done.leaves.records, done.differences) == (Outcome.MISMATCH, (), ("outcome",))


def test_another_persons_record_never_leaves(folder: Folder) -> None:
    folder.change(FUND, '\\"zjhm\\": \\"32109919860312017X\\"', '\\"zjhm\\": \\"321099199911050331\\"')
    done = folder.run(FUND)
    assert (done.leaves.outcome, done.leaves.records) == (Outcome.GARBLED, ())
    assert done.differences == ("outcome", "dropped", "records")


def test_an_error_page_can_be_recorded_as_what_it_is(folder: Folder) -> None:
    text = folder.sample(FUND).read_text(encoding="utf-8")
    before = text.partition("answered:")[0]
    page = 'answered: {body: "<html>busy</html>"}\nleaves: {outcome: garbled}\n'
    folder.sample(FUND).write_text(before + page, encoding="utf-8")
    assert folder.run(FUND).differences == ()


def test_bytes_that_are_no_utf_8_are_recorded_in_base64(folder: Folder) -> None:
    text = folder.sample(FUND).read_text(encoding="utf-8")
    before = text.partition("answered:")[0]
    octets = base64.b64encode("徐".encode("gb18030")).decode()
    after = f'answered: {{base64: "{octets}"}}\nleaves: {{outcome: garbled}}\n'
    folder.sample(FUND).write_text(before + after, encoding="utf-8")
    assert folder.run(FUND).differences == ()


def test_a_column_that_was_not_asked_for_is_never_read(folder: Folder) -> None:
    sent = folder.run(TAX).sent
    assert "nsrmc" not in str(sent["statement"])
    assert list(sent["values"].values())[1:3] == ["20260101", "20261122"]


def test_true_is_not_one(folder: Folder) -> None:
    folder.change(ESTATE, "mortgaged_flag: false", "mortgaged_flag: 0")
    assert folder.run(ESTATE).differences == ("records",)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("leaves:\n", "leaves:\n  surprise: 1\n", "unknown field `surprise`"),
        ("  dropped: 4\n", "  dropped: four\n", "Expected `int`"),
        ("  outcome: found\n", "  outcome: fine\n", "Invalid enum value"),
        ('id_number: "32109919860312017X"}', 'id_number: "321002198603120170"}', "321099"),
        ('id_number: "32109919860312017X"}', 'id_number: "321099198603120171"}', "check digit"),
        ('division_code: "321099"}', 'division_code: "3210"}', "params.division_code"),
        ('at: "2026-11-22T08:00:00+00:00"', 'at: "soon"', "not a time"),
        ("  params: {", "  fields: [nothing]\n  params: {", "no such field"),
    ],
)
def test_a_sample_that_is_none_is_told_with_its_line(folder: Folder, old: str, new: str, told: str) -> None:
    line = folder.change(ESTATE, old, new)
    with pytest.raises(ConfigurationError) as caught:
        folder.run(ESTATE)
    assert str(caught.value).startswith(f"{folder.sample(ESTATE)}:")
    assert told in str(caught.value)
    named = int(str(caught.value).removeprefix(f"{folder.sample(ESTATE)}:").partition(":")[0])
    assert abs(named - line) <= 1
    assert "19860312" not in str(caught.value)


def test_a_kind_without_a_dry_run_says_so(folder: Folder) -> None:
    class Telex(Route, frozen=True, kw_only=True):
        """A kind that nobody has written a dry run for."""

    route = folder.route(FUND)
    telex = Telex(name=route.name, deadline_seconds=1, concurrency=1, records=route.records)
    with pytest.raises(ConfigurationError, match="have no dry run yet"):
        rehearse(telex, ITEMS[FUND], folder.sample(FUND))


def test_an_item_without_routes_has_none(folder: Folder) -> None:
    assert routes_of(folder.routes, "credit_report") == []


def test_what_would_leave_is_written_as_json(folder: Folder) -> None:
    assert msgspec.json.decode(msgspec.json.encode(folder.run(ESTATE).leaves))["outcome"] == "found"
