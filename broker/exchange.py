"""The one path of every exchange, from unverified bytes to an answer with its receipt.

 1 read      size, content type (broker/api/exchanges.py); strict form
 2 requester the caller's own key signed it, for us, within the last minute     broker/requesters.py
 3 consent   each citizen's token; in 6's transaction the stored offer it must equal  broker/exchange_request.py
 4 match     in 6's transaction: the request lies within the tokens
 5 decide    in 6's transaction: one decision per item
 6 admit     LEDGER: jti spent, standing, one use consumed, `exchange.admitted`  broker/admission.py
 7 ask       every item at once, each within its own limits; no transaction open
 8 minimise  granted fields only, typed, with source and as-of time             broker/release.py
 9 release   LEDGER: standing again, `exchange.released` with salted digests
10 answer    results, uses, receipt

A refusal before 6 writes nothing but what 6 records of it. A crash after 6 leaves a record without a release, never a
release without a record. A client that hangs up does not stop 6 to 9: the walk is a task of its own.
"""

import asyncio
import base64
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection

from audit.batch import Receipt, Transaction
from broker import admission, release, requesters
from broker.admission import Admitted, Versions
from broker.exchange_request import Examined, ExchangeBody, Line, examine, verify_tokens
from broker.overload import Place, Places
from broker.questions import question_of
from broker.release import Minimised, Released
from broker.requesters import RequesterKeys, VerifiedRequest
from broker.steps import UNHEARD, Walk
from broker.stewards.agreements import as_agreed
from broker.stewards.outages import announced_outages
from broker.storage import Storage
from connectors.contract import Answer
from connectors.directory import Directory, utc_now
from connectors.hours import Outage
from consent import jws
from consent.keys import PublicKey
from consent.subjects import DeviceKeys, SubjectKeys, read_subjects
from consent.token import VerifiedConsent
from policies.catalogue import Catalogue
from policies.decision import Rules
from policies.identifiers import read_identifier, read_label
from policies.refusals import Code, Refusal, Refused, TokenRole
from policies.vocabulary import Outcome, Subject

TYPE: Final = "exchange-request+jwt"
CONSENTS: Final = range(1, 5)
Tokens: TypeAlias = Sequence[VerifiedConsent | Refused]
"""Of one request, as far as they prove themselves: what was verified, and last what was not."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What leaves: durable before this value exists."""

    requester: str
    request_sha256: str
    body: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Known:
    """What asking needs beside the admission, read with the request."""

    people: Mapping[str, Subject] = field(repr=False)
    outages: Mapping[str, tuple[Outage, ...]]
    """By item, when its department said that it will not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangePath:
    """Everything the path needs, handed in once by wiring."""

    storage: Storage
    keys: RequesterKeys
    subjects: SubjectKeys
    catalogue: Catalogue
    rules: Rules
    directory: Directory
    devices: DeviceKeys
    versions: Versions
    places: Places
    issuer: str
    now: Callable[[], float]
    """Seconds since 1970: the later of the wall clock and the ledger's last time."""
    stop_after: int = 0
    """Seconds without a time stamp of the log after which nothing is released; 0 for never."""
    agreements_required: bool = False
    """Whether an item leaves only under an agreement of its department with the requester."""
    under_way: set[str] = field(default_factory=set)
    """Calls whose walk has not ended; another admitted one of this process was failed by the ledger."""
    walking: set["asyncio.Task[Answered]"] = field(default_factory=set)
    """Exchanges under way; a task that nobody holds could be collected in the middle of its walk."""

    async def run(self, text: str, walk: Walk = UNHEARD) -> Answered:
        """Walk the path to its end even if the caller stops waiting. Raises Refused, or what the ledger raises."""
        self.check_place(text)
        task = asyncio.create_task(self._walk(text, walk))
        if walk is not UNHEARD:
            task.add_done_callback(walk.over)
        self.walking.add(task)
        task.add_done_callback(self.walking.discard)
        return await asyncio.shield(task)

    def check_place(self, unverified_text: str) -> None:
        """Raise Refused(busy | rate_limited) where this request would find no place."""
        self.places.check(self.keys.unverified_requester(unverified_text))

    async def settled(self) -> None:
        """Wait for the exchanges under way, before the ledger closes."""
        while self.walking:
            await asyncio.wait(self.walking)

    async def _walk(self, text: str, walk: Walk) -> Answered:
        walk.at(2)
        request = self._verify_requester(text)  # 2
        walk.of(request.requester)
        with self.places.held_by(request.requester) as place:
            await place.turn()
            return await self._go_on(request, walk, place)

    async def _go_on(self, request: VerifiedRequest[ExchangeBody], walk: Walk, place: Place) -> Answered:
        walk.at(3)
        tokens = await self._verify_tokens(request.body.consents)  # 3
        call = admission.new_call()
        self.under_way.add(call)
        try:
            return await self._carry_out(call, request, tokens, walk, place)
        finally:
            self.under_way.discard(call)

    async def _carry_out(
        self, call: str, request: VerifiedRequest[ExchangeBody], tokens: Tokens, walk: Walk, place: Place
    ) -> Answered:
        admitted, known = await self._admit(call, request, tokens, walk)  # 3, 4, 5, 6
        walk.about(request.body.matter)
        walk.at(7)
        answers = await self._ask(admitted, known, place)  # 7
        walk.at(8)
        minimised = [release.minimise(line, answer) for line, answer in zip(admitted.lines, answers, strict=True)]  # 8
        walk.at(9)
        released, receipt = await self._release(admitted, minimised)  # 9
        walk.at(10)
        uses = [{"party": use.party, "use": use.use, "left": use.left} for use in admitted.uses]
        return Answered(
            request.requester, request.sha256, body_of(request.body.exchange, uses, released, receipt)
        )  # 10

    def _verify_requester(self, text: str) -> VerifiedRequest[ExchangeBody]:
        request = self.keys.verify(
            text, profile=jws.EXCHANGE, typ=TYPE, body=ExchangeBody, audience=self.issuer, now=self.now()
        )
        _check_body(request.body)
        return request

    async def _verify_tokens(self, texts: Sequence[str]) -> Tokens:
        """What the tokens prove themselves; the key of a device that this process has not met is read first."""
        verify = functools.partial(verify_tokens, texts, audience=self.issuer, now=self.now())
        try:
            return verify(key_of=self.devices.remembered)
        except KeyError:
            return await self.storage.read(lambda connection: verify(key_of=lambda kid: self.key_of(connection, kid)))

    def key_of(self, connection: Connection, kid: str) -> PublicKey | None:
        """A device's key by its thumbprint, removed devices included."""
        return self.devices.find(connection, kid)

    def _examine(
        self, transaction: Transaction, request: VerifiedRequest[ExchangeBody], tokens: Tokens, walk: Walk
    ) -> Examined:
        registered = functools.partial(self._registered, requester=request.requester)
        examined = examine(
            transaction.connection,
            request,
            tokens,
            requester=transaction.once(("registered", request.requester), registered),
            catalogue=self.catalogue,
            rules=self.rules,
            walk=walk,
        )
        walk.at(6)
        return examined

    def _registered(self, connection: Connection, requester: str) -> requesters.Requester:
        found = requesters.find(connection, requester)
        if found is None:
            raise Refused(Code.UNKNOWN_REQUESTER, TokenRole.REQUEST)
        return as_agreed(connection, found, self.now()) if self.agreements_required else found

    async def _admit(
        self, call: str, request: VerifiedRequest[ExchangeBody], tokens: Tokens, walk: Walk
    ) -> tuple[Admitted, _Known]:
        run = admission.Run(call, self.versions, self.under_way, self.stop_after)

        def work(transaction: Transaction) -> tuple[Admitted, _Known] | Refusal:
            examine = functools.partial(self._examine, request=request, tokens=tokens, walk=walk)
            outcome = admission.admit(transaction, request, examine, run)
            return outcome if isinstance(outcome, Refusal) else (outcome, self._know(transaction, outcome))

        outcome = (await self.storage.record(work, leaves_standing=True)).value
        if isinstance(outcome, Refusal):
            raise Refused.because(outcome)
        return outcome

    def _know(self, transaction: Transaction, admitted: Admitted) -> _Known:
        concerned = [party.granted.subject_ref for party in admitted.examined.parties]
        people = read_subjects(transaction.connection, self.subjects, concerned)
        outages = transaction.once("outages", lambda connection: announced_outages(connection, self.now()))
        return _Known(people, outages)

    async def _ask(self, admitted: Admitted, known: _Known, place: Place) -> Sequence[Answer]:
        asked = {line.item.department for line in admitted.lines if line.name not in admitted.waiting}
        with place.asking(asked) as crowded:
            lines = enumerate(admitted.lines, 1)
            asking = (self._ask_one(admitted, line, known, number, crowded) for number, line in lines)
            return await asyncio.gather(*asking)

    async def _ask_one(
        self, admitted: Admitted, line: Line, known: _Known, number: int, crowded: frozenset[str]
    ) -> Answer:
        still = admitted.waiting.get(line.name)
        if still is not None:  # asked by an earlier run; broker/carrying_on.py goes on with it
            return still.answer(self.now())
        if line.item.department in crowded:
            return Answer(outcome=Outcome.DEPARTMENT_DOWN, route="", as_of=utc_now(), raw_code="crowded")
        examined = admitted.examined
        parties = {party.party: known.people[party.granted.subject_ref] for party in examined.parties}
        names = {"requester": examined.request.requester, "operator": examined.operator.id}
        question = question_of(line, parties, call=admitted.question(number), **names)
        return await self.directory.ask(question, known.outages.get(line.item.id, ()))

    async def _release(self, admitted: Admitted, minimised: Sequence[Minimised]) -> tuple[Released, Receipt]:
        work = functools.partial(release.release, admitted=admitted, minimised=minimised)
        recorded = await self.storage.record(work, leaves_standing=True)
        if isinstance(recorded.value, Refusal):
            raise Refused.because(recorded.value)
        return recorded.value, recorded.receipt(recorded.value.index)


def _check_body(body: ExchangeBody) -> None:
    """Ids well-formed and never shaped like an id-card number: what is logged next must not name a person."""
    checks: list[tuple[str, Callable[[], object]]] = [
        ("exchange", lambda: read_identifier(body.exchange, range(8, 65))),
        ("case", lambda: read_identifier(body.case, range(1, 65))),
        ("matter", lambda: read_identifier(body.matter, range(1, 65))),
    ]
    if body.operator is not None:
        operator = body.operator
        checks.append(("operator", lambda: (read_identifier(operator.id, range(1, 65)), read_label(operator.desk))))
    for member, check in checks:
        try:
            check()
        except ValueError as error:
            raise Refused(Code.INVALID_REQUEST, TokenRole.REQUEST, member=member) from error
    if len(body.consents) not in CONSENTS:
        raise Refused(Code.INVALID_REQUEST, TokenRole.REQUEST, member="consents")


def body_of(
    exchange: str, uses: Sequence[Mapping[str, Any]], released: Released, receipt: Receipt
) -> Mapping[str, Any]:
    """What is answered, now or to a collection; `answers_at` only where something is known."""
    body = {
        "exchange": exchange,
        "uses": list(uses),
        "results": list(released.results),
        "receipt": receipt_members(receipt),
    }
    return body | ({"answers_at": list(released.expected)} if released.expected else {})


def receipt_members(receipt: Receipt) -> dict[str, str]:
    """A receipt on the wire."""
    return {"entry": base64.b64encode(receipt.entry).decode(), "proof": receipt.proof}
