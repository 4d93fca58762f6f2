"""Codes that mean what only we may conclude, or both success and something else, are refused with file and line."""

from collections.abc import Mapping

from connectors.reading import SAYABLE, Status
from connectors.route import Place
from policies.vocabulary import Outcome


def check_codes(status: Status, codes: Place) -> None:
    """Raise ConfigurationError for such a code; `codes` is where the mapping stands."""
    for code in status.codes:
        if status.succeeded(code):
            raise codes.at(code).error(f"code {code!r} cannot mean {status.codes[code].value!r}")
    check_meanings(status.codes, codes)


def check_meanings(codes: Mapping[str, Outcome], place: Place) -> None:
    """Raise ConfigurationError for a code that means what only we may conclude."""
    for code, outcome in codes.items():
        if outcome not in SAYABLE:
            raise place.at(code).error(f"code {code!r} cannot mean {outcome.value!r}")
