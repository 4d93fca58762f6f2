"""GET /v1/exchanges/{exchange}: steps 8 to 10 of the one path once more, for what was pending.

 read      what is waited for and what is kept; kept answers are opened under their person's key
 release   LEDGER: `standing` again; a further `exchange.released` of the same call, with `collects`, or where nobody
           stands a further `exchange.withheld`; what belongs to an ended consent is destroyed in the same unit
 answer    results, uses (none is spent), receipt

What the department has not answered is `pending` again. A final answer may be collected again within the bounds of a
repeat; trouble may be asked anew by a repeat of the exchange, so its row goes at once.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from audit import events, parts
from audit import tables as audit_tables
from audit.batch import Transaction
from broker import admission, late_answers, release, waiting
from broker.exchange import Answered, ExchangePath, body_of
from broker.exchange_request import Line
from broker.expected import beside
from broker.interruption import ADMITTED
from broker.questions import line_of
from broker.release import Minimised, Released
from broker.requesters import VerifiedRequest
from broker.standing import Caller, Standing, foremost, standing
from broker.waiting import Waiting
from policies.refusals import Code, Refusal, Refused, TokenRole
from policies.vocabulary import TRANSIENT_OUTCOMES, Outcome


@dataclass(frozen=True, slots=True)
class _Found:
    """What is there to be collected, as it was read."""

    caller: Caller
    exchange: str
    admitted: int
    admission: Mapping[str, Any]
    """The body of its entry `exchange.admitted`."""
    waiting: Sequence[Waiting]
    lines: Mapping[str, Line]
    kept: Mapping[str, Minimised] = field(repr=False)


def is_worth_collecting(connection: Connection, requester: str, exchange: str) -> bool:
    """Whether waiting longer brings nothing: an answer is there that was not collected, or nothing is waited for."""
    rows = waiting.of_exchange(connection, requester, exchange)
    open_rows = [row for row in rows if row.answered_at is None]
    return not open_rows or any(row.answered_at is not None and row.collected_at is None for row in rows)


async def collect(path: ExchangePath, verified: VerifiedRequest[Any], exchange: str) -> Answered:
    """Raises Refused, or what the ledger raises."""
    found = await path.storage.read(lambda connection: _find(connection, path, verified, exchange))
    recorded = await path.storage.record(lambda transaction: _release(transaction, path, found))
    if isinstance(recorded.value, Refusal):
        raise Refused.because(recorded.value)
    released, uses = recorded.value
    body = body_of(exchange, uses, released, recorded.receipt(released.index))
    return Answered(verified.requester, verified.sha256, body)


def _find(connection: Connection, path: ExchangePath, verified: VerifiedRequest[Any], exchange: str) -> _Found:
    requester = verified.requester
    row = admission.find_row(connection, requester, exchange)
    if row is None:
        raise Refused(Code.NOT_FOUND)
    asked = waiting.of_exchange(connection, requester, exchange)
    admitted = asked[0].admitted if asked else row.admitted
    entry = audit_tables.entry
    raw = connection.execute(select(entry.c.body).where(entry.c.idx == admitted)).scalar_one()
    body = json.loads(raw)["body"]
    consents = {one["party"]: (one["iss"], one["jti"]) for one in body["consents"]}
    lines = {one.id: line_of(connection, one, path.catalogue, path.key_of, path.issuer) for one in asked}
    kept = late_answers.read_kept(connection, path.subjects, lines, asked, path.now())
    return _Found(Caller(requester, verified.kid, consents), exchange, admitted, body, asked, lines, kept)


def _release(
    transaction: Transaction, path: ExchangePath, found: _Found
) -> tuple[Released, list[Mapping[str, Any]]] | Refusal:
    """A unit of work. A refusal is returned, not raised: raising would lose its entry."""
    now = transaction.time / 1_000_000
    row = admission.find_row(transaction.connection, found.caller.requester, found.exchange)
    if row is None or row.status == ADMITTED:
        return Refusal(Code.EXCHANGE_RUNNING)
    standing_now = standing(transaction, found.caller, now=now, stop_after=path.stop_after)
    given, refused = _given(transaction, found, standing_now)
    if not given:
        return _nothing(transaction, found, standing_now, refused, json.loads(row.answered))
    released = _record_released(transaction, found, given)
    admission.note_answered(transaction, row, released.results)
    _note_collected(transaction, released.index, given)
    return released, _uses(found, standing_now)


def _given(
    transaction: Transaction, found: _Found, standing_now: Standing
) -> tuple[list[tuple[Waiting, Minimised]], list[Refusal]]:
    """What may leave, an item whose person no longer stands as `withheld`; and why those of it do not."""
    now = transaction.time // 1_000_000
    given, refused = [], []
    for asked in found.waiting:
        line = found.lines[asked.id]
        refusal = standing_now.refusal(line.item.id, line.concerned)
        if refusal is not None:
            refused.append(refusal)
            given.append((asked, release.withheld(line, asked.route, now, refusal)))
            if refusal.code in late_answers.ENDED:
                waiting.end(transaction, asked.id)
        elif asked.answered_at is None:
            given.append((asked, late_answers.not_yet(line, asked, now)))
        elif asked.id in found.kept and asked.may_be_collected(now) and waiting.find(transaction.connection, asked.id):
            given.append((asked, found.kept[asked.id]))
    return ([] if len(refused) == len(given) else given), refused


def _nothing(
    transaction: Transaction,
    found: _Found,
    standing_now: Standing,
    refused: Sequence[Refusal],
    answered: Mapping[str, Sequence[Any]],
) -> Refusal:
    """Why nothing can be given: nobody stands, which is recorded; or there is nothing, or nothing any more."""
    if (refusal := foremost(refused)) is not None:
        _record_withheld(transaction, found, refusal)
        return refusal
    for party in found.caller.consents:
        if (refusal := standing_now.refusal("", [party])) is not None:
            return refusal
    still = any(outcome == Outcome.PENDING for outcome, _ in answered.values())
    # A pending item of which nothing is kept has passed its 72 hours: a repeat of the exchange asks for it anew
    return Refusal(Code.NOT_FOUND) if still else Refusal(Code.CONSENT_USED_UP, TokenRole.CONSENT)


def _record_released(transaction: Transaction, found: _Found, given: Sequence[tuple[Waiting, Minimised]]) -> Released:
    minimised = [one for _, one in given]
    results = release.results_of(minimised)
    released = release.released_items(minimised, results, transaction.time // 1_000_000)
    operator = found.admission["operator"]
    index = transaction.append(
        events.ExchangeReleased(
            **_names(found),
            operator=parts.Operator(operator["id"], operator["desk"]),
            results=released,
            collects=found.waiting[0].released,
        )
    )
    return Released(index, tuple(results), tuple(beside(released)))


def _record_withheld(transaction: Transaction, found: _Found, refusal: Refusal) -> None:
    people = [line.party.granted.subject_ref for line in found.lines.values()]
    transaction.append(
        events.ExchangeWithheld(
            **_names(found),
            subject_refs=list(dict.fromkeys(people)),
            code=refusal.code,
            stopped=list(refusal.stopped) or msgspec.UNSET,
            collects=found.waiting[0].released,
        )
    )


def _names(found: _Found) -> dict[str, Any]:
    names = {name: found.admission[name] for name in ("call", "exchange", "requester", "matter", "case")}
    return names | {"admitted": found.admitted}


def _note_collected(transaction: Transaction, index: int, given: Sequence[tuple[Waiting, Minimised]]) -> None:
    now = transaction.time // 1_000_000
    for asked, one in given:
        if one.outcome in TRANSIENT_OUTCOMES:
            waiting.end(transaction, asked.id)
        elif one.outcome in {Outcome.PENDING, Outcome.WITHHELD}:
            waiting.set_values(transaction, asked.id, released=index)
        else:
            times = {"collected": asked.collected + 1, "collected_at": asked.collected_at or now}
            waiting.set_values(transaction, asked.id, released=index, **times)


def _uses(found: _Found, standing_now: Standing) -> list[Mapping[str, Any]]:
    return [
        {"party": one["party"], "use": one["use"], "left": standing_now.granted[one["party"]].left}
        for one in found.admission["consents"]
    ]
