"""What became of a matter's papers, computed from the catalogue and from which items can really be asked here."""

from collections.abc import Collection
from dataclasses import dataclass

from policies.vocabulary import Material, MaterialState, Matter


@dataclass(frozen=True, slots=True)
class Register:
    """One matter's papers. Nothing in it can be typed anywhere."""

    before: int
    """How many the matter used to ask for."""
    now: int
    """How many are still to be handed in: those kept, and those whose item has no route here yet."""
    promised: int
    """For how many the applicant's written promise stands."""
    zero_material: bool
    """Whether every paper is answered by an item with a working route or has been abolished; a promise does not do."""
    to_bring: tuple[Material, ...]
    spared: tuple[Material, ...]


def register(matter: Matter, routed: Collection[str]) -> Register:
    """Add up one matter's papers, where the items in `routed` have a working route."""
    to_bring = tuple(material for material in matter.materials if _asked_for(material, routed))
    promised = sum(material.state is MaterialState.PROMISED for material in matter.materials)
    return Register(
        before=len(matter.materials),
        now=len(to_bring),
        promised=promised,
        zero_material=not to_bring and not promised,
        to_bring=to_bring,
        spared=tuple(material for material in matter.materials if material not in to_bring),
    )


def _asked_for(material: Material, routed: Collection[str]) -> bool:
    if material.state is MaterialState.REPLACED:
        return material.item not in routed
    return material.state is MaterialState.KEPT
