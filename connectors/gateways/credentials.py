"""What a gateway is shown with one request, and who makes it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from connectors.contract import Question
from connectors.gateways.renewal import Issued
from connectors.requests import Sealed

Post: TypeAlias = Callable[[str, Mapping[str, str], Mapping[str, str]], Awaitable[Any]]
"""URL, headers, form members -> the JSON that came back. Raises DepartmentError, OSError or TimeoutError."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Good for one request, now."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    members: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Put beside the request's own members, in its form or its JSON body."""
    issued: Issued | None = field(default=None, repr=False)
    """The renewed secret they were made with."""


class Authenticator(Protocol):
    """Makes credentials. Owned by one connector; what it renews is shared through the memory."""

    async def credentials(self, now_ms: int, post: Post) -> Credentials:
        """Return credentials for one request."""

    async def again(self, refused: Credentials, code: str, now_ms: int, post: Post) -> Credentials | None:
        """Return other credentials where the gateway's code says that these were dead; None where that is not it."""

    async def aclose(self) -> None:
        """End a renewal that is under way."""


class Envelope(Protocol):
    """Seals a request's members and opens the reply."""

    def seal(self, content: Mapping[str, Any], question: Question, now_ms: int) -> Sealed:
        """Return the body to send."""

    def open(self, body: bytes, question: Question, now_ms: int) -> bytes:
        """Return the reply in clear. Raises DepartmentError for one that is not theirs, not for us, or too old."""
