"""Credentials that need no renewal: nothing, a static key, Basic, or headers signed with a fixed secret."""

from connectors.authentication import Fixed, authentication_headers
from connectors.gateways.credentials import Credentials, Post
from connectors.secret_files import Secret


class FixedAuthenticator:
    """Makes each request's headers from one secret."""

    def __init__(self, how: Fixed, secret: Secret | None) -> None:
        self._how = how
        self._secret = secret

    async def credentials(self, now_ms: int, post: Post) -> Credentials:  # noqa: ARG002 - the Authenticator's shape
        return Credentials(authentication_headers(self._how, self._secret, now_ms))

    async def again(self, refused: Credentials, code: str, now_ms: int, post: Post) -> None:
        """Nothing else could be shown."""

    async def aclose(self) -> None:
        """Nothing is under way."""
