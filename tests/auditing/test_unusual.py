"""The unusual lists measured: how much planted abuse is found, and how often a normal month gives a false alarm.

Month and abuse are made up by the same hands as the lists, so the numbers say how the thresholds work on what is
described in months.py, and not how often abuse happens or is found in the world.
"""

from collections import Counter
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from audit.batch import Transaction
from audit.events import EVENTS as KNOWN
from audit.events import ExchangeRefused
from audit.parts import Operator
from broker.auditing.unusual import (
    ADMITTED,
    ASKED,
    DECIDED,
    DETECTORS,
    EVENTS,
    RELEASED,
    VIEWED,
    WITHDRAWN,
    Finding,
    Month,
    Row,
    after_hours,
    near_withdrawal,
    unusual,
)
from broker.auditing.unusual_rows import read_month
from broker.founding import CONFIGURATION
from broker.moments import BEIJING
from broker.settings import read_settings
from broker.unusual_settings import UnusualFile
from policies.strict_yaml import ConfigurationError
from policies.workdays import MONDAY_TO_FRIDAY, Workdays
from tests.auditing.case import Case
from tests.auditing.months import ABUSES, PLANTED, abused, normal

LIMITS = UnusualFile()
SEED = 20_261_101
RECALL = {
    "no_finished_case": 15,
    "viewed_not_decided": 15,
    "after_hours": 18,
    "operator_many_people": 17,
    "person_many_operators": 18,
    "near_withdrawal": 12,
    "id_sweep": 17,
}
"""Of twenty planted of each kind, from barely to plainly seen, how many are found."""
FALSE_ALARMS = {
    "after_hours": 1,
    "operator_many_people": 1,
    "person_many_operators": 2,
    "near_withdrawal": 1,
    "id_sweep": 1,
}
"""In one normal month of sixty operators and some nineteen thousand calls."""
KEYS: dict[str, Any] = {"kid": "kid", "request_jti": "jti", "request_sha256": "00"}


def who(finding: Finding) -> str:
    return finding.person or finding.operator


def test_what_is_planted_is_found() -> None:
    month, planted = abused(SEED)
    findings = unusual(month, LIMITS)
    found = {kind: {who(one) for one in findings if one.kind == kind} for kind in DETECTORS}
    recall = {kind: len(planted[kind] & found[kind]) for kind in ABUSES}
    others = {kind: len(found[kind] - planted[kind]) for kind in ABUSES}
    print(f"found of {PLANTED} planted: {recall}; besides: {others}")  # noqa: T201 - the measurement itself
    assert recall == RECALL


def test_a_normal_month_gives_few_alarms() -> None:
    month = normal(SEED).month()
    alarms = Counter(one.kind for one in unusual(month, LIMITS))
    calls = len({row.entry for row in month.by_event["exchange.admitted"]})
    print(f"{calls} calls; false alarms: {dict(alarms)}")  # noqa: T201 - the measurement itself
    assert dict(alarms) == FALSE_ALARMS


def test_the_rows_are_of_events_that_there_are() -> None:
    assert set(EVENTS) <= set(KNOWN)


DAY = 86_400 * 1_000_000


def rows(*events: tuple[str, int, str]) -> Month:
    """Of one operator: event, time in microseconds, case."""
    made = [
        Row(entry, time, event, "hpf", "clerk", case, f"of-{case}", "")
        for entry, (event, time, case) in enumerate(events)
    ]
    return Month.of(made, 60 * DAY)


def of_cases(number: int, *events: tuple[str, int]) -> list[tuple[str, int, str]]:
    return [(event, time, f"case-{at}") for at in range(number) for event, time in events]


@pytest.mark.parametrize(
    ("kind", "month"),
    [
        ("no_finished_case", rows(*of_cases(4, (RELEASED, 0)))),
        ("viewed_not_decided", rows(*of_cases(4, (RELEASED, 0), (VIEWED, 5)))),
        ("id_sweep", rows(*of_cases(15, (ASKED, 0)))),
        ("", rows(*of_cases(3, (RELEASED, 0)), *of_cases(14, (ASKED, 0)))),
        ("", rows(*of_cases(4, (RELEASED, 46 * DAY)))),
        ("", rows(*of_cases(4, (RELEASED, 0), (VIEWED, 5), (DECIDED, 9 * DAY)))),
    ],
)
def test_each_threshold_is_where_the_settings_say(kind: str, month: Month) -> None:
    assert {one.kind for one in unusual(month, LIMITS)} == ({kind} if kind else set())


@pytest.mark.parametrize(
    ("at", "found"),
    [
        (datetime(2026, 10, 1, 10, tzinfo=BEIJING), 1),  # a Thursday, and the national day
        (datetime(2026, 10, 3, 10, tzinfo=BEIJING), 1),  # a Saturday of the same holiday
        (datetime(2026, 10, 8, 10, tzinfo=BEIJING), 0),
        (datetime(2026, 10, 8, 21, tzinfo=BEIJING), 1),
        (datetime(2026, 9, 20, 10, tzinfo=BEIJING), 0),  # a Sunday that is worked for it
        (datetime(2026, 9, 13, 10, tzinfo=BEIJING), 1),
        (datetime(2026, 9, 12, 10, tzinfo=BEIJING), 0),
    ],
)
def test_hours_go_by_the_calendar(at: datetime, found: int) -> None:
    days = Workdays(
        holidays=frozenset(date(2026, 10, day) for day in range(1, 8)), made_up=frozenset({date(2026, 9, 20)})
    )
    calls = of_cases(LIMITS.after_hours_calls, (ADMITTED, int(at.timestamp()) * 1_000_000))
    month = replace(rows(*calls), workdays=days)
    assert len(after_hours(month, LIMITS)) == found


def test_a_use_that_decided_a_case_is_no_use_near_a_withdrawal() -> None:
    near = of_cases(3, (ADMITTED, 0), (WITHDRAWN, 29 * 60 * 1_000_000))
    assert [one.count for one in near_withdrawal(rows(*near), LIMITS)] == [3]
    assert near_withdrawal(rows(*near, *of_cases(3, (DECIDED, 1))), LIMITS) == []


@pytest.mark.asyncio(loop_scope="package")
async def test_the_page_shows_what_stands_in_the_log(case: Case) -> None:
    def work(transaction: Transaction) -> None:
        for number in range(LIMITS.sweep_people):
            transaction.append(
                ExchangeRefused(
                    requester="yz-hpf",
                    matter="loan",
                    case=f"sweep-{number}",
                    exchange=f"x-sweep-{number}",
                    **KEYS,
                    operator=Operator("sweeper", "5"),
                    consents=[],
                    subject_refs=[],
                    code="policy_refused",
                    reasons=[],
                )
            )

    await case.world.broker.storage.record(work)
    told = await case.desk.json("/audit/unusual")
    [found] = [one for one in told["findings"] if one["kind"] == "id_sweep"]
    assert (found["operator"], found["count"]) == ("sweeper", LIMITS.sweep_people)
    assert case.looks("unusual")[-1]["entries"] == len(told["findings"])
    page = await case.desk.get("/audit/unusual", Accept="text/html")
    assert "sweeper" in page.text
    assert "查亲戚、查同事" in page.text
    for query in ("month=2001-01", "month=2026-13", "kind=id_sweep"):
        seen = await case.desk.json(f"/audit/unusual?{query}")
        assert seen.get("findings", []) == [], query
    assert (await case.desk.get("/audit/unusual?form=csv")).text.count("sweeper") == 1


@pytest.mark.asyncio(loop_scope="package")
async def test_an_admission_of_many_items_is_one_row(case: Case) -> None:
    now = int(case.world.broker.now() * 1_000_000)
    month = await case.world.broker.storage.read(
        lambda connection: read_month(connection, 0, now, now, MONDAY_TO_FRIDAY)
    )
    admitted = case.entries(ADMITTED)
    assert [row.entry for row in month.by_event[ADMITTED]] == [entry["index"] for entry in admitted]
    assert len(admitted[0]["body"]["items"]) > 1


@pytest.mark.parametrize(
    "block",
    [
        "opens_at: 9, closes_at: 9",
        "opens_at: -1",
        "closes_at: 25",
        "many_people: 0",
        "sweep_percent: 101",
        "relatives: 1",
    ],
)
@pytest.mark.asyncio(loop_scope="package")
async def test_thresholds_that_make_no_sense_are_refused(case: Case, block: str) -> None:
    file = case.world.folder / "broker" / "other.yaml"
    text = (case.world.folder / "broker" / CONFIGURATION).read_text(encoding="utf-8")
    file.write_text(f"{text}unusual: {{{block}}}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"other\.yaml:[0-9]+: "):
        read_settings(file)
    file.write_text(f"{text}unusual: {{saturdays: false, many_people: 60}}\n", encoding="utf-8")
    assert read_settings(file).unusual.many_people == 60
