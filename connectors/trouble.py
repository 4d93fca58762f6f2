"""Why a department gave no usable answer: one exception for this room, an outcome and a code, never a value."""

from typing import Final

from policies.vocabulary import Outcome


class DepartmentError(Exception):
    """The department could not be asked, refused, or its answer cannot be trusted.

    `code` is the department's own code or the name of our broken rule; no text of an answer ever stands here.
    `wait` is in how many seconds asking again may help; 0 where nobody said.
    """

    def __init__(self, outcome: Outcome, code: str, department_request: str = "", *, wait: float = 0) -> None:
        super().__init__(f"{outcome}: {code}")
        self.outcome = outcome
        self.code = code
        self.department_request = department_request
        self.wait = wait


UNREADABLE: Final = frozenset(
    {
        "SQLITE_TOOBIG",
        "body_too_large",
        "charset",
        "compressed_unasked",
        "empty_body",
        "file_too_large",
        "html_page",
        "marker_disagrees",
        "not_http",
        "not_json",
        "not_xml",
        "too_deep",
        "truncated",
        "value_too_long",
        "xml_dtd_or_entity",
    }
)
"""Rules broken by a whole answer, not by one record in it: the department is in trouble, whoever is asked about."""


def garbled(rule: str) -> DepartmentError:
    """Return the answer broke the named rule of reading."""
    return DepartmentError(Outcome.GARBLED, rule)
