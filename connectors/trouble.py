"""Why a department gave no usable answer: one exception for this room, an outcome and a code, never a value."""

from policies.vocabulary import Outcome


class DepartmentError(Exception):
    """The department could not be asked, refused, or its answer cannot be trusted.

    `code` is the department's own code or the name of our broken rule; no text of an answer ever stands here.
    """

    def __init__(self, outcome: Outcome, code: str, department_request: str = "") -> None:
        super().__init__(f"{outcome}: {code}")
        self.outcome = outcome
        self.code = code
        self.department_request = department_request


def garbled(rule: str) -> DepartmentError:
    """Return the answer broke the named rule of reading."""
    return DepartmentError(Outcome.GARBLED, rule)
