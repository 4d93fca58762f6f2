"""For items of kind `verify`: compare inside this room, so that only one word leaves it."""

from collections.abc import Mapping, Sequence

from policies.vocabulary import Outcome, Scalar


def compare(records: Sequence[Mapping[str, Scalar]], fields: Sequence[str], expect: Mapping[str, Scalar]) -> Outcome:
    """All expected values equal: match; any different: mismatch; otherwise not decidable.

    Not decidable: nothing is expected of the asked fields, no record, several records, or a value is missing.
    """
    claimed = {name: expect[name] for name in fields if name in expect}
    if not claimed or len(records) != 1:
        return Outcome.NOT_DECIDABLE
    record = records[0]
    verdicts = [_equal(record.get(name), value) for name, value in claimed.items()]
    if False in verdicts:
        return Outcome.MISMATCH
    return Outcome.NOT_DECIDABLE if None in verdicts else Outcome.MATCH


def _equal(held: Scalar, claimed: Scalar) -> bool | None:
    """None where one side has no value; 1 and true are different, though Python holds them equal."""
    if held is None or claimed is None:
        return None
    return type(held) is type(claimed) and held == claimed
