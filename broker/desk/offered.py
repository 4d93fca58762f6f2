"""What the broker's catalogue offers, as it was last read from `GET /v1/catalogue`."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from broker.client import Reply

FRESH: Final = 300.0
"""Seconds; the broker says the same of its own answer."""
_FUND: Final = "person"


@dataclass(frozen=True, slots=True)
class Offered:
    """The catalogue by id. What it does not know is named by its id."""

    matters: Mapping[str, Mapping[str, Any]]
    bundles: Mapping[str, Mapping[str, Any]]
    items: Mapping[str, Mapping[str, Any]]
    departments: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> "Offered":
        return cls(
            *({one["id"]: one for one in members[kind]} for kind in ("matters", "bundles", "items", "departments"))
        )

    def name(self, kind: str, id_: str, *, english: bool) -> str:
        found = getattr(self, kind).get(id_)
        return id_ if found is None else str(found["name_en" if english else "name_zh"])

    def matter_name(self, id_: str, *, english: bool) -> str:
        return self.name("bundles" if id_ in self.bundles else "matters", id_, english=english)

    def days(self, id_: str) -> int:
        """By law or, where no law says so, as promised; of a bundle the longest of its parts."""
        if id_ in self.bundles:
            return max(self.days(part["matter"]) for part in self.bundles[id_]["parts"])
        matter = self.matters.get(id_, {})
        return int(matter.get("statutory_days") or matter.get("promised_days") or 0)

    def startable(self, handled: Sequence[str]) -> list[Mapping[str, Any]]:
        """What can be started at a counter: the matters done here that can be asked for now, and their bundles."""
        own = [one for one in self.matters.values() if not one["recipient"] and (not handled or one["id"] in handled)]
        askable = [one for one in own if self.needs(one["id"])]
        ids = {one["id"] for one in askable}
        bundles = [
            one
            for one in self.bundles.values()
            if one["about"] == _FUND and ids.intersection(part["matter"] for part in one["parts"])
        ]
        return [*askable, *bundles]

    def needs(self, matter: str) -> list[Mapping[str, Any]]:
        """The needs of a matter that somebody can be asked for here, about a person."""
        return [need for need in self.matters.get(matter, {}).get("needs", ()) if self._can_be_asked(need["item"])]

    def field(self, item: str, name: str) -> Mapping[str, Any]:
        fields = self.items.get(item, {}).get("fields", ())
        return next((one for one in fields if one["id"] == name), {"id": name, "name_zh": name, "name_en": name})

    def _can_be_asked(self, item: str) -> bool:
        known = self.items.get(item)
        return known is not None and known["routed"] and known["about"] == _FUND and _for_applicant(known)


@dataclass(slots=True)
class Catalogue:
    """The last catalogue; where the broker is away, an older one is better than none."""

    read: Callable[[], Awaitable[Reply]]
    last: Offered | None = None
    at: float = field(default=0.0)

    async def offered(self) -> Offered:
        """Raises Refused(broker_unreachable) where it was never read."""
        if self.last is None or time.monotonic() - self.at > FRESH:
            self.last, self.at = Offered.of((await self.read()).members), time.monotonic()
        return self.last


def _for_applicant(item: Mapping[str, Any]) -> bool:
    return not item["parties"] or "applicant" in item["parties"]
