"""What ids are called in the reader's language; an id that nobody knows any more stands for itself."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from broker import requesters
from broker.moments import moment
from broker.plain_words import Words
from broker.requesters import Requester
from policies.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Names:
    """The names that one reader reads."""

    english: bool
    requesters: Mapping[str, Requester]
    catalogue: Catalogue

    @classmethod
    def read(cls, connection: Connection, catalogue: Catalogue, *, english: bool) -> "Names":
        return cls(english, {one.id: one for one in requesters.read_all(connection)}, catalogue)

    def say(self, words: Words) -> str:
        return words[self.english]

    def requester(self, id_: str) -> str:
        return self._name(self.requesters.get(id_), id_)

    def matter(self, id_: str) -> str:
        return self._name(self.catalogue.matters.get(id_), id_)

    def bundle(self, id_: str) -> str:
        return self._name(self.catalogue.bundles.get(id_), id_)

    def department(self, id_: str) -> str:
        return self._name(self.catalogue.departments.get(id_), id_)

    def item(self, id_: str) -> str:
        return self._name(self.catalogue.items.get(id_), id_)

    def fields(self, item: str, fields: Sequence[str]) -> str:
        """An item's fields in one line."""
        known = self.catalogue.items.get(item)
        of_item = known.fields if known is not None else {}
        return self.say(("、", ", ")).join(self._name(of_item.get(field), field) for field in fields)

    def purpose(self, matter: str, item: str, signed: str) -> str:
        """Why, as it was signed, which is in Chinese; in English where the catalogue still says the same."""
        known = self.catalogue.matters.get(matter)
        need = known.needs.get(item) if known is not None else None
        return need.purpose_en if self.english and need is not None and need.purpose_zh == signed else signed

    def moment(self, rfc3339: str) -> str:
        return moment(rfc3339, english=self.english)

    def sentence(self, words: Words, body: Mapping[str, Any]) -> str:
        """A sentence of plain_words.py about this entry; what the entry does not say is left out."""
        given = {"matter": self.matter(body.get("matter", "")), "who": self._who(body)}
        given |= {name: body[name] for name in ("case", "number") if name in body}
        return self.say(words).format_map(defaultdict(str, given))

    def _who(self, body: Mapping[str, Any]) -> str:
        name = self.requester(body.get("requester", ""))
        desk = (body.get("operator") or {}).get("desk", "")
        return name + self.say((f" {desk} ", f", desk {desk},")) if desk else name

    def _name(self, named: Any, id_: str) -> str:
        if named is None:
            return id_
        return str(named.name_en if self.english else named.name_zh)
