"""What is measured: by a name for people, on which broker, which items are asked, and how many ask at once."""

from dataclasses import dataclass
from typing import Final

CALLERS: Final = (1, 16)
BUNDLES: Final = (
    ("real_estate_registration",),
    ("real_estate_registration", "marriage_check_single", "hpf_remote_account"),
    ("real_estate_registration", "deed_tax", "marriage_check_single", "hpf_remote_account"),
)
FOUR: Final = "four departments"
PLAIN: Final = "plain"
MIXED: Final = "mixed"
LATE: Final = "late"


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    broker: str
    items: tuple[str, ...]
    callers: int

    @property
    def ground(self) -> str:
        """What stands together in the table."""
        return MIXED if self.broker == PLAIN else self.broker

    @property
    def late(self) -> bool:
        """Whether its departments answer later than anybody waits."""
        return self.broker == LATE

    @property
    def status(self) -> int:
        """What it is answered with."""
        return 202 if self.late else 200


def each(name: str, broker: str, items: tuple[str, ...]) -> tuple[Case, ...]:
    """The case for every number of callers."""
    return tuple(Case(name, broker, items, callers) for callers in CALLERS)


CASES: Final = tuple(case for items in BUNDLES for case in each(str(len(items)), FOUR, items))
"""Of the four test departments."""
