"""The contract once more, outside any connector: whatever one returns, only what may leave this room does."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from connectors.contract import Answer, Question, Ticket
from connectors.identity import spellings
from policies.errors import ValueRefusedError
from policies.values import check_value
from policies.vocabulary import VERIFY_ANSWERS, ItemKind, Outcome

_TROUBLE: Final = frozenset(
    {
        Outcome.NEED_MANUAL,
        Outcome.DENIED_BY_DEPARTMENT,
        Outcome.BAD_REQUEST,
        Outcome.AUTH_FAILED,
        Outcome.QUOTA,
        Outcome.CLOSED_HOURS,
        Outcome.DEPARTMENT_DOWN,
        Outcome.TIMEOUT,
        Outcome.GARBLED,
    }
)
_PERMITTED: Final = {
    ItemKind.QUERY: _TROUBLE | {Outcome.FOUND, Outcome.NO_RECORD, Outcome.NOT_DECIDABLE},
    ItemKind.VERIFY: _TROUBLE | VERIFY_ANSWERS,
}
_LONGEST_STATE: Final = 200
_WORD: Final = re.compile(r"[A-Za-z0-9_.:\-]*")
_NUMBER: Final = re.compile(r"[0-9]{11}")
"""No department's code: a telephone, an account, a certificate."""
_SHORTER: Final = 3
"""By how many characters a number's shortest spelling is shorter than the number."""
_TELLING: Final = 6
"""Characters from which on a word of ours in a code is no accident."""


def within_contract(answer: Any, route: str, question: Question, answered: datetime, oldest: int = 0) -> Answer:
    """Return the answer if the contract permits it, else a `garbled` one; always under the route's own name.

    `oldest` is how many seconds before `answered` its data may have been true; 0 for any time.
    """
    broken = _broken_rule(answer, question) or ("stale" if _is_stale(answer, answered, oldest) else "")
    if broken:
        return Answer(outcome=Outcome.GARBLED, route=route, as_of=answered, raw_code=broken)
    assert isinstance(answer, Answer)
    said = (answer.route, answer.raw_code, answer.department_request, answer.answered_by)
    kept = (
        route,
        _code(answer.raw_code, question),
        _impersonal(answer.department_request, question, 100),
        _impersonal(answer.answered_by, question, 64),
    )
    if kept == said:
        return answer
    return replace(answer, route=kept[0], raw_code=kept[1], department_request=kept[2], answered_by=kept[3])


def _broken_rule(answer: Any, question: Question) -> str:
    if not isinstance(answer, Answer):
        return "no_answer"
    if answer.outcome is Outcome.PENDING or answer.ticket is not None:
        return "" if _is_left_pending(answer, question) else "pending_without_ticket"
    return _broken_rule_of_answer(answer, question)


def _broken_rule_of_answer(answer: Answer, question: Question) -> str:
    if answer.outcome not in _PERMITTED[question.item.kind]:
        return "outcome_not_permitted"
    if (answer.outcome is Outcome.FOUND) != bool(answer.records):
        return "records_do_not_fit_outcome"
    asked = frozenset(question.fields)
    if not all(record.keys() <= asked for record in answer.records):
        return "field_not_asked"
    if not _values_fit(answer, question):
        return "value_does_not_fit"
    without_zone = answer.as_of.tzinfo is None or (answer.retry_at is not None and answer.retry_at.tzinfo is None)
    return "as_of_without_zone" if without_zone else ""


def _is_stale(answer: Answer, answered: datetime, oldest: int) -> bool:
    return bool(oldest) and answer.outcome not in _TROUBLE and answered - answer.as_of > timedelta(seconds=oldest)


def _is_left_pending(answer: Answer, question: Question) -> bool:
    ticket = answer.ticket
    return (
        answer.outcome is Outcome.PENDING
        and isinstance(ticket, Ticket)
        and not answer.records
        and answer.as_of.tzinfo is not None
        and len(ticket.state) <= _LONGEST_STATE
        and not any(form in ticket.state for form in spellings(question.subject.number))
    )


def _values_fit(answer: Answer, question: Question) -> bool:
    fields = question.item.fields
    try:
        for record in answer.records:
            for name, value in record.items():
                check_value(fields[name], value)
    except ValueRefusedError:
        return False
    return True


def _code(text: str, question: Question) -> str:
    """A code is shown to operators, who learn neither whom nor about which case the department was asked."""
    of_the_call = (question.case, question.call, question.consent, question.operator)
    if len(text) >= _TELLING and (
        _NUMBER.search(text) or any(len(word) >= _TELLING and word in text for word in of_the_call)
    ):
        return "personal"
    return _impersonal(text, question, 40)


def _impersonal(text: str, question: Question, most: int) -> str:
    """Return a department's own word, cut; if it is no plain word or the person stands in it, only that it exists."""
    if not text:
        return text
    if not _WORD.fullmatch(text):
        return "unprintable"
    number = question.subject.number
    if len(text) >= len(number) - _SHORTER and any(form in text for form in spellings(number)):
        return "personal"
    return text[:most]
