"""A department whose people answer by hand: the question waits, and one of them types.

The page, its link and its form are the broker's: tests/late.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connectors.contract import Answer, Question
from connectors.departments.people import XU, somebody_else
from connectors.directory import Directory
from connectors.manual import ManualConnector, Typed
from tests.departments.http_departments import late_route
from tests.departments.running import HELD, Running, limited, write_route

TYPED = {
    "person": XU.id_number.lower(),
    "taxpayer_name": XU.name,
    "taxpayer_id": XU.id_number,
    "tax_certificate_number": "332126100000007",
    "location": "扬州市示例区文昌示例路88号2幢902室",
    "transfer_area": "118.50",
    "taxable_amount": "1,234,500.00",
    "paid_amount": "12345",
    "paid_date": "2026年10月18日",
}
SPOILED = {
    "wrong schema": {**TYPED, "paid_amount": "2026-10-18", "paid_date": "12345"},
    "wrong person": {**TYPED, "person": somebody_else(XU.id_number).person.id_number},
    "truncated": {name: value for name, value in TYPED.items() if name != "paid_date"},
    "100 MB": {**TYPED, "location": "x" * 100_000_000},
}


@contextmanager
def manual(folder: Path, _request: pytest.FixtureRequest) -> Iterator[Running]:
    """Somebody who types at once, unless held."""
    state = ["none"]

    def bend(fault: str) -> None:
        state[0] = fault

    def typed(directory: Directory, question: Question) -> Answer | None:
        if state[0] == HELD:
            return None
        (connector,) = directory.connectors(ManualConnector)
        words = Typed("found", SPOILED.get(state[0], TYPED), "t-7")
        return directory.read(question, connector.route, lambda: connector.answer_in(words, question))

    item, route = late_route("tax-manual", folder)
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700)
    yield Running(write_route(folder, item, limited(route)), secrets, bend, typed)
