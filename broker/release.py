"""Steps 8 and 9 of the one path: cut to what was granted, look at the withdrawal once more, record what is leaving.

Each result carries a random salt; the entry holds hex SHA-256(salt || RFC 8785 bytes of the result without `salt`). So
the receipt proves what was released, and the log gives nothing away to somebody who guesses.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import rfc8785

from audit import events, parts
from audit.batch import Transaction
from broker import admission
from broker.admission import Admitted
from broker.exchange_request import Line
from broker.interruption import ADMITTED
from broker.standing import standing
from connectors.contract import Answer
from consent.keys import to_base64url
from policies.errors import ValueRefusedError
from policies.refusals import Code, Refusal
from policies.values import check_value
from policies.vocabulary import TRANSIENT_OUTCOMES, ItemKind, Outcome

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


@dataclass(frozen=True, slots=True)
class Released:
    """Durable: these results may leave, and `index` is the entry that says so."""

    index: int
    results: tuple[Mapping[str, Any], ...] = field(repr=False)


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
    row = admission.find_row(transaction, request.requester, request.body.exchange)
    if row is None or row.call != admitted.call or row.status != ADMITTED:
        return Refusal(Code.EXCHANGE_CONFLICT)
    now_standing = standing(
        transaction.connection,
        admitted.examined.caller,
        now=transaction.time / 1_000_000,
        stop_after=admitted.stop_after,
    )
    refusals = [now_standing.refusal(*line.line.name) for line in minimised]
    if (first := refusals[0]) is not None and all(refusals):
        return _withhold(transaction, admitted, first)
    results = [_result(one, withheld=why is not None) for one, why in zip(minimised, refusals, strict=True)]
    index = _record_released(transaction, admitted, minimised, results)
    _remember(transaction, admitted, row, results)
    return Released(index, tuple(results))


def _cut(line: Line, record: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: check_value(line.item.fields[name], record[name]) for name in line.fields if name in record}


def _withhold(transaction: Transaction, admitted: Admitted, refusal: Refusal) -> Refusal:
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
        )
    )
    admission.end_row(transaction, admitted, admission.WITHHELD)
    return refusal


def _result(minimised: Minimised, *, withheld: bool) -> dict[str, Any]:
    line, answer = minimised.line, minimised.answer
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
        "salt": to_base64url(secrets.token_bytes(SALT_SIZE)),
    }


def salted_digest(result: Mapping[str, Any]) -> str:
    """What the log holds of a result (protocol, exchanges)."""
    salt = base64.urlsafe_b64decode(result["salt"] + "==")
    unsalted = {name: value for name, value in result.items() if name != "salt"}
    return hashlib.sha256(salt + rfc8785.dumps(unsalted)).hexdigest()


def _record_released(
    transaction: Transaction, admitted: Admitted, minimised: Sequence[Minimised], results: Sequence[Mapping[str, Any]]
) -> int:
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
            results=[_released(one, result) for one, result in zip(minimised, results, strict=True)],
        )
    )


def _released(minimised: Minimised, result: Mapping[str, Any]) -> parts.ReleasedItem:
    line, answer = minimised.line, minimised.answer
    withheld = result["outcome"] == Outcome.WITHHELD
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
    )


def _remember(transaction: Transaction, admitted: Admitted, row: Any, results: Sequence[Mapping[str, Any]]) -> None:
    answered = json.loads(row.answered)
    for result in results:
        key = f"{result['party']}/{result['item']}"
        before, again = answered.get(key, (None, 0))
        final_again = before is not None and before not in TRANSIENT_OUTCOMES
        answered[key] = [result["outcome"], again + 1 if final_again else again]
    admission.end_row(
        transaction,
        admitted,
        admission.RELEASED,
        first_released_at=row.first_released_at or transaction.time // 1_000_000,
        answered=json.dumps(answered).encode(),
    )


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
