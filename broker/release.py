"""Steps 8 and 9 of the one path: cut to what was granted, look at the withdrawal once more, record what is leaving.

Each result carries a random salt; the entry holds hex SHA-256(salt || RFC 8785 bytes of the result without `salt`). So
the receipt proves what was released, and the log gives nothing away to somebody who guesses.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from audit import events, parts
from audit.batch import Transaction
from broker import admission, waiting
from broker.admission import Admitted
from broker.exchange_request import Line
from broker.expected import answers_at, beside
from broker.interruption import ADMITTED
from broker.repeats import answered_after
from broker.standing import because, foremost, standing
from broker.waiting import Asked
from connectors.contract import Answer
from consent.kept import Consented
from consent.keys import to_base64url
from policies.errors import ValueRefusedError
from policies.refusals import Code, Refusal
from policies.values import check_value
from policies.vocabulary import ItemKind, Outcome

SALT_SIZE: Final = 16


@dataclass(frozen=True, slots=True)
class Minimised:
    """One line's answer, holding granted fields only."""

    line: Line
    answer: Answer
    outcome: Outcome
    records: tuple[Mapping[str, Any], ...] = field(repr=False)
    kept: int
    dropped: int
    because: str = ""
    """Why it does not leave after all, in one word; empty where it does."""

    def by(self, staff: str) -> "Minimised":
        """The same, answered by hand by this person of the department."""
        return replace(self, answer=replace(self.answer, answered_by=staff))


@dataclass(frozen=True, slots=True)
class Released:
    """Durable: these results may leave, and `index` is the entry that says so."""

    index: int
    results: tuple[Mapping[str, Any], ...] = field(repr=False)
    expected: tuple[Mapping[str, str], ...] = ()
    """When an answer can be expected, of items that have none (broker/expected.py)."""


def minimise(line: Line, answer: Answer) -> Minimised:
    """Step 8. What does not fit the catalogue's types is garbled as a whole: half an answer misleads."""
    outcome = answer.outcome
    records: tuple[Mapping[str, Any], ...] = ()
    if answer.outcome is Outcome.FOUND and line.item.kind is ItemKind.QUERY:
        try:
            records = tuple(_cut(line, record) for record in answer.records)
        except ValueRefusedError:
            outcome = Outcome.GARBLED
    sent = sum(map(len, answer.records))
    kept = sum(map(len, records))
    return Minimised(line, answer, outcome, records, kept, answer.dropped + sent - kept)


def release(transaction: Transaction, admitted: Admitted, minimised: Sequence[Minimised]) -> Released | Refusal:
    """Step 9 as a unit of work: `standing` again, then the entry. Nothing leaves before this has committed."""
    request = admitted.examined.request
    row = admission.find_row(transaction.connection, request.requester, request.body.exchange)
    if row is None or row.call != admitted.call or row.status != ADMITTED:
        return Refusal(Code.EXCHANGE_CONFLICT)
    now_standing = standing(
        transaction,
        admitted.examined.caller,
        now=transaction.time / 1_000_000,
        stop_after=admitted.stop_after,
    )
    refusals = [now_standing.refusal(one.line.item.id, one.line.concerned) for one in minimised]
    if (first := foremost(refusals)) is not None and all(refusals):
        return _withhold(transaction, admitted, row, first)
    leaving = [
        one if why is None else replace(one, because=because(why)) for one, why in zip(minimised, refusals, strict=True)
    ]
    results = results_of(leaving)
    released = released_items(leaving, results, transaction.time // 1_000_000)
    index = _record_released(transaction, admitted, released)
    _wait(transaction, admitted, index, leaving, results)
    _remember(transaction, admitted, row, results)
    return Released(index, tuple(results), tuple(beside(released)))


def _cut(line: Line, record: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: check_value(line.item.fields[name], record[name]) for name in line.fields if name in record}


def _withhold(transaction: Transaction, admitted: Admitted, row: Any, refusal: Refusal) -> Refusal:
    examined = admitted.examined
    transaction.append(
        events.ExchangeWithheld(
            call=admitted.call,
            exchange=examined.request.body.exchange,
            admitted=admitted.index,
            requester=examined.request.requester,
            matter=examined.request.body.matter,
            case=examined.request.body.case,
            subject_refs=[party.granted.subject_ref for party in examined.parties],
            code=refusal.code,
            stopped=list(refusal.stopped) or msgspec.UNSET,
        )
    )
    admission.end_row(transaction, admitted, row, admission.WITHHELD)
    return refusal


def withheld(line: Line, route: str, now: float, refusal: Refusal) -> Minimised:
    """What is said of an item whose person no longer stands, or that is stopped."""
    answer = Answer(outcome=Outcome.WITHHELD, route=route, as_of=datetime.fromtimestamp(now, UTC))
    return Minimised(line, answer, Outcome.WITHHELD, (), 0, 0, because(refusal))


def results_of(minimised: Sequence[Minimised]) -> list[dict[str, Any]]:
    """Results on the wire, each with a new salt. All are drawn at once: each draw is a turn of the threads."""
    salts = secrets.token_bytes(SALT_SIZE * len(minimised))
    return [_result(one, salts[SALT_SIZE * n : SALT_SIZE * (n + 1)]) for n, one in enumerate(minimised)]


def _result(minimised: Minimised, salt: bytes) -> dict[str, Any]:
    line, answer, withheld = minimised.line, minimised.answer, bool(minimised.because)
    return {
        "party": line.party.party,
        "item": line.item.id,
        "outcome": str(Outcome.WITHHELD if withheld else minimised.outcome),
        "records": [] if withheld else [dict(record) for record in minimised.records],
        "source": {
            "department": line.item.department,
            "as_of": _rfc3339(answer.as_of),
            "route": answer.route,
        },
        "salt": to_base64url(salt),
    }


def salted_digest(result: Mapping[str, Any]) -> str:
    """What the log holds of a result (protocol, exchanges)."""
    salt = base64.urlsafe_b64decode(result["salt"] + "==")
    unsalted = {name: value for name, value in result.items() if name != "salt"}
    return hashlib.sha256(salt + canonical(unsalted)).hexdigest()


def canonical(result: Mapping[str, Any]) -> bytes:
    """A result in RFC 8785's one form: its members are named in ASCII and its numbers are exact integers.

    For such objects this is that form, thirty times as fast as a library for all objects (tests/gate/test_digests.py).
    """
    return msgspec.json.encode(result, order="sorted")


def _record_released(transaction: Transaction, admitted: Admitted, released: list[parts.ReleasedItem]) -> int:
    body = admitted.examined.request.body
    return transaction.append(
        events.ExchangeReleased(
            call=admitted.call,
            exchange=body.exchange,
            admitted=admitted.index,
            requester=admitted.examined.request.requester,
            matter=body.matter,
            case=body.case,
            operator=admitted.examined.operator,
            results=released,
        )
    )


def released_items(
    minimised: Sequence[Minimised], results: Sequence[Mapping[str, Any]], now: int
) -> list[parts.ReleasedItem]:
    """What the log says of each result."""
    return [_released_item(one, result, now) for one, result in zip(minimised, results, strict=True)]


def _released_item(minimised: Minimised, result: Mapping[str, Any], now: int) -> parts.ReleasedItem:
    line, answer = minimised.line, minimised.answer
    withheld = bool(minimised.because)
    return parts.ReleasedItem(
        party=line.party.party,
        subject_ref=line.party.granted.subject_ref,
        item=line.item.id,
        outcome=result["outcome"],
        digest=salted_digest(result),
        department=line.item.department,
        route=answer.route,
        department_request=answer.department_request,
        raw_code=answer.raw_code,
        kept=0 if withheld else minimised.kept,
        dropped=minimised.dropped + (minimised.kept if withheld else 0),
        answered_by=answer.answered_by or msgspec.UNSET,
        answers_at=answers_at(result["outcome"], answer, now) or msgspec.UNSET,
        withheld_because=minimised.because or msgspec.UNSET,
    )


def _wait(
    transaction: Transaction,
    admitted: Admitted,
    index: int,
    minimised: Sequence[Minimised],
    results: Sequence[Mapping[str, Any]],
) -> None:
    """From this release on, whoever can carry on with what it said is pending."""
    asked = _asked(admitted, index)
    for number, (one, result) in enumerate(zip(minimised, results, strict=True), 1):
        if result["outcome"] != Outcome.PENDING:
            continue
        if one.answer.ticket is None:
            waiting.move_to(transaction, asked, one.line.name)
        else:
            waiting.begin(transaction, asked, one.line, admitted.question(number), one.answer)


def _asked(admitted: Admitted, index: int) -> Asked:
    examined = admitted.examined
    return Asked(
        requester=examined.request.requester,
        exchange=examined.request.body.exchange,
        call=admitted.call,
        admitted=admitted.index,
        released=index,
        operator=examined.operator.id,
        desk=examined.operator.desk,
        consents={party.party: Consented(*party.consent.id, party.granted.subject_ref) for party in examined.parties},
    )


def _remember(transaction: Transaction, admitted: Admitted, row: Any, results: Sequence[Mapping[str, Any]]) -> None:
    admission.end_row(
        transaction,
        admitted,
        row,
        admission.RELEASED,
        first_released_at=row.first_released_at or transaction.time // 1_000_000,
        answered=answered_after(row, results),
    )


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
