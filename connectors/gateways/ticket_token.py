"""Ticket, then token, then query: three hops, of which the first two are made once for many queries."""

from connectors.authentication import TicketToken
from connectors.gateways.credentials import Credentials, Post
from connectors.gateways.renewal import Issued, Renewal
from connectors.gateways.replies import refuse_unless, text_at
from connectors.secret_files import Secret


class TokenAuthenticator:
    """Shows the current access token."""

    def __init__(self, how: TicketToken, app_secret: Secret, renewal: Renewal) -> None:
        self._how = how
        self._app_secret = app_secret
        self._renewal = renewal

    async def credentials(self, now_ms: int, post: Post) -> Credentials:
        return self._shown(await self._renewal.current(lambda _: self._issue(now_ms, post)))

    async def again(self, refused: Credentials, code: str, now_ms: int, post: Post) -> Credentials | None:
        if code not in self._how.dead or refused.issued is None:
            return None
        return self._shown(await self._renewal.current(lambda _: self._issue(now_ms, post), refused.issued))

    async def aclose(self) -> None:
        await self._renewal.aclose()

    def _shown(self, issued: Issued) -> Credentials:
        return Credentials({"AppKey": self._how.app_key, "AccessToken": issued.secrets["token"]}, issued=issued)

    async def _issue(self, now_ms: int, post: Post) -> Issued:
        how = self._how
        first = await post(how.ticket_url, {}, {"appKey": how.app_key})
        refuse_unless(first, how.status_at, how.success)
        claimed = {"appKey": how.app_key, "appSecret": self._app_secret.text, "ticket": text_at(first, how.ticket_at)}
        second = await post(how.token_url, {}, claimed)
        refuse_unless(second, how.status_at, how.success)
        lives = how.lives_seconds * 1000
        return Issued({"token": text_at(second, how.token_at)}, now_ms, now_ms + lives * 2 // 3, now_ms + lives)
