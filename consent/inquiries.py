"""What a person asks about an entry that concerns her: a question to the auditors, a correction to a department.

Each has a number, a day by which it is due, and an answer. Both texts are plain and sealed under her own key, so that
erasing her takes them; the log says that she asked and was answered, never what.
"""

import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, func, insert, select, update

from audit import events
from audit.batch import Transaction
from audit.event import Event
from consent import tables
from consent.subjects import SubjectKeys, open_words, seal_words
from policies.refusals import Code, Refused

TEXT_LIMIT: Final = 1000
"""Characters that she may write."""
ANSWER_LIMIT: Final = 4000
OPEN_LIMIT: Final = 10
"""Of one person at once, both kinds together: more than anybody needs, and few enough to be answered."""
LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: none is mistaken for another when it is read out."""

OPEN: Final = "open"
ANSWERED: Final = "answered"
ERASED: Final = "erased"
_TEXT: Final = "text"
_ANSWER: Final = "answer"


class Kind(StrEnum):
    QUESTION = "question"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True)
class Asking:
    """What an inquiry is about: an entry that concerns this person, and of a correction the item that is wrong."""

    kind: Kind
    subject_ref: str
    about: int
    requester: str
    department: str = ""
    item: str = ""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """An inquiry's row at one moment. Times are seconds since 1970, `due_on` is a day as 2026-12-11."""

    number: str
    asking: Asking
    status: str
    opened_at: int
    due_on: str
    answered_at: int | None
    _text: bytes | None
    _answer: bytes | None

    def text(self, connection: Connection, keys: SubjectKeys) -> str | None:
        """What she wrote; None once she is erased."""
        return self._opened(connection, keys, _TEXT, self._text)

    def answer(self, connection: Connection, keys: SubjectKeys) -> str | None:
        return self._opened(connection, keys, _ANSWER, self._answer)

    def _opened(self, connection: Connection, keys: SubjectKeys, part: str, sealed: bytes | None) -> str | None:
        if sealed is None:
            return None
        return open_words(connection, keys, self.asking.subject_ref, _place(self.number, part), sealed)


def read_text(text: str, longest: int) -> str:
    """Plain text with its lines in one form. ValueError where it is empty, too long or not only text."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not plain or len(plain) > longest:
        raise ValueError(f"from 1 to {longest} characters")
    if any(_is_no_text(letter) for letter in plain):
        raise ValueError("holds characters that nobody can see")
    return plain


def open_inquiry(transaction: Transaction, keys: SubjectKeys, asking: Asking, text: str, due_on: str) -> Inquiry:
    """Take it down and give it a number; the same words about the same thing are the open one again.

    `text` has been read by `read_text`. Raises Refused(rate_limited) above OPEN_LIMIT.
    """
    connection = transaction.connection
    standing = [one for one in inquiries_of(connection, asking.subject_ref) if one.status == OPEN]
    for one in standing:
        if one.asking == asking and one.text(connection, keys) == text:
            return one
    if len(standing) >= OPEN_LIMIT:
        raise Refused(Code.RATE_LIMITED)
    number = new_number(asking.kind)
    connection.execute(
        insert(tables.inquiry).values(
            number=number,
            kind=str(asking.kind),
            subject_ref=asking.subject_ref,
            about=asking.about,
            requester=asking.requester,
            department=asking.department,
            item=asking.item,
            status=OPEN,
            opened_at=transaction.time // 1_000_000,
            due_on=due_on,
            text=seal_words(connection, keys, asking.subject_ref, _place(number, _TEXT), text),
        )
    )
    transaction.append(_event(number, asking, answered=False))
    return find(connection, number)


def answer(transaction: Transaction, keys: SubjectKeys, number: str, text: str, by: str = "") -> Inquiry:
    """Answer it, once. `text` has been read by `read_text`, `by` is a staff number.

    Raises Refused(not_found | already_decided).
    """
    found = find(transaction.connection, number)
    if found.status != OPEN:
        raise Refused(Code.ALREADY_DECIDED)
    sealed = seal_words(transaction.connection, keys, found.asking.subject_ref, _place(number, _ANSWER), text)
    transaction.connection.execute(
        update(tables.inquiry)
        .where(tables.inquiry.c.number == number)
        .values(status=ANSWERED, answered_at=transaction.time // 1_000_000, answer=sealed)
    )
    transaction.append(_event(number, found.asking, answered=True, by=by))
    return find(transaction.connection, number)


def find(connection: Connection, number: str) -> Inquiry:
    """Raises Refused(not_found)."""
    row = connection.execute(select(tables.inquiry).where(tables.inquiry.c.number == number)).one_or_none()
    if row is None:
        raise Refused(Code.NOT_FOUND)
    return _inquiry(row)


def inquiries_of(connection: Connection, subject_ref: str) -> Sequence[Inquiry]:
    """Everything that one person ever asked, the newest first."""
    table = tables.inquiry
    query = select(table).where(table.c.subject_ref == subject_ref).order_by(table.c.opened_at.desc(), table.c.number)
    return [_inquiry(row) for row in connection.execute(query)]


def waiting(connection: Connection, kind: Kind, limit: int, department: str = "") -> Sequence[Inquiry]:
    """The open ones of a kind, those due first at the head; with a department, only what is asked of it."""
    table = tables.inquiry
    query = select(table).where(table.c.status == OPEN, table.c.kind == str(kind))
    if department:
        query = query.where(table.c.department == department)
    rows = connection.execute(query.order_by(table.c.due_on, table.c.number).limit(limit))
    return [_inquiry(row) for row in rows]


def answered_by_department(connection: Connection, department: str, limit: int) -> Sequence[Inquiry]:
    """Its newest answers."""
    table = tables.inquiry
    query = select(table).where(table.c.status == ANSWERED, table.c.department == department)
    rows = connection.execute(query.order_by(table.c.answered_at.desc(), table.c.number).limit(limit))
    return [_inquiry(row) for row in rows]


def count_waiting(connection: Connection, kind: Kind) -> int:
    table = tables.inquiry
    query = select(func.count()).where(table.c.status == OPEN, table.c.kind == str(kind))
    return connection.execute(query).scalar_one()


def forget_subject(transaction: Transaction, subject_ref: str) -> None:
    """Empty what this person wrote and was answered, and close it."""
    table = tables.inquiry
    transaction.connection.execute(
        update(table).where(table.c.subject_ref == subject_ref).values(status=ERASED, text=None, answer=None)
    )


def new_number(kind: Kind) -> str:
    """Such as WT-7K3M-Q2ZP (问题) or GZ-7K3M-Q2ZP (更正): 40 random bits, with never more than four digits in a row."""
    letters = "".join(secrets.choice(LETTERS) for _ in range(8))
    return f"{'WT' if kind is Kind.QUESTION else 'GZ'}-{letters[:4]}-{letters[4:]}"


def _is_no_text(letter: str) -> bool:
    # Cf holds what joins letters and emoji, which is text, and what turns the direction of writing, which can lie
    return (unicodedata.category(letter) in {"Cc", "Cs", "Co", "Cn"} and letter != "\n") or letter in _TURNING


def _place(number: str, part: str) -> str:
    return f"{number}\n{part}"


def _event(number: str, asking: Asking, *, answered: bool, by: str = "") -> Event:
    names: dict[str, Any] = {
        "number": number,
        "about": asking.about,
        "requester": asking.requester,
        "subject_ref": asking.subject_ref,
    }
    answering: dict[str, Any] = {"by": by or msgspec.UNSET}
    if asking.kind is Kind.QUESTION:
        return events.QuestionAnswered(**names, **answering) if answered else events.QuestionOpened(**names)
    names |= {"department": asking.department, "item": asking.item}
    return events.CorrectionAnswered(**names, **answering) if answered else events.CorrectionOpened(**names)


def _inquiry(row: Row[Any]) -> Inquiry:
    asking = Asking(Kind(row.kind), row.subject_ref, row.about, row.requester, row.department, row.item)
    return Inquiry(row.number, asking, row.status, row.opened_at, row.due_on, row.answered_at, row.text, row.answer)


_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
