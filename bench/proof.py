"""What makes a speed count: every answer is a full one whose receipt verifies, and the log verifies as a whole."""

import json
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final

from sqlalchemy import distinct, func, select

from audit import tables, tiles, verify
from audit.events import ExchangeReleased
from bench.failure import RunFailed
from broker.founding import CONFIGURATION
from broker.keys import read_keys
from broker.settings import read_settings
from broker.wiring import open_storage
from policies.vocabulary import Outcome

ANSWERED: Final = frozenset({Outcome.FOUND, Outcome.MATCH, Outcome.MISMATCH, Outcome.NOT_DECIDABLE})
"""What the departments can say of people they know; any other outcome was cheaper than an answer."""


LATE: Final = frozenset({Outcome.PENDING})
"""What a department that answers late is said to be."""


def verify_answers(answers: Sequence[bytes], items: int, vkey: str, outcomes: AbstractSet[Outcome] = ANSWERED) -> None:
    """Raises RunFailed unless each says one of `outcomes` of all items and its receipt proves just that."""
    for answer in map(json.loads, answers):
        told = [result["outcome"] for result in answer["results"]]
        if len(told) != items or not outcomes >= set(told):
            raise RunFailed(f"departments did not answer: {told}")
        try:
            verify.verify_receipt(answer["receipt"], vkey, answer["results"])
        except verify.VerificationError as error:
            raise RunFailed(f"a receipt does not verify: {error}") from error


def verify_log(folder: Path, export: Path, vkey: str, answers: int) -> int:
    """Export the ended broker's log and verify it; its size. Raises RunFailed, also where an answer has no release."""
    settings = read_settings(folder / CONFIGURATION)
    database, storage = open_storage(settings, read_keys(settings.secrets, settings.log_origin))
    with storage.reader.begin() as connection:
        tiles.export(connection, export, vkey)
        released = connection.execute(_RELEASED).scalar_one()
    storage.ledger.close()
    database.close()
    try:
        size = verify.verify_export(export, vkey).checkpoint.size
    except verify.VerificationError as error:
        raise RunFailed(f"the log does not verify: {error}") from error
    if released != answers:
        raise RunFailed(f"{answers} answers came, {released} are in the log")
    return size


_RELEASED: Final = select(func.count(distinct(tables.index.c.idx))).where(tables.index.c.event == ExchangeReleased.NAME)
