"""A canary: the person and the values stand in no log line, no error text and no repr, whatever goes wrong."""

import logging
import traceback

import pytest
import structlog

from connectors.departments.fleet import Fleet
from connectors.departments.people import UNMARRIED, XU
from connectors.directory import Directory
from connectors.http import HttpConnector
from connectors.sql import SqlConnector
from tests.connectors.asking import DEPARTMENT, question

CANARIES = (
    XU.name,
    XU.id_number,
    XU.id_number.lower(),
    UNMARRIED.name,
    UNMARRIED.id_number,
    "文昌示例路",
    "12345.00",
    "28650000",
    "286500",
    "第0012345号",
)


@pytest.mark.parametrize(
    "fault",
    [
        "none",
        "down",
        "slow",
        "garbled",
        "html",
        "wrong_person",
        "truncated",
        "500",
        "huge",
        "no_record",
        "wrong_schema",
        "stale",
    ],
)
async def test_no_canary_in_any_text(
    fleet: Fleet, hasty: Directory, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], fault: str
) -> None:
    caplog.set_level(logging.DEBUG)
    texts: list[str] = []
    with structlog.testing.capture_logs() as lines:
        for item, department in DEPARTMENT.items():
            fleet.set_fault(department, fault, seconds=0.1)
            asked = question(item, expect={"marital_status": "20"})
            texts += [repr(asked), repr(await hasty.ask(asked))]
            texts += await failure(hasty, item)
    texts += [str(lines), caplog.text, *capfd.readouterr()]
    assert len(texts) > 8
    for canary in CANARIES:
        assert [text for text in texts if canary in text] == []


async def failure(directory: Directory, item: str) -> list[str]:
    """Return what a careless caller of the connector itself would print of its failure, chain included."""
    connector = directory._ways[item][0].connector
    assert isinstance(connector, HttpConnector | SqlConnector)
    try:
        return [repr(await connector.fetch(question(item)))]
    except Exception as error:  # noqa: BLE001 - whatever it is, its text is what is looked at
        return ["".join(traceback.format_exception(error)), repr(error)]
