"""What became of the papers is added up, never typed, and only what can be asked here counts."""

from dataclasses import replace

import pytest

from policies.catalogue import Catalogue
from policies.materials import register
from policies.vocabulary import Material, MaterialState

CATALOGUE = Catalogue.load()
MATTER = CATALOGUE.matter("low_income_withdrawal")
ALL = frozenset(CATALOGUE.items)
REPLACED = [material.item for material in MATTER.materials]


def test_with_every_route_working_nothing_is_left_to_bring() -> None:
    papers = register(MATTER, ALL)
    assert (papers.before, papers.now, papers.promised, papers.zero_material) == (3, 0, 0, True)
    assert papers.to_bring == ()
    assert papers.spared == MATTER.materials


@pytest.mark.parametrize("missing", REPLACED)
def test_one_item_without_a_route_ends_the_claim(missing: str) -> None:
    papers = register(MATTER, ALL - {missing})
    assert (papers.before, papers.now, papers.zero_material) == (3, 1, False)
    assert [material.item for material in papers.to_bring] == [missing]


def test_without_any_route_all_papers_are_wanted() -> None:
    assert register(MATTER, frozenset()).to_bring == MATTER.materials


@pytest.mark.parametrize(
    ("state", "now", "promised", "zero"),
    [
        (MaterialState.ABOLISHED, 0, 0, True),
        (MaterialState.PROMISED, 0, 1, False),
        (MaterialState.KEPT, 1, 0, False),
    ],
)
def test_each_other_state_counts_as_what_it_is(state: MaterialState, now: int, promised: int, zero: bool) -> None:
    more = replace(MATTER, materials=(*MATTER.materials, Material("表", "Form", state)))
    papers = register(more, ALL)
    assert (papers.before, papers.now, papers.promised, papers.zero_material) == (4, now, promised, zero)


def test_the_shipped_matters_tell_what_they_could_come_to() -> None:
    """With every item connected: some are zero-material, some are not, and nothing is counted twice."""
    added_up = [register(matter, ALL) for matter in CATALOGUE.matters.values()]
    zero = [matter.id for matter in CATALOGUE.matters.values() if register(matter, ALL).zero_material]
    assert {"purchase_withdrawal", "rent_withdrawal", "retirement_withdrawal"} <= set(zero)
    assert not {"serious_illness_withdrawal", "back_payment", "unit_cancellation"} & set(zero)
    assert all(len(papers.to_bring) + len(papers.spared) == papers.before for papers in added_up)
    assert sum(papers.now for papers in added_up) < sum(papers.before for papers in added_up) / 10
