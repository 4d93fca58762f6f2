"""Families of result codes that many departments share, and what each code means in the protocol's closed words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from policies.vocabulary import Outcome

Family: TypeAlias = Literal["", "national_gateway"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """An outcome, and in how many seconds asking again may help (0: nobody said)."""

    outcome: Outcome
    wait: int = 0


_DENIED: Final = Meaning(Outcome.DENIED_BY_DEPARTMENT)
_KEY: Final = Meaning(Outcome.AUTH_FAILED)
_DOWN: Final = Meaning(Outcome.DEPARTMENT_DOWN)

FAMILIES: Final[Mapping[Family, Mapping[str, Meaning]]] = {
    "": {},
    "national_gateway": {
        "-4": _DENIED,  # this address is not allowed
        "-5": _KEY,  # wrong signature
        "-6": Meaning(Outcome.QUOTA, 60),  # too frequent
        "-19": _KEY,  # the request's time is off by more than ten minutes
        "-20": _DENIED,  # not authorised
        "-21": _KEY,  # the token is dead
        "-22": _KEY,
        **{str(code): _DOWN for code in range(-40, -29)},  # the gateway has trouble with the department's own secret
        "-45": _DENIED,  # this address is black-listed
        "-47": _DENIED,  # this address is not on file
        "-48": _DOWN,  # the interface is not published
        "-50": Meaning(Outcome.DEPARTMENT_DOWN, 20),  # the key is being renewed
        "2010": Meaning(Outcome.TIMEOUT),
        "12000": _DOWN,
        "12100": Meaning(Outcome.DEPARTMENT_DOWN, 60),  # the gateway's own breaker is open
        "12101": Meaning(Outcome.QUOTA, 60),  # per minute
        "12102": Meaning(Outcome.QUOTA, 3600),  # per hour
        "12103": Meaning(Outcome.QUOTA, 86400),  # per day
        "12104": Meaning(Outcome.QUOTA),  # in all
    },
}
"""As national exchange gateways answer; a route's own `codes` win over its family's."""
