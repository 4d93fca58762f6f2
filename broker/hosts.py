"""Citizens' and staff's pages on hosts of their own, where the settings name them: no host answers for another's part.

A cookie of one host is never sent to another, and a flaw in a page of one reaches nothing of another. The Host
header is the caller's word: it is used to refuse, never to permit.
"""

from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

CITIZENS: Final = ("/a/", "/me/", "/v1/me/", "/v1/session", "/sign-", "/text-size")
"""How the addresses of the citizens' part begin, beside /me itself."""
STAFF: Final = ("/staff/", "/audit/", "/steward/", "/operate/")
"""How the addresses of auditors, stewards and administrators begin, beside /staff itself."""
EVERYBODY: Final = (
    "/static/",
    "/verify",
    "/problems/",
    "/guide",
    "/figures",
    "/v1/figures",
    "/log/",
    "/v1/log/",
    "/v1/status-lists/",
    "/.well-known/",
)
"""What is public, and the same on every host."""
NOWHERE: Final = "/not-on-this-host"


class Hosts:
    """Sends what does not belong to the host it came by to an address that does not exist."""

    def __init__(self, app: ASGIApp, *, issuer: str, citizens: str, staff: str) -> None:
        self._app = app
        named = {CITIZENS: citizens, STAFF: staff}
        self._parts = {part: urlsplit(one).netloc.lower() for part, one in named.items() if one != issuer}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._belongs(scope):
            scope = {**scope, "path": NOWHERE, "raw_path": NOWHERE.encode()}
        await self._app(scope, receive, send)

    def _belongs(self, scope: Scope) -> bool:
        path: str = scope["path"]
        if not self._parts or path.startswith(EVERYBODY):
            return True
        given: bytes = next((value for name, value in scope["headers"] if name == b"host"), b"")
        host = given.decode("latin-1").lower()
        mine = [(host == its, f"{path}/".startswith(part)) for part, its in self._parts.items()]
        return all(by_its_host == of_it for by_its_host, of_it in mine)
