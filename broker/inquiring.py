"""Opening a question or a correction about an entry of one's own, and reading back what was asked and answered."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from audit import events
from audit.batch import Transaction
from broker.accesses import own_items
from broker.deadlines import is_over
from broker.moments import rfc3339
from broker.own_entries import own_entry
from broker.told_calls import CORRECTABLE
from broker.wiring import Broker
from consent import inquiries
from consent.inquiries import Asking, Inquiry, Kind
from consent.subjects import SubjectKeys
from policies.refusals import Code, Refused


def asking(connection: Connection, subject_ref: str, about: int, item: str | None = None) -> Asking:
    """What she may ask about: any entry that concerns her, or with `item` what a department said of her in it.

    Raises Refused(not_found).
    """
    entry = own_entry(connection, subject_ref, about)
    requester = entry["body"].get("requester", "")
    if item is None:
        return Asking(Kind.QUESTION, subject_ref, about, requester)
    results = own_items(entry["body"], subject_ref) if entry["event"] == events.ExchangeReleased.NAME else []
    for one in results:
        if one["item"] == item and one["outcome"] in CORRECTABLE:
            return Asking(Kind.CORRECTION, subject_ref, about, requester, one["department"], item)
    raise Refused(Code.NOT_FOUND)


def open_one(
    transaction: Transaction, broker: Broker, subject_ref: str, about: int, text: str, item: str | None = None
) -> Inquiry:
    """Unit of work. Raises Refused(not_found | invalid_request | rate_limited)."""
    plain = read_text(text, inquiries.TEXT_LIMIT)
    asked = asking(transaction.connection, subject_ref, about, item)
    now, deadlines = transaction.time / 1_000_000, broker.settings.deadlines
    due_on = deadlines.question(now) if item is None else deadlines.correction(now)
    return inquiries.open_inquiry(transaction, broker.keys.subjects, asked, plain, due_on)


def read_text(text: str, longest: int) -> str:
    """Raises Refused(invalid_request)."""
    try:
        return inquiries.read_text(text, longest)
    except ValueError as error:
        raise Refused(Code.INVALID_REQUEST, member="text") from error


def members(connection: Connection, keys: SubjectKeys, one: Inquiry, now: float) -> Mapping[str, Any]:
    """An inquiry on the wire, its texts opened; `overdue` while it waits beyond its day."""
    told = {
        "number": one.number,
        "kind": str(one.asking.kind),
        "status": one.status,
        "about": one.asking.about,
        "requester": one.asking.requester,
        "opened_at": rfc3339(one.opened_at),
        "due_on": one.due_on,
        "overdue": one.status == inquiries.OPEN and is_over(one.due_on, now),
        "answered_at": rfc3339(one.answered_at) if one.answered_at is not None else None,
        "text": one.text(connection, keys),
        "answer": one.answer(connection, keys),
    }
    correction = {"department": one.asking.department, "item": one.asking.item}
    return told | correction if one.asking.kind is Kind.CORRECTION else told
