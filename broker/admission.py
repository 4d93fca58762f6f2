"""Step 6 of the one path: what is admitted, refused or recognised as a repeat, in one unit of work.

 a jti       the request's token is spent, whatever becomes of it; a token seen before only counts
 b refusal   steps 3 to 5 in this very transaction; what they refuse is recorded, for its caller had passed step 2
 c repeat    the same `exchange` is the same use: it may be asked again within its bounds, never widened
 d standing  requester, key, consents, items, releases: as they are in this transaction
 e uses      one use of each consent is consumed
 f entry     `exchange.admitted` with everything an auditor asks

Each admission names its process. One that its process did not live to end is closed as `exchange.interrupted`; so is,
when it is repeated, one whose walk ended without an ending because the ledger failed it.
"""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, insert, select, update

from audit import events, parts
from audit.batch import Transaction
from audit.prepared import Prepared
from broker import tables, waiting
from broker.exchange_request import Examined, ExchangeBody, Line
from broker.interruption import ADMITTED, interrupt
from broker.repeats import answered_after, may_repeat
from broker.requesters import VerifiedRequest, spend_jti
from broker.standing import Standing, foremost, standing, used_up
from broker.waiting import Left
from consent import grants
from policies.refusals import Code, Refusal, TokenRole

RELEASED: Final = "released"
WITHHELD: Final = "withheld"


_TABLE: Final = tables.exchange
_ROW: Final = Prepared(
    select(_TABLE).where(_TABLE.c.requester == bindparam("requester"), _TABLE.c.exchange == bindparam("exchange"))
)
_RUN: Final = ("call", "attempt", "status", "process", "admitted")
_INSERT: Final = Prepared(insert(_TABLE), "requester", "exchange", "fingerprint", "uses", "answered", *_RUN)
_MINE: Final = (_TABLE.c.requester == bindparam("of_requester"), _TABLE.c.exchange == bindparam("of_exchange"))
_RUN_AGAIN: Final = Prepared(update(_TABLE).where(*_MINE), *_RUN)
_END: Final = Prepared(update(_TABLE).where(*_MINE), "status", "first_released_at", "answered")
_ANSWERED: Final = Prepared(update(_TABLE).where(*_MINE), "answered")


@dataclass(frozen=True, slots=True)
class Use:
    """One party's use of its consent by this exchange; a repeat has the same number."""

    party: str
    use: int
    left: int


@dataclass(frozen=True, slots=True)
class Admitted:
    """Durable: these lines may be asked of their departments, once."""

    call: str
    index: int
    """Of the entry `exchange.admitted`."""
    examined: Examined
    lines: tuple[Line, ...]
    uses: tuple[Use, ...]
    stop_after: int = 0
    """As it was for this admission; it holds for the release too."""
    waiting: Mapping[tuple[str, str], Left] = field(default_factory=dict)
    """By (party, item), what was asked by an earlier run and is waited for: it is not asked again."""

    def question(self, number: int) -> str:
        """The number under which the department of the `number`th line is asked."""
        return f"{self.call}.{number}"


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What an earlier run of the same exchange left behind."""

    attempt: int
    uses: Mapping[str, int]
    lines: tuple[Line, ...]
    waiting: Mapping[tuple[str, str], Left] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Versions:
    """Which rules and catalogue decided, and which process asks."""

    rules: str
    catalogue: str
    process: str


@dataclass(frozen=True, slots=True)
class Run:
    """One walk of the path in this process."""

    call: str
    versions: Versions
    under_way: AbstractSet[str]
    """The calls of this process whose walk has not ended: each is in here before its admission is queued."""
    stop_after: int = 0
    """Seconds without a time stamp of the log after which nothing is released; 0 for never."""


def new_call() -> str:
    """The broker's own id of one admission."""
    return f"ex_{secrets.token_urlsafe(16)}"


def admit(
    transaction: Transaction,
    request: VerifiedRequest[ExchangeBody],
    examine: Callable[[Transaction], Examined],
    run: Run,
) -> Admitted | Refusal:
    """Admission as a unit of work. A refusal is returned, not raised: raising would lose its entry."""
    if not spend_jti(transaction, request):  # a
        return Refusal(Code.REPLAYED, TokenRole.REQUEST)
    examined = examine(transaction)
    outcome = _admissible(transaction, examined, run)
    if isinstance(outcome, Refusal):
        _record_refused(transaction, examined, outcome)
        return outcome
    earlier, now_standing = outcome
    uses = _consume(transaction, examined, now_standing, earlier)  # e
    return _record_admitted(transaction, examined, earlier, uses, run)  # f


def _admissible(transaction: Transaction, examined: Examined, run: Run) -> tuple[_Earlier, Standing] | Refusal:
    if examined.refusal is not None:  # b
        return examined.refusal
    earlier = _find_earlier(transaction, examined, run)  # c
    if isinstance(earlier, Refusal):
        return earlier
    now_standing = standing(  # d
        transaction,
        examined.caller,
        now=transaction.time / 1_000_000,
        stop_after=run.stop_after,
        granted={party.party: party.granted for party in examined.parties},
    )
    refusal = foremost(now_standing.refusal(line.item.id, line.concerned) for line in earlier.lines)
    if refusal is None and not earlier.uses:
        refusal = used_up(list(now_standing.granted.values()))
    return refusal or (earlier, now_standing)


def _find_earlier(transaction: Transaction, examined: Examined, run: Run) -> _Earlier | Refusal:
    row = find_row(transaction.connection, examined.request.requester, examined.request.body.exchange)
    if row is None:
        return _Earlier(0, {}, examined.lines)
    if row.fingerprint != examined.fingerprint():
        return Refusal(Code.EXCHANGE_CONFLICT)
    if row.status == ADMITTED:
        if row.process != run.versions.process or row.call in run.under_way:
            return Refusal(Code.EXCHANGE_RUNNING)
        interrupt(transaction, row)
    now = transaction.time // 1_000_000
    lines = tuple(line for line in examined.lines if may_repeat(line, row, now))
    if not lines:
        return Refusal(Code.CONSENT_USED_UP, TokenRole.CONSENT)
    requester, exchange = examined.request.requester, examined.request.body.exchange
    still = waiting.left_under(transaction.connection, requester, exchange)
    return _Earlier(row.attempt, json.loads(row.uses), lines, still)


def _consume(
    transaction: Transaction, examined: Examined, now_standing: Standing, earlier: _Earlier
) -> tuple[Use, ...]:
    uses = []
    for party in examined.parties:
        grant = now_standing.granted[party.party]
        known = earlier.uses.get(party.party)
        number = known if known is not None else grants.spend(transaction, grant)
        left = grant.left if known is not None else grant.left - 1
        uses.append(Use(party.party, number, left))
    return tuple(uses)


def _record_admitted(
    transaction: Transaction, examined: Examined, earlier: _Earlier, uses: tuple[Use, ...], run: Run
) -> Admitted:
    body = examined.request.body
    index = transaction.append(_admitted_event(run, examined, earlier, uses))
    values = {
        "call": run.call,
        "attempt": earlier.attempt + 1,
        "status": ADMITTED,
        "process": run.versions.process,
        "admitted": index,
    }
    names = (examined.request.requester, body.exchange)
    if earlier.attempt:
        _RUN_AGAIN.change(transaction.connection, **_of(*names), **values)
    else:
        _INSERT.change(
            transaction.connection,
            requester=names[0],
            exchange=names[1],
            fingerprint=examined.fingerprint(),
            uses=json.dumps({use.party: use.use for use in uses}).encode(),
            answered=b"{}",
            **values,
        )
    return Admitted(run.call, index, examined, earlier.lines, uses, run.stop_after, earlier.waiting)


def _admitted_event(run: Run, examined: Examined, earlier: _Earlier, uses: Sequence[Use]) -> events.ExchangeAdmitted:
    request = examined.request
    spent = {use.party: use for use in uses}
    return events.ExchangeAdmitted(
        call=run.call,
        exchange=request.body.exchange,
        attempt=earlier.attempt + 1,
        requester=request.requester,
        kid=request.kid,
        request_jti=request.claims.jti,
        request_sha256=request.sha256,
        matter=request.body.matter,
        matter_version=examined.parties[0].consent.claims.matter_version,
        case=request.body.case,
        operator=examined.operator,
        consents=[
            parts.SpentUse(
                party.party,
                *party.consent.id,
                party.granted.subject_ref,
                spent[party.party].use,
                spent[party.party].left,
            )
            for party in examined.parties
        ],
        items=[_decided(line) for line in earlier.lines],
        rules=run.versions.rules,
        catalogue=run.versions.catalogue,
        process=run.versions.process,
    )


def _decided(line: Line) -> parts.DecidedItem:
    return parts.DecidedItem(
        party=line.party.party,
        subject_ref=line.party.granted.subject_ref,
        item=line.item.id,
        department=line.item.department,
        fields=list(line.fields),
        purpose=line.grant.purpose,
        legal_basis=line.grant.legal_basis,
        policies=list(line.policies),
    )


def _record_refused(transaction: Transaction, examined: Examined, refusal: Refusal) -> None:
    request = examined.request
    transaction.append(
        events.ExchangeRefused(
            exchange=request.body.exchange,
            requester=request.requester,
            kid=request.kid,
            request_jti=request.claims.jti,
            request_sha256=request.sha256,
            matter=request.body.matter,
            case=request.body.case,
            operator=examined.operator,
            consents=[parts.Consent(*party.consent.id) for party in examined.parties],
            subject_refs=[party.granted.subject_ref for party in examined.parties],
            code=refusal.code,
            reasons=list(refusal.reasons),
            stopped=list(refusal.stopped) or msgspec.UNSET,
        )
    )


def find_row(connection: Connection, requester: str, exchange: str) -> Any | None:
    """The exchange of this requester under its own id, as it is in this transaction."""
    return _ROW.one(connection, requester=requester, exchange=exchange)


def end_row(transaction: Transaction, admitted: Admitted, row: Any, status: str, **values: Any) -> None:
    """An admission's one ending; `values` are what else becomes of its row."""
    request = admitted.examined.request
    kept = {"first_released_at": row.first_released_at, "answered": row.answered}
    names = _of(request.requester, request.body.exchange)
    _END.change(transaction.connection, status=status, **names, **(kept | values))


def note_answered(transaction: Transaction, row: Any, results: Sequence[Mapping[str, Any]]) -> None:
    """Remember what a later release said of its items."""
    names = _of(row.requester, row.exchange)
    _ANSWERED.change(transaction.connection, answered=answered_after(row, results), **names)


def _of(requester: str, exchange: str) -> dict[str, str]:
    return {"of_requester": requester, "of_exchange": exchange}
