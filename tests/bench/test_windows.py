"""How many exchanges a window is prepared for; all figures here are made up."""

import pytest

from bench.measure import MOST, window_of


@pytest.mark.parametrize(("rate", "seconds", "wanted"), [(100.0, 2.0, 200), (3.0, 0.1, 1), (1e6, 2.0, MOST)])
def test_a_window_holds_what_fits_into_its_seconds_and_never_nothing(rate: float, seconds: float, wanted: int) -> None:
    assert window_of(rate, seconds) == wanted
