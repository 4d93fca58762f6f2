"""The contract once more, outside any connector: whatever one returns, only what may leave this room does."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from connectors.contract import Answer, Question
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
_WORD: Final = re.compile(r"[A-Za-z0-9_.:\-]*")


def within_contract(answer: Any, route: str, question: Question, answered: datetime) -> Answer:
    """Return the answer if the contract permits it, else a `garbled` one; always under the route's own name."""
    broken = _broken_rule(answer, question)
    if broken:
        return Answer(outcome=Outcome.GARBLED, route=route, as_of=answered, raw_code=broken)
    assert isinstance(answer, Answer)
    return replace(
        answer,
        route=route,
        raw_code=_impersonal(answer.raw_code, question, 40),
        department_request=_impersonal(answer.department_request, question, 100),
    )


def _broken_rule(answer: Any, question: Question) -> str:
    if not isinstance(answer, Answer):
        return "no_answer"
    if answer.outcome not in _PERMITTED[question.item.kind]:
        return "outcome_not_permitted"
    if (answer.outcome is Outcome.FOUND) != bool(answer.records):
        return "records_do_not_fit_outcome"
    if not all(record.keys() <= set(question.fields) for record in answer.records):
        return "field_not_asked"
    if not _values_fit(answer, question):
        return "value_does_not_fit"
    return "as_of_without_zone" if answer.as_of.tzinfo is None else ""


def _values_fit(answer: Answer, question: Question) -> bool:
    try:
        for record in answer.records:
            for name, value in record.items():
                check_value(question.item.fields[name], value)
    except ValueRefusedError:
        return False
    return True


def _impersonal(text: str, question: Question, most: int) -> str:
    """Return a department's own word, cut; if it is no plain word or the person stands in it, only that it exists."""
    if not _WORD.fullmatch(text):
        return "unprintable"
    if any(form in text for form in spellings(question.person.id_number)):
        return "personal"
    return text[:most]
