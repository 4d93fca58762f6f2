"""Made-up cases with the five entries of one exchange each: few requesters, many operators, very many people."""

import hashlib
import random
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from audit import events, parts
from audit.event import Event

ENTRIES_EACH: Final = 5
"""consent.asked, shown and granted, exchange.admitted and released."""
CASES_EACH_PERSON: Final = 2
OPERATORS_EACH: Final = 60
REQUESTERS: Final = tuple(f"hpf-{number:02}" for number in range(1, 21))
BUSY: Final = tuple(1 / number for number in range(1, len(REQUESTERS) + 1))
"""Weights: the first requester has a quarter of all cases."""
ITEMS: Final = (
    (
        "real_estate_registration",
        "natural_resources",
        ("real_estate_unit_number", "certificate_number", "location", "building_area", "registration_date"),
    ),
    ("deed_tax", "taxation", ("tax_certificate_number", "location", "taxable_amount", "paid_amount", "paid_date")),
    ("marriage_check_single", "civil_affairs", ("marital_status",)),
    ("hpf_remote_account", "hpf_center_remote", ("center_code", "account_status", "balance")),
)
MATTER: Final = "purchase_withdrawal"
VERSION: Final = "2026-11"

Case: TypeAlias = Generator[Event, int, None]
"""Yields what to append next, and is sent the index that it got."""


def subject_ref_of(person: int) -> str:
    """Spread like the 128 random bits of a real one."""
    return hashlib.blake2b(person.to_bytes(8, "big"), digest_size=16).hexdigest()


def case_id(number: int) -> str:
    return f"GJJ-{number:08}"


def case(number: int, people: int) -> Case:
    """The entries of one case, in order; the same for the same number and count of people."""
    made = _Case.make(number, people)
    yield made.asked()
    yield made.shown()
    yield made.granted()
    admitted = made.admitted()
    yield made.released(admitted, (yield admitted))


@dataclass(frozen=True, slots=True)
class _Case:
    chance: random.Random
    names: dict[str, Any]
    subject_ref: str
    operator: parts.Operator
    consent: parts.Consent
    items: tuple[tuple[str, str, tuple[str, ...]], ...]

    @classmethod
    def make(cls, number: int, people: int) -> "_Case":
        chance = random.Random(number)
        requester = chance.choices(REQUESTERS, BUSY)[0]
        return cls(
            chance,
            {"requester": requester, "matter": MATTER, "case": case_id(number)},
            subject_ref_of(chance.randrange(people)),
            parts.Operator(f"{requester}-{chance.randrange(OPERATORS_EACH):03}", "window 7"),
            parts.Consent(_token(chance, 43), _token(chance, 22)),
            tuple(chance.sample(ITEMS, chance.randint(2, 4))),
        )

    def asked(self) -> Event:
        return events.ConsentAsked(
            **self.names,
            request=self._request(),
            kid=f"{self.names['requester']}-key-1",
            request_jti=_token(self.chance, 22),
            matter_version=VERSION,
            party="applicant",
            mode="counter",
            items=[parts.AskedItem(item, list(fields), required=True) for item, _, fields in self.items],
            uses=1,
            valid_for=2_592_000,
            operator=self.operator,
            subject_ref=self.subject_ref,
        )

    def shown(self) -> Event:
        return events.ConsentShown(
            **self.names, request=self._request(), subject_ref=self.subject_ref, notice=self._notice()
        )

    def granted(self) -> Event:
        return events.ConsentGranted(
            **self.names,
            request=self._request(),
            subject_ref=self.subject_ref,
            consent=self.consent,
            matter_version=VERSION,
            party="applicant",
            channel="device",
            uses=1,
            expires=1_800_000_000,
            items=[
                parts.GrantedItem(item, department, list(fields), f"we check {item}", "separate_consent", 30)
                for item, department, fields in self.items
            ],
            notice=self._notice(),
            token_sha256=_digest(self.chance),
            assurance=3,
        )

    def admitted(self) -> events.ExchangeAdmitted:
        return events.ExchangeAdmitted(
            **self.names,
            call=f"ex_{_token(self.chance, 22)}",
            exchange=f"{self.names['case']}-1",
            attempt=1,
            kid=f"{self.names['requester']}-key-1",
            request_jti=_token(self.chance, 22),
            request_sha256=_digest(self.chance),
            matter_version=VERSION,
            operator=self.operator,
            consents=[parts.SpentUse("applicant", self.consent.iss, self.consent.jti, self.subject_ref, 1, 0)],
            items=[
                parts.DecidedItem(
                    party="applicant",
                    subject_ref=self.subject_ref,
                    item=item,
                    department=department,
                    fields=list(fields),
                    purpose=f"we check {item}",
                    legal_basis="separate_consent",
                    policies=["consented", "within_purpose"],
                )
                for item, department, fields in self.items
            ],
            rules=_VERSION_DIGEST,
            catalogue=_VERSION_DIGEST,
            process="process-1",
        )

    def released(self, admitted: events.ExchangeAdmitted, index: int) -> Event:
        return events.ExchangeReleased(
            **self.names,
            call=admitted.call,
            exchange=admitted.exchange,
            admitted=index,
            operator=self.operator,
            results=[
                parts.ReleasedItem(
                    party="applicant",
                    subject_ref=self.subject_ref,
                    item=item,
                    outcome=self.chance.choice(("found", "found", "found", "not_found")),
                    digest=_digest(self.chance),
                    department=department,
                    route=f"{department}-http",
                    department_request=_token(self.chance, 22),
                    raw_code="0000",
                    kept=len(fields),
                    dropped=0,
                )
                for item, department, fields in self.items
            ],
        )

    def _request(self) -> str:
        return f"ar_{self.names['case']}"

    def _notice(self) -> parts.Notice:
        return parts.Notice(MATTER, VERSION, "zh", _VERSION_DIGEST)


_VERSION_DIGEST: Final = hashlib.sha256(VERSION.encode()).hexdigest()


def _token(chance: random.Random, length: int) -> str:
    return f"{chance.getrandbits(4 * length):0{length}x}"


def _digest(chance: random.Random) -> str:
    return _token(chance, 64)
