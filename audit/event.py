"""What every event is: a name, members that become the entry's body, and the rows by which it is found again."""

from collections.abc import Iterator
from typing import ClassVar

import msgspec

from audit.parts import IndexLine


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened; its members are the entry's `body`."""

    NAME: ClassVar[str]

    def index_lines(self) -> Iterator[IndexLine]:
        """The rows by which this entry is found; by default one for each person it names."""
        acting = (getattr(self, name, "") for name in ("actor_ref", "witness_ref"))
        for one in dict.fromkeys([getattr(self, "subject_ref", ""), *filter(None, acting)]):
            yield self._line(subject_ref=one)

    def _line(self, *, subject_ref: str, item: str = "", outcome: str = "") -> IndexLine:
        operator = getattr(self, "operator", None)
        return IndexLine(
            requester=getattr(self, "requester", ""),
            subject_ref=subject_ref,
            operator=operator.id if operator is not None else "",
            matter=getattr(self, "matter", ""),
            case=getattr(self, "case", ""),
            item=item,
            outcome=outcome,
            desk=operator.desk if operator is not None else "",
        )
