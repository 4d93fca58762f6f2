"""One consent's life as the protocol tells it, small enough to be read: what each act must answer, and why."""

from dataclasses import dataclass, field

from policies.refusals import Code

TICKET = 300
"""Seconds that a link lives at a counter."""
AGAIN_WITHIN, AGAIN_AT_MOST = 600, 3

Answer = Code | None
"""The code of the refusal, or None where the act is done."""


@dataclass(slots=True)
class Pull:
    """One exchange under an id of its own."""

    first: float
    again: int = 0


@dataclass(slots=True)
class Model:
    """A request, the consent that may come of it, and everything around that can stop it."""

    uses: int
    valid_for: int
    ticket_ends: float
    status: str = "pending"
    shown: bool = False
    composed_at: float = 0.0
    consent: str = ""
    """active, paused or withdrawn once granted."""
    consent_ends: float = 0.0
    used: int = 0
    suspended: bool = False
    stopped: set[str] = field(default_factory=set)
    pulls: dict[str, Pull] = field(default_factory=dict)

    def unanswered(self, now: float) -> Answer:
        """What a person hears who answers now."""
        if self.status not in ("pending", "opened"):
            return Code.ALREADY_DECIDED
        return Code.REQUEST_EXPIRED if self.ticket_ends <= now else None

    def open(self, now: float) -> Answer:
        return self.unanswered(now) if self.status in ("pending", "opened") else None

    def compose(self, now: float) -> Answer:
        return self.unanswered(now) or (None if self.shown else Code.CONSENT_MISMATCH)

    def sign(self, now: float, *, newest: bool) -> Answer:
        """Sign the newest composition, or one that a newer has voided."""
        if self.composed_at + self.valid_for <= now:
            return Code.CONSENT_EXPIRED
        return self.unanswered(now) or (None if newest else Code.CONSENT_MISMATCH)

    def change(self) -> Answer:
        """The requester renews or cancels."""
        if self.suspended:
            return Code.REQUESTER_SUSPENDED
        return None if self.status in ("pending", "opened") else Code.ALREADY_DECIDED

    def pause(self, now: float) -> Answer:
        return self._ended("paused") or (Code.CONSENT_EXPIRED if self.consent_ends <= now else None)

    def resume(self, now: float) -> Answer:
        if self.consent == "withdrawn":
            return Code.CONSENT_WITHDRAWN
        if self.consent_ends <= now:
            return Code.CONSENT_EXPIRED
        return None if self.consent == "paused" else Code.ALREADY_DECIDED

    def withdraw(self) -> Answer:
        return self._ended("withdrawn")

    def pull(self, now: float, exchange: str) -> Answer:
        """Exchange, for the first time or again; the first reason in the order of the one path."""
        if self.consent_ends <= now:
            return Code.CONSENT_EXPIRED
        earlier = self.pulls.get(exchange)
        if earlier is not None and (earlier.again >= AGAIN_AT_MOST or now > earlier.first + AGAIN_WITHIN):
            return Code.CONSENT_USED_UP
        if standing := self._standing():
            return standing
        return Code.CONSENT_USED_UP if earlier is None and self.used >= self.uses else None

    def pulled(self, now: float, exchange: str) -> None:
        """The exchange was released."""
        if exchange in self.pulls:
            self.pulls[exchange].again += 1
            return
        self.pulls[exchange] = Pull(now)
        self.used += 1

    def _standing(self) -> Answer:
        if self.suspended:
            return Code.REQUESTER_SUSPENDED
        if "" in self.stopped:
            return Code.RELEASES_STOPPED
        return self._ended("paused") or (Code.RELEASES_STOPPED if self.stopped else None)

    def _ended(self, at_most: str) -> Answer:
        if self.consent == "withdrawn":
            return Code.CONSENT_WITHDRAWN
        return Code.CONSENT_PAUSED if self.consent == at_most == "paused" else None
