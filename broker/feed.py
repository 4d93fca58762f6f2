"""What became of a requester's own requests and consents, in the order of the log, by a cursor that is its index.

Used up and expired are no events, for nobody acts when they come about: they follow from `left` in each exchange's
answer and from `exp` in the token.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from audit import events
from audit.batch import Receipt, read_head
from audit.proofs import receipts
from audit.search import Wanted, following
from broker.exchange import receipt_members
from consent import grants
from policies.refusals import Code, Refused

PAGE_LIMIT: Final = 100
TOLD: Final = (
    events.ConsentGranted.NAME,
    events.ConsentDeclined.NAME,
    events.ConsentCancelled.NAME,
    events.ConsentWithdrawn.NAME,
    events.ConsentPaused.NAME,
    events.ConsentResumed.NAME,
)
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True)
class Position:
    """The last index of the log that was read for a requester. It is no right: whoever makes one up turns her page."""

    index: int

    @classmethod
    def read(cls, text: str) -> "Position":
        """Raises Refused(invalid_request)."""
        if not _NUMBER.fullmatch(text):
            raise Refused(Code.INVALID_REQUEST, member="after")
        return cls(int(text))


BEGINNING: Final = Position(-1)


@dataclass(frozen=True, slots=True)
class Page:
    """Events on the wire, the oldest first, and from where to go on."""

    events: tuple[Mapping[str, Any], ...]
    reached: Position


def read_on(connection: Connection, requester: str, after: Position, limit: int) -> Page:
    """The next events of this requester alone, each with its receipt.

    Raises Refused(not_found) for a position beyond the log: a broker restored from a backup must not be believed.
    """
    size = read_head(connection).frontier.size
    if after.index >= size:
        raise Refused(Code.NOT_FOUND, member="after")
    wanted = Wanted(requester=requester, events=TOLD)
    found = following(connection, wanted, after=after.index, below=size, limit=limit)
    proven = receipts(connection, found)
    entries = {index: json.loads(receipt.entry) for index, receipt in proven.items()}
    consents = [entry["body"]["consent"]["jti"] for entry in entries.values() if "consent" in entry["body"]]
    requests = grants.requests_of(connection, consents)
    told = tuple(_members(entries[index], proven[index], requests) for index in found)
    return Page(told, Position(found[-1] if len(found) == limit else size - 1))


def _members(entry: Mapping[str, Any], receipt: Receipt, requests: Mapping[str, str]) -> Mapping[str, Any]:
    body = entry["body"]
    consent = body["consent"]["jti"] if "consent" in body else None
    return {
        "index": entry["index"],
        "time": entry["time"],
        "event": entry["event"],
        "request": requests[consent] if consent is not None else body["request"],
        "consent": consent,
        "matter": body["matter"],
        "case": body["case"],
        "receipt": receipt_members(receipt),
    }
