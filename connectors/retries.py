"""Once more, where a read could not be delivered: after a short random wait, within a budget and the same deadline."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from connectors.contract import Answer, Question
from connectors.limits import Retries
from connectors.trouble import DepartmentError
from policies.vocabulary import Outcome

_MOST_SAVED: Final = 10.0
_FIRST_WAIT: Final = 0.05
"""Seconds; the longest first wait. Each further one may be twice as long."""


class RetryBudget:
    """What one route may spend on retries: every first try adds a part of one, however many callers there are."""

    def __init__(self, limits: Retries) -> None:
        self._limits = limits
        self._saved = 1.0

    async def ask(self, fetch: Callable[[Question], Awaitable[Answer]], question: Question) -> Answer:
        """Fetch, and once more while that may help. Raises what the last try raised."""
        self._saved = min(_MOST_SAVED, self._saved + self._limits.budget)
        for attempt in range(self._limits.most):
            try:
                return await fetch(_numbered(question, attempt))
            except (DepartmentError, OSError) as error:
                if not _undelivered(error) or self._saved < 1:
                    raise
            self._saved -= 1
            await asyncio.sleep(random.uniform(0, _FIRST_WAIT * 2**attempt))  # noqa: S311 - spreads callers, hides nothing
        return await fetch(_numbered(question, self._limits.most))


def _numbered(question: Question, attempt: int) -> Question:
    return replace(question, call=f"{question.call}-{attempt + 1}") if attempt else question


def _undelivered(error: DepartmentError | OSError) -> bool:
    """A timeout has used up the deadline; a wait that was named is longer than ours."""
    if isinstance(error, DepartmentError):
        return error.outcome is Outcome.DEPARTMENT_DOWN and not error.wait
    return not isinstance(error, TimeoutError)
