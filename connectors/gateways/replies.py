"""What a gateway answers when it is asked for a secret: read strictly, its refusals told apart."""

from typing import Any

from connectors.paths import MISSING, look, path
from connectors.trouble import DepartmentError, garbled
from connectors.values import as_text
from policies.vocabulary import Outcome


def text_at(reply: Any, dotted: str) -> str:
    """Return the text there. Raises DepartmentError where there is none: a secret is never empty."""
    found = look(reply, path(dotted))
    text = "" if found is MISSING else (as_text(found) or "").strip()
    if not text:
        raise garbled("secret_missing")
    return text


def refuse_unless(reply: Any, dotted: str, success: tuple[str, ...]) -> None:
    """Raise DepartmentError(auth_failed) with the gateway's code unless it says success."""
    code = text_at(reply, dotted)
    if code not in success:
        raise DepartmentError(Outcome.AUTH_FAILED, code)
