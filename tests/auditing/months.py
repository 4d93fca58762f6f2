"""A made-up month of four centres, normal or with abuse planted in it, always the same for the same seed.

What is normal here: sixty operators, twelve cases a day each, couples, people who decline or give up, longer hours on
two evenings a week, Saturdays, home visits, colleagues who step in, withdrawals, some of them at once, busy days, tries
again after a withdrawal, letters to many people, and a few rare days that are right and look odd all the same.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from broker.auditing.unusual import (
    ADMITTED,
    ASKED,
    DECIDED,
    GRANTED,
    REFUSED,
    RELEASED,
    VIEWED,
    WITHDRAWN,
    Month,
    Row,
)

START: Final = int(datetime(2026, 10, 31, 16, tzinfo=UTC).timestamp())
"""Midnight in Beijing of Sunday, the first of November 2026."""
DAYS: Final = 30
LATER: Final = 20
"""Days after the month when it is looked at."""
HOUR: Final = 3600
DAY: Final = 24 * HOUR
CENTRES: Final = ("bj-hpf", "nj-hpf", "yz-hpf", "zj-hpf")
OPERATORS_EACH: Final = 15
CASES_A_DAY: Final = 12
PLANTED: Final = 20
"""Of each kind of abuse, from barely to plainly seen."""


@dataclass
class Making:
    """A month being made up, event by event; put into order at the end."""

    chance: random.Random
    events: list[tuple[int, str, str, str, str, str, str]] = field(default_factory=list)
    cases: int = 0

    def say(self, at: float, event: str, who: tuple[str, str], case: str, person: str, outcome: str = "") -> None:
        self.events.append((int(at), event, *who, case, person, outcome))

    def person(self) -> str:
        return f"{self.chance.getrandbits(128):032x}"

    def case(self) -> str:
        self.cases += 1
        return f"GJJ-{self.cases:06}"

    def month(self) -> Month:
        rows = [
            Row(entry, at * 1_000_000 + entry % 1000, event, requester, operator, case, person, outcome)
            for entry, (at, event, requester, operator, case, person, outcome) in enumerate(sorted(self.events))
        ]
        return Month.of(rows, (START + (DAYS + LATER) * DAY) * 1_000_000)

    def looked_up(self, at: float, who: tuple[str, str], case: str, *people: str) -> None:
        """Agreed to and released, whatever comes of it then."""
        for person in people:
            self.say(at - 600, ASKED, who, case, person)
            self.say(at - 300, GRANTED, (who[0], ""), case, person)
        for person in people:
            self.say(at, ADMITTED, who, case, person)
        self.say(at + 2, RELEASED, who, case, people[0])

    def finished(self, at: float, who: tuple[str, str], case: str, *people: str) -> None:
        self.looked_up(at, who, case, *people)
        self.say(at + 60, VIEWED, who, case, people[0])
        self.say(at + self.chance.uniform(0.1, 4) * DAY, DECIDED, who, case, people[0])


def operators() -> Iterator[tuple[str, str]]:
    return ((centre, f"clerk-{number:02}") for centre in CENTRES for number in range(OPERATORS_EACH))


def normal(seed: int) -> Making:
    made = Making(random.Random(seed))
    for day in range(DAYS):
        weekday = day % 7  # the first is a Sunday
        if weekday == 0:
            continue
        for who in operators():
            if weekday != 6 or made.chance.random() < 0.3:
                _working_day(made, START + day * DAY, who, late=weekday in (2, 4))
    _campaigns(made)
    _rare_days(made)
    return made


def _working_day(made: Making, midnight: int, who: tuple[str, str], *, late: bool) -> None:
    chance = made.chance
    busy = 2.5 if chance.random() < 0.02 else 1
    for _ in range(int(chance.gauss(CASES_A_DAY, 3) * busy)):
        at = midnight + chance.uniform(8.5, 19.5 if late and chance.random() < 0.3 else 17.5) * HOUR
        _case(made, at, who)
    if chance.random() < 0.02:  # an urgent case, or a visit at home
        _case(made, midnight + chance.uniform(20, 21) * HOUR, who)


def _case(made: Making, at: float, who: tuple[str, str]) -> None:
    chance, case, person = made.chance, made.case(), made.person()
    people = (person, made.person()) if chance.random() < 0.25 else (person,)
    fate = chance.random()
    if fate < 0.08:  # asked, and not agreed to
        made.say(at, ASKED, who, case, person)
    elif fate < 0.13:  # gives up after it was looked up
        made.looked_up(at, who, case, *people)
        if chance.random() < 0.6:
            made.say(at + 60, VIEWED, who, case, person)
    else:
        _finished(made, at, who, case, *people)


def _finished(made: Making, at: float, who: tuple[str, str], case: str, *people: str) -> None:
    chance = made.chance
    made.finished(at, who, case, *people)
    if chance.random() < 0.06:  # a colleague steps in, or another centre needs the same person
        other = (who[0] if chance.random() < 0.7 else chance.choice(CENTRES), f"clerk-{chance.randrange(15):02}")
        made.finished(at + chance.uniform(1, 3) * HOUR / 2, other, made.case(), people[0])
    if chance.random() < 0.02:
        soon = chance.random() < 0.15
        withdrawn = at + (chance.uniform(2, 29) * 60 if soon else chance.uniform(1, 10) * DAY)
        made.say(withdrawn, WITHDRAWN, (who[0], ""), case, people[0])
        if chance.random() < 0.1:  # the centre's program tries once more
            made.say(withdrawn + DAY, REFUSED, who, case, people[0], "consent_withdrawn")


def _campaigns(made: Making) -> None:
    """Letters to many people, most of whom answer within the month."""
    for who in made.chance.sample(list(operators()), 6):
        at = START + made.chance.choice([2, 3, 9, 10, 17]) * DAY + 10 * HOUR
        for _ in range(made.chance.randint(10, 40)):
            case, person = made.case(), made.person()
            made.say(at, ASKED, who, case, person)
            if made.chance.random() < 0.75:
                made.say(at + made.chance.uniform(1, 5) * DAY, GRANTED, (who[0], ""), case, person)


def _rare_days(made: Making) -> None:
    """What is right and looks odd all the same: it happens, and each list will name some of it."""
    chance, everybody = made.chance, list(operators())
    at_an_employer, fair = chance.sample(everybody, 2)
    for number in range(95):  # a whole firm's staff in one day
        made.finished(START + 12 * DAY + 9 * HOUR + number * 240, at_an_employer, made.case(), made.person())
    for number in range(6):  # an open Sunday
        made.finished(START + 14 * DAY + (10 + number) * HOUR, fair, made.case(), made.person())
    for _ in range(2):  # a family that moves, with four matters at three centres
        person = made.person()
        for who in chance.sample(everybody, 4):
            made.finished(START + chance.choice([15, 16, 17]) * DAY + 11 * HOUR, who, made.case(), person)
    for _ in range(30):  # letters that nobody answers
        made.say(START + 18 * DAY + 10 * HOUR, ASKED, chance.choice(everybody[:1]), made.case(), made.person())


Abuse = Callable[[Making, tuple[str, str], float], str]
"""Plants one piece of abuse of a strength between 0 and 1; whom to find it under: the operator, or the person."""


def _at(made: Making, hour: float = 11) -> float:
    return START + made.chance.choice([2, 3, 4, 5, 8, 9, 10, 11]) * DAY + hour * HOUR


def _no_finished_case(made: Making, who: tuple[str, str], strength: float) -> str:
    for _ in range(2 + round(strength * 120)):
        made.looked_up(_at(made, made.chance.uniform(9, 17)), who, made.case(), made.person())
    return who[1]


def _viewed_not_decided(made: Making, who: tuple[str, str], strength: float) -> str:
    for _ in range(2 + round(strength * 120)):
        at, case, person = _at(made, made.chance.uniform(9, 17)), made.case(), made.person()
        made.looked_up(at, who, case, person)
        made.say(at + 60, VIEWED, who, case, person)
    return who[1]


def _after_hours(made: Making, who: tuple[str, str], strength: float) -> str:
    at = _at(made, 22.5)
    for number in range(1 + round(strength * 15)):
        made.finished(at + number * 120, who, made.case(), made.person())
    return who[1]


def _operator_many_people(made: Making, who: tuple[str, str], strength: float) -> str:
    at = _at(made, 9)
    for number in range(50 + round(strength * 150)):
        made.finished(at + number * 100, who, made.case(), made.person())
    return who[1]


def _person_many_operators(made: Making, who: tuple[str, str], strength: float) -> str:
    person = made.person()
    for other in made.chance.sample(list(operators()), 3 + round(strength * 8)):
        made.finished(_at(made, made.chance.uniform(9, 17)), other, made.case(), person)
    return person


def _near_withdrawal(made: Making, who: tuple[str, str], strength: float) -> str:
    for number in range(1 + round(strength * 6)):
        at, case, person = _at(made, made.chance.uniform(9, 17)), made.case(), made.person()
        made.looked_up(at, who, case, person)
        made.say(at + 60 * made.chance.uniform(1, 45), WITHDRAWN, (who[0], ""), case, person)
        if number % 2:
            made.say(at + HOUR, REFUSED, who, case, person, "consent_withdrawn")
    return who[1]


def _id_sweep(made: Making, who: tuple[str, str], strength: float) -> str:
    at, refused = _at(made), made.chance.random() < 0.5
    for number in range(8 + round(strength * 60)):
        event, outcome = (REFUSED, "policy_refused") if refused else (ASKED, "")
        made.say(at + number * 30, event, who, made.case(), made.person(), outcome)
    return who[1]


ABUSES: Final[dict[str, Abuse]] = {
    "no_finished_case": _no_finished_case,
    "viewed_not_decided": _viewed_not_decided,
    "after_hours": _after_hours,
    "operator_many_people": _operator_many_people,
    "person_many_operators": _person_many_operators,
    "near_withdrawal": _near_withdrawal,
    "id_sweep": _id_sweep,
}


def abused(seed: int) -> tuple[Month, dict[str, set[str]]]:
    """A month with abuse, and by kind under whom each is to be found: operators of their own, or people.

    Each abuser also does honest work all month, in which the abuse has to be found.
    """
    made = normal(seed)
    planted: dict[str, set[str]] = {}
    for kind, abuse in ABUSES.items():
        planted[kind] = set()
        for number in range(PLANTED):
            who = (made.chance.choice(CENTRES), f"abuser-{kind}-{number:02}")
            for day in (2, 3, 4, 5, 9, 10, 11, 12, 16, 17):
                for _ in range(6):
                    _case(made, START + day * DAY + made.chance.uniform(8.5, 17) * HOUR, who)
            planted[kind].add(abuse(made, who, number / (PLANTED - 1)))
    return made.month(), planted
