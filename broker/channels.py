"""What each channel demands of a request: who signs for whom, on what paper, who else is there, and for how long.

An organisation's handler signs for it, online or at the counter. A guardian signs for a minor, an entrusted helper for
whoever entrusted her, a clerk for somebody at the counter who signed a paper form, with a second person who was there.
The rules (policies/rules/channels.cedar) judge the signed
token again; here a request that could never be carried out is refused before anybody is asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from policies.identifiers import age_on
from policies.refusals import Code, Refusal, Refused, TokenRole
from policies.vocabulary import ChannelMode, Organisation, Person, Subject

OF_AGE: Final = 18
"""Civil Code article 17."""
GUARDIAN_BELOW: Final = 14
"""PIPL article 31."""


@dataclass(frozen=True, slots=True)
class Channel:
    """`demands` are members of the request beside what every request has; those not named may not be there.

    `uses` and `life` (seconds) bound the consent; None where the matter alone does.
    """

    demands: frozenset[str]
    uses: int | None = None
    life: int | None = None


_ACTING: Final = frozenset({"acting", "evidence_sha256", "subject"})
CHANNELS: Final[Mapping[ChannelMode, Channel]] = {
    ChannelMode.ONLINE: Channel(frozenset()),
    ChannelMode.COUNTER: Channel(frozenset()),
    ChannelMode.GUARDIAN: Channel(_ACTING),
    ChannelMode.ENTRUSTED: Channel(_ACTING),
    ChannelMode.ASSISTED: Channel(_ACTING | {"operator", "witness"}, uses=1, life=24 * 3600),
}
_MAY_BE_THERE: Final = frozenset({"subject", "operator"})


@dataclass(frozen=True, slots=True)
class Persons:
    """Whom a request names."""

    subject: Subject | None
    acting: Person | None
    """Who signs for the subject: as the channel says, or as the organisation's handler."""
    witness: Person | None


def check_members(mode: ChannelMode, given: Mapping[str, object]) -> None:
    """Which members a channel demands and forbids. Raises Refused(invalid_request) naming the first at fault."""
    demands = CHANNELS[mode].demands
    for member, value in given.items():
        if (value is None) if member in demands else (value is not None and member not in _MAY_BE_THERE):
            raise Refused(Code.INVALID_REQUEST, TokenRole.REQUEST, member=member)


def check_persons(mode: ChannelMode, persons: Persons, today: date) -> None:
    """Different people, each of an age for their part. Raises Refused(invalid_request | policy_refused)."""
    named = {"subject": persons.subject, "acting": persons.acting, "witness": persons.witness}
    numbers: set[str] = set()
    for member, person in named.items():
        if person is not None and person.number in numbers:
            raise Refused(Code.INVALID_REQUEST, TokenRole.REQUEST, member=member)
        numbers |= {person.number} if person is not None else set()
    if any(one is not None and age_on(today, one.id_number) < OF_AGE for one in (persons.acting, persons.witness)):
        raise _refused("signer_is_a_minor")
    if isinstance(persons.subject, Organisation):
        if CHANNELS[mode].demands:
            raise Refused(Code.INVALID_REQUEST, TokenRole.REQUEST, member="mode")
        return
    age = age_on(today, persons.subject.id_number) if persons.subject is not None else OF_AGE
    if mode is ChannelMode.GUARDIAN and age >= OF_AGE:
        raise _refused("not_a_minor")
    if mode is not ChannelMode.GUARDIAN and age < GUARDIAN_BELOW:
        raise _refused("guardian_needed")


def _refused(reason: str) -> Refused:
    return Refused.because(Refusal(Code.POLICY_REFUSED, reasons=(reason,)))
