"""Limits that limit nothing, or that must not stand where they do, are refused with file and line."""

from datetime import date

from connectors.hours import Hours, Outage, span_of
from connectors.limits import MAY_FALL_BACK, Limits
from connectors.route import Place


def check_limits(limits: Limits, place: Place, *, reads_only: bool) -> None:
    """Raise ConfigurationError for a limit that limits nothing, or must not be set on such a route."""
    _check_hours(limits.hours, limits.outages, place)
    if limits.retries.most and not reads_only:
        raise place.at("retries").error("only what reads and changes nothing may be sent once more")
    if limits.breaker.failures > limits.breaker.of:
        raise place.at("breaker").error("more failures than verdicts: this breaker would never open")
    for index, outcome in enumerate(limits.fall_back_on):
        if outcome not in MAY_FALL_BACK:
            raise place.at("fall_back_on", index).error(f"after {outcome.value!r} nobody else is asked")


def _check_hours(hours: Hours | None, outages: tuple[Outage, ...], place: Place) -> None:
    for index, window in enumerate(hours.windows if hours else ()):
        begins, ends = span_of(date(2026, 1, 5), window)
        if ends <= begins:
            raise place.at("hours", "windows", index).error(f"window {window!r} is empty; past midnight is two windows")
    if hours and hours.every_day and hours.public_holidays is None:
        raise place.at("hours", "days").error("it answers every day: say whether public_holidays are open or closed")
    if hours and set(hours.holidays) & set(hours.workdays):
        raise place.at("hours", "workdays").error("a day cannot be both a holiday and a workday")
    for index, outage in enumerate(outages):
        try:
            outage.check()
        except ValueError as error:
            raise place.at("outages", index).error(str(error)) from None
