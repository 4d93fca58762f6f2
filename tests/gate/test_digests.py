"""The one form in which a result is hashed: what is written here is, byte for byte, RFC 8785."""

from typing import Any

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from broker.release import canonical
from policies.values import MAX_INTEGER

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
VALUES = st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | TEXTS
RESULTS = st.fixed_dictionaries(
    {
        "party": TEXTS,
        "item": NAMES,
        "outcome": NAMES,
        "records": st.lists(st.dictionaries(NAMES, VALUES, max_size=6), max_size=4),
        "source": st.fixed_dictionaries({"department": NAMES, "as_of": TEXTS, "route": TEXTS}),
    }
)


@given(RESULTS)
def test_a_result_is_written_as_rfc_8785_says(result: dict[str, Any]) -> None:
    assert canonical(result) == rfc8785.dumps(result)


def test_what_is_written_with_an_escape() -> None:
    every = {"text": "".join(map(chr, range(0x20))) + '"\\/\x7f\u2028\u2029é中🏠'}
    assert canonical(every) == rfc8785.dumps(every)
