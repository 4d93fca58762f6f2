"""What anybody can read before asking: catalogue, guidance pages and register, as this broker is connected."""

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from broker.cli import app
from broker.commands.exits import ExitCode
from connectors.departments.fleet import Fleet
from connectors.dry_run import missing_samples
from policies.catalogue import Catalogue
from policies.materials import register
from policies.vocabulary import Party
from tests.world import ITEMS, MATTER, OPERATOR, World, open_world

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUTED = [*ITEMS, "marriage_check_couple"]
"""What the test departments' routes reach; the matter asks for the last one only where it is named."""
CATALOGUE = Catalogue.load()
LARGEST_PAGE = 60_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with open_world(tmp_path_factory.mktemp("guidance"), fleet) as world:
        yield world


async def read(town: World, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    async with town.http.get(f"{town.issuer}{path}", headers=headers) as response:
        return response.status, {name.lower(): value for name, value in response.headers.items()}, await response.text()


BUNDLE = "/guide/bundles/bundle_enterprise_opening"


async def told(town: World) -> dict[str, Any]:
    members: dict[str, Any] = json.loads((await read(town, "/v1/catalogue"))[2])
    return members


async def test_the_catalogue_says_what_can_be_asked_here(town: World) -> None:
    members = await told(town)
    assert (members["version"], members["digest"]) == (CATALOGUE.version, CATALOGUE.digest)
    assert [len(members[kind]) for kind in ("departments", "items", "matters", "bundles")] == [42, 58, 33, 3]
    assert sorted(item["id"] for item in members["items"] if item["routed"]) == sorted(ROUTED)
    matter = next(one for one in members["matters"] if one["id"] == MATTER)
    assert [need["item"] for need in matter["needs"] if need["default"]] == ITEMS
    assert matter["materials_before"] == len(matter["materials"])
    assert (matter["materials_now"], matter["zero_material"]) == (5, False)
    assert (matter["statutory_days"], matter["modes"]) == (3, ["online", "collect", "joint"])


@pytest.mark.parametrize("path", ["/v1/catalogue", "/guide", f"/guide/{MATTER}", f"/guide/{MATTER}?lang=en", BUNDLE])
async def test_it_is_public_kept_and_asked_for_again_by_its_digest(town: World, path: str) -> None:
    status, headers, text = await read(town, path)
    assert status == 200
    assert headers["cache-control"].startswith("public, max-age=")
    assert "set-cookie" not in headers
    again, kept, nothing = await read(town, path, **{"If-None-Match": headers["etag"]})
    assert (again, kept["etag"], nothing) == (304, headers["etag"], "")
    assert (await read(town, path, Cookie="text_size=large"))[2] == text, "a cookie may not change what is kept for all"
    assert len(gzip.compress(text.encode())) < LARGEST_PAGE


@pytest.mark.parametrize("matter", CATALOGUE.matters.values(), ids=lambda matter: matter.id)
async def test_each_matter_is_told_in_both_languages(town: World, matter: Any) -> None:
    for query, words in (
        ("", (matter.name_zh, matter.applicants_zh, matter.otherwise_zh)),
        ("?lang=en", (matter.name_en, matter.applicants_en, matter.otherwise_en)),
    ):
        status, headers, text = await read(town, f"/guide/{matter.id}{query}")
        assert status == 200
        assert "'unsafe" not in headers["content-security-policy"]
        assert all(word.replace("'", "&#39;") in text for word in words)
        papers = register(matter, ROUTED)
        assert (f"<strong>{papers.now}</strong>" in text) is not papers.zero_material
        bundles = [one.id for one in CATALOGUE.bundles.values() if matter.id in {part.matter for part in one.parts}]
        list_of_it = f"/guide/bundles/{bundles[0]}" if matter.recipient else "/guide"
        assert f"/guide/{matter.id}" in (await read(town, f"{list_of_it}{query}"))[2]


async def test_only_what_can_be_asked_here_is_promised(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The claim follows the routes: with all connected there is nothing to bring, with one less there is."""
    path = f"/guide/{MATTER}"
    few = (await read(town, path))[2]
    assert "零材料" not in few
    assert "购房合同（网签备案）" not in few
    every = frozenset(CATALOGUE.items)
    monkeypatch.setattr(town.broker.directory, "items", lambda: every)
    status, headers, whole = await read(town, path)
    assert (status, "零材料" in whole, "您还要带" in whole) == (200, True, False)
    assert "新房买卖合同（网签备案）" in whole
    assert (await read(town, "/guide"))[2].count("零材料") > 10
    monkeypatch.setattr(town.broker.directory, "items", lambda: every - {"house_invoice"})
    less = (await read(town, path))[2]
    assert ("零材料" in less, "您还要带" in less) == (False, True)
    assert (await read(town, path, **{"If-None-Match": headers["etag"]}))[0] == 200, "another text has another tag"


async def test_an_unknown_matter_has_no_page(town: World) -> None:
    status, _, text = await read(town, "/guide/nothing")
    assert (status, json.loads(text)["code"]) == (404, "not_found")


async def test_nobody_is_asked_for_what_no_department_answers(town: World) -> None:
    centre = await town.centre("asks-all", matters=tuple(CATALOGUE.matters))
    filing = {"case": "YZ-2026-000123", "operator": OPERATOR}
    named = await centre.file(matter=MATTER, items=[{"item": "new_house_contract"}], **filing)
    assert (named.status, named.members["code"]) == (422, "unknown_item")
    nothing = await centre.file(matter="low_income_withdrawal", **filing)
    assert (nothing.status, nothing.members["code"]) == (422, "unknown_item")
    some = await centre.file(matter="leave_job_withdrawal", **filing)
    assert some.status == 201


async def test_all_that_a_matter_can_ask_fits_one_consent(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The longest consents there can be stay within the protocol's 8 KiB."""
    monkeypatch.setattr(town.broker.directory, "items", lambda: frozenset(CATALOGUE.items))
    centre = await town.centre("asks-everything", matters=tuple(CATALOGUE.matters))
    phone = await town.phone()
    longest = sorted(CATALOGUE.matters.values(), key=lambda matter: len(matter.needs))[-2:]
    for matter in longest:
        named = [{"item": item} for item in matter.needs]
        request, ticket = await town.ask(centre, phone.person, matter=matter.id, items=named)
        assert (await phone.open(ticket)).status == 200
        signed = await phone.agree(ticket, list(matter.needs))
        assert signed.status == 201, signed.members
        consent = (await centre.read(request)).members["consent"]
        assert len(consent) <= 8 * 1024


async def test_the_homes_of_a_parent_are_not_asked_about(town: World) -> None:
    centre = await town.centre("asks-parents")
    filing = {"matter": MATTER, "case": "YZ-2026-000123", "operator": OPERATOR, "party": Party.PARENT}
    named = await centre.file(items=[{"item": "real_estate_registration"}], **filing)
    assert (named.status, named.members["code"]) == (403, "policy_refused")
    assert named.members["reasons"] == ["real_estate_registration:party_not_permitted"]
    assert (await centre.file(**filing)).status == 201, "what may be asked of a parent is"


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.stdout


def config(town: World) -> list[str]:
    return ["--config", str(town.folder / "broker" / "broker.yaml")]


async def test_the_register_by_command_says_the_same(town: World) -> None:
    code, text = run("materials", "list", "--json", *config(town))
    members = json.loads(text)
    assert code == ExitCode.OK
    assert members["before"] == sum(len(matter.materials) for matter in CATALOGUE.matters.values())
    wire = {one["id"]: one["materials_now"] for one in (await told(town))["matters"]}
    assert {one["matter"]: one["now"] for one in members["matters"]} == wire
    code, text = run("materials", "list", "--matter", MATTER, "--json", *config(town))
    (one,) = json.loads(text)["matters"]
    assert code == ExitCode.OK
    assert {line["item"] for line in one["materials"] if line["routed"]} == set(ITEMS)
    assert sum(line["to_bring"] for line in one["materials"]) == one["now"] == 5
    assert {line["state"] for line in one["materials"]} == {"replaced", "abolished"}


@pytest.mark.parametrize("options", [[], ["--matter", MATTER]])
async def test_the_register_can_be_read_at_a_terminal(town: World, options: list[str]) -> None:
    code, text = run("materials", "list", *options, *config(town))
    assert code == ExitCode.OK
    assert "10 -> 5" in text


async def test_the_register_of_no_matter(town: World) -> None:
    assert run("materials", "list", "--matter", "nothing", *config(town))[0] == ExitCode.REFUSED


async def test_check_says_which_items_have_no_route(town: World) -> None:
    code, text = run("check", "--json", *config(town))
    assert code == ExitCode.OK
    (warning,) = [line for line in json.loads(text)["warnings"] if line.startswith("no route")]
    assert "credit_report" in warning
    assert not any(item in warning for item in ITEMS)


@pytest.mark.parametrize("item", ITEMS)
async def test_each_item_of_the_demo_passes_its_dry_run(town: World, item: str) -> None:
    code, text = run("departments", "test", item, "--json", *config(town))
    members = json.loads(text)
    assert (code, members["ok"], [one["ok"] for one in members["routes"]]) == (ExitCode.OK, True, [True])
    assert members["routes"][0]["leaves"]["outcome"] in {"found", "match"}


async def test_a_dry_run_asks_no_department(town: World) -> None:
    before = [town.fleet.calls(name)["count"] for name in ("tax", "property_registry")]
    for item in ("deed_tax", "real_estate_registration"):
        run("departments", "test", item, *config(town))
    assert [town.fleet.calls(name)["count"] for name in ("tax", "property_registry")] == before


async def test_a_route_that_no_longer_does_as_recorded_fails(town: World, tmp_path: Path) -> None:
    """The same routes file with one field read from elsewhere: the dry run says which part is off."""
    settings = town.broker.settings
    samples = tmp_path / "samples"
    samples.mkdir()
    for file in (settings.routes.parent / "samples").iterdir():
        (samples / file.name).write_bytes(file.read_bytes())
    text = settings.routes.read_text(encoding="utf-8")
    routes = tmp_path / "departments.yaml"
    routes.write_text(text.replace("paid_amount: {from: sjje,", "paid_amount: {from: jsje,"), encoding="utf-8")
    file = tmp_path / "broker.yaml"
    written = (town.folder / "broker" / "broker.yaml").read_text(encoding="utf-8")
    file.write_text(written.replace(str(settings.routes), str(routes)), encoding="utf-8")
    code, told_ = run("departments", "test", "deed_tax", "--json", "--config", str(file))
    assert code == ExitCode.VERIFICATION_FAILED
    (one,) = json.loads(told_)["routes"]
    assert one["why"] == "not as recorded: sent, dropped, records"
    assert run("departments", "test", "marriage_check_single", "--config", str(file))[0] == ExitCode.OK
    (samples / "civil-affairs.yaml").unlink()
    assert run("departments", "test", "marriage_check_single", "--config", str(file))[0] == ExitCode.VERIFICATION_FAILED
    assert missing_samples(routes) == ["civil-affairs"]
    assert missing_samples(settings.routes) == []


@pytest.mark.parametrize("item", ["credit_report", "nothing"])
async def test_what_has_no_route_has_no_dry_run(town: World, item: str) -> None:
    assert run("departments", "test", item, *config(town))[0] == ExitCode.NOT_FOUND
