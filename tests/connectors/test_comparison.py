"""What a check of claimed values may conclude."""

from collections.abc import Mapping

import pytest

from connectors.comparison import compare
from policies.vocabulary import Outcome, Scalar

MARRIED: Mapping[str, Scalar] = {"status": "20", "date": "2014-05-20", "n": 1, "none": None}


@pytest.mark.parametrize(
    ("fields", "expect", "outcome"),
    [
        (("status",), {"status": "20"}, Outcome.MATCH),
        (("status", "date"), {"status": "20", "date": "2014-05-20"}, Outcome.MATCH),
        (("status", "date"), {"status": "20"}, Outcome.MATCH),
        (("status",), {"status": "10"}, Outcome.MISMATCH),
        (("status", "none"), {"status": "10", "none": "x"}, Outcome.MISMATCH),
        (("status", "none"), {"status": "20", "none": "x"}, Outcome.NOT_DECIDABLE),
        (("status",), {"status": None}, Outcome.NOT_DECIDABLE),
        (("status",), {}, Outcome.NOT_DECIDABLE),
        (("status",), {"date": "2014-05-20"}, Outcome.NOT_DECIDABLE),
        (("absent",), {"absent": "20"}, Outcome.NOT_DECIDABLE),
        (("n",), {"n": True}, Outcome.MISMATCH),
        ((), {}, Outcome.NOT_DECIDABLE),
    ],
)
def test_conclusions(fields: tuple[str, ...], expect: Mapping[str, Scalar], outcome: Outcome) -> None:
    assert compare([MARRIED], fields, expect) is outcome


@pytest.mark.parametrize("count", [0, 2])
def test_only_one_record_can_be_compared(count: int) -> None:
    assert compare([MARRIED] * count, ("status",), {"status": "20"}) is Outcome.NOT_DECIDABLE
