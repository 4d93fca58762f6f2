"""Small numbers cannot be read, nor worked out from totals, from two tables, from months, by whoever adds them up."""

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from broker.figures.hiding import Cell, Name, State, judge
from broker.figures.measures import MEASURES, Fact
from broker.figures.months import add_up, groups_of, sum_up, told
from tests.figures.attacker import bounds, solved

SMALLEST = 5
WORDS = {
    "department": ["tax", "land", "police", "civil", "court"],
    "matter": ["purchase", "loan", "rent"],
    "channel": ["online", "counter", "guardian"],
    "pair": ["yz>yz", "yz>bj", ""],
    "outcome": ["found", "no_record", "trouble"],
}
ITEMS_OF = {
    "purchase": ["tax_0", "land_0"],
    "loan": ["tax_0", "police_0"],
    "rent": ["land_1"],
    "repay": ["police_0", "civil_0"],
    "retire": ["civil_0"],
}


def random_month(chance: random.Random) -> list[Fact]:
    """Skewed, as life is: few common combinations and many rare ones; items belong to departments."""
    facts = []
    for case in range(chance.choice([3, 8, 20, 60, 150])):
        for _ in range(chance.randint(1, 4)):
            words = {name: words[min(int(chance.expovariate(1.1)), len(words) - 1)] for name, words in WORDS.items()}
            item = f"{words['department']}_{min(int(chance.expovariate(1.2)), 2)}"
            key = (words["department"], item, words["matter"], words["channel"], words["pair"], words["outcome"])
            facts.append(Fact("call", key, f"c{case}", f"p{case if chance.random() < 0.9 else case // 3}"))
    return facts


def months() -> Iterator[tuple[list[Fact], dict[Name, Cell], list[list[Name]]]]:
    measure = MEASURES["call"]
    for seed in range(100):
        facts = random_month(random.Random(seed))
        cells = dict(sum_up(measure, facts))
        yield facts, cells, list(groups_of(measure, cells))


def test_no_small_number_can_be_worked_out() -> None:
    counted: Counter[State] = Counter()
    for _, cells, groups in months():
        states = judge(cells, groups, SMALLEST)
        assert solved(cells, states) == {}
        seen = told(groups, states)
        its_groups = [group for group in groups if seen.issuperset(group)]
        its_states = {name: states[name] for name in seen}
        for name, (low, high) in bounds(cells, its_states, its_groups, SMALLEST).items():
            assert low == 1, name
            assert high >= SMALLEST - 1, name
        counted.update(states.values())
    assert counted[State.SMALL] > 400
    assert counted[State.SHOWN] > counted[State.WITHHELD], "what may be shown is shown"


def of_fixed_items(chance: random.Random) -> list[Fact]:
    """Each matter asks for its own few items, as everybody can read in the catalogue."""
    facts = []
    for matter, items in ITEMS_OF.items():
        for case in range(int(chance.expovariate(0.08)) + 1):
            for item in chance.sample(items, chance.randint(1, len(items))):
                key = (item.partition("_")[0], item, matter, "online", "", "found")
                facts.append(Fact("call", key, f"{matter}{case}", f"{matter}{case}"))
    return facts


def test_nor_by_who_knows_which_matter_asks_for_what(monkeypatch: pytest.MonkeyPatch) -> None:
    measure = MEASURES["call"]
    towns = [dict(sum_up(measure, of_fixed_items(random.Random(seed)))) for seed in range(200)]
    for cells in towns:
        assert solved(cells, judge(cells, list(groups_of(measure, cells)), SMALLEST)) == {}
    monkeypatch.setattr("broker.figures.hiding._Judgement.computable", lambda _: None)
    broken = [solved(cells, judge(cells, list(groups_of(measure, cells)), SMALLEST)) for cells in towns]
    assert sum(map(bool, broken)) > 20, "sums within each table are not enough"


def test_the_attacker_would_find_them_without_what_is_withheld() -> None:
    """The attack is worth something: where only the small ones themselves are hidden, it finds many."""
    found = 0
    for _, cells, _ in months():
        states = {name: State.SMALL if cell.support < SMALLEST else State.SHOWN for name, cell in cells.items()}
        for name, value in solved(cells, states).items():
            assert value == cells[name].n
            found += 1
    assert found > 100


def test_everything_small_is_hidden_and_nothing_else_is_called_small() -> None:
    for _, cells, groups in months():
        states = judge(cells, groups, SMALLEST)
        for name, cell in cells.items():
            assert (states[name] is State.SMALL) == (cell.support < SMALLEST)


def test_two_tables_that_say_the_same_are_hidden_together() -> None:
    """A matter that asks for one item only, which no other asks for: its row and the item's row are one number."""
    rows = [("tax", "tax_0", "loan", 20), ("tax", "tax_1", "rent", 3), ("tax", "tax_2", "purchase", 30)]
    facts = [
        Fact("call", (department, item, matter, "online", "", "found"), f"{matter}{case}", f"{matter}{case}")
        for department, item, matter, cases in rows
        for case in range(cases)
    ]
    shown = {(row.view, row.word): row for row in add_up(facts, SMALLEST)}
    assert shown["matter", "rent"].state is State.SMALL
    assert shown["item", "tax/tax_1"].state is State.SMALL
    loans = [shown["matter", "loan"], shown["item", "tax/tax_0"]]
    purchases = [shown["matter", "purchase"], shown["item", "tax/tax_2"]]
    for pair in (loans, purchases):
        assert len({row.state for row in pair}) == 1, "shown in one table, it would undo the other"
    assert shown["whole", ""].n == 53


def test_one_person_with_many_cases_and_one_case_with_many_persons_are_small() -> None:
    key = ("tax", "tax_0", "loan", "online", "", "found")
    for facts in (
        [Fact("call", key, f"c{number}", "p") for number in range(40)],
        [Fact("call", key, "c", f"p{number}") for number in range(40)],
    ):
        assert {row.state for row in add_up(facts, SMALLEST)} == {State.SMALL}


def test_what_is_hidden_is_not_in_the_rows_at_all() -> None:
    for facts, _, _ in months():
        for row in add_up(facts, SMALLEST):
            assert (row.state is State.SHOWN) == (row.n > 0)
            assert row.state is State.SHOWN or row.total == 0


@pytest.mark.parametrize("smallest", [3, 5, 10])
def test_a_lone_small_row_takes_a_large_one_with_it(smallest: int) -> None:
    cells = {
        ("whole", ""): Cell(103, 0, 103, 0b111),
        ("channel", "online"): Cell(70, 0, 70, 0b001),
        ("channel", "counter"): Cell(32, 0, 32, 0b010),
        ("channel", "guardian"): Cell(1, 0, 1, 0b100),
    }
    states = judge(cells, [list(cells)], smallest)
    assert states["channel", "guardian"] is State.SMALL
    assert states["channel", "counter"] is State.WITHHELD, "the smaller of the large ones"
    assert states["channel", "online"] is State.SHOWN
    assert states["whole", ""] is State.SHOWN
