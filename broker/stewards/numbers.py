"""Numbers that people read out to each other: an application's, an agreement's, an outage's."""

import secrets

from consent.inquiries import LETTERS


def new_number(kind: str) -> str:
    """Such as SQ-7K3M-Q2ZP: 40 random bits, with never more than four digits in a row."""
    letters = "".join(secrets.choice(LETTERS) for _ in range(8))
    return f"{kind}-{letters[:4]}-{letters[4:]}"
