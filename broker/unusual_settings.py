"""From when on the auditor's lists call something unusual: the setting `unusual`, and where each default comes from."""

from typing import Final

import msgspec

from policies.strict_yaml import Located

_HOURS: Final = range(25)
_PERCENT: Final = range(1, 101)


class UnusualFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may stand in the file. They are for looking closer, and say nothing against anybody."""

    opens_at: int = 7
    closes_at: int = 20
    """Beijing's hours between which calls are usual: with what centres offer as longer hours."""
    saturdays: bool = True
    """Whether windows are open on Saturdays; many are. Public holidays are the calendar's (`workdays:`)."""
    after_hours_calls: int = 3
    """Of one operator on one day."""
    many_people: int = 80
    """Whom one operator looks up in a day: a busy window has thirty to sixty."""
    many_operators: int = 4
    """Who look up one person within a month: applicant at two centres, and a colleague who helps out, make three."""
    finish_days: int = 15
    """Days after a release by which its case is decided: the longest statutory limit, a loan's (article 26)."""
    decide_days: int = 10
    """Days after it was viewed: a withdrawal is decided in three (article 25)."""
    undecided_cases: int = 4
    undecided_percent: int = 40
    """So many of an operator's cases, and such a part of them: people give up, too."""
    near_minutes: int = 30
    """Before a withdrawal."""
    near_uses: int = 3
    """Of one operator in a month: uses just before a withdrawal, in cases not decided, and tries after it together."""
    sweep_people: int = 15
    """Whom an operator asks for, or is refused, in a day to no end."""
    sweep_percent: int = 60
    """Such a part of all whom that operator asks for on the day."""


def read_unusual(given: UnusualFile, located: Located) -> UnusualFile:
    """Raises ConfigurationError."""
    if given.opens_at not in _HOURS or given.closes_at not in _HOURS or given.opens_at >= given.closes_at:
        raise located.error("opens_at and closes_at are hours from 0 to 24, the first before the second", "unusual")
    for name in UnusualFile.__struct_fields__:
        value = getattr(given, name)
        if name.endswith("_percent") and value not in _PERCENT:
            raise located.error(f"{name} is from 1 to 100", "unusual", name)
        if not name.endswith("_at") and value is not False and value < 1:
            raise located.error(f"{name} is at least 1", "unusual", name)
    return given
