"""The one path of every exchange, from unverified bytes to an answer with its receipt.

 1 read      size, content type (broker/api/exchanges.py); strict form
 2 requester the caller's own key signed it, for us, within the last minute     broker/requesters.py
 3 consent   each citizen's token, and the stored offer it must equal           broker/exchange_request.py
 4 match     the request lies within the tokens
 5 decide    one decision per item
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
from typing import Any, Final

from sqlalchemy import Connection

from audit.batch import Receipt
from broker import admission, release, requesters
from broker.admission import Admitted, Versions
from broker.exchange_request import ConsentVerifier, Examined, ExchangeBody, Line, examine
from broker.release import Minimised, Released
from broker.requesters import RequesterKeys, VerifiedRequest
from broker.storage import Storage
from connectors.contract import Answer, Question
from connectors.directory import Directory
from consent import jws
from consent.subjects import SubjectKeys, read_people
from policies.catalogue import Catalogue
from policies.decision import Rules
from policies.identifiers import read_identifier, read_label
from policies.refusals import Code, Refusal, Refused, TokenRole
from policies.vocabulary import Person

TYPE: Final = "exchange-request+jwt"
CONSENTS: Final = range(1, 5)


@dataclass(frozen=True, slots=True)
class Answered:
    """What leaves: durable before this value exists."""

    requester: str
    request_sha256: str
    body: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangePath:
    """Everything the path needs, handed in once by wiring."""

    storage: Storage
    keys: RequesterKeys
    subjects: SubjectKeys
    catalogue: Catalogue
    rules: Rules
    directory: Directory
    verify_consent: ConsentVerifier
    versions: Versions
    issuer: str
    now: Callable[[], float]
    """Seconds since 1970: the later of the wall clock and the ledger's last time."""
    stop_after: int = 0
    """Seconds without a time stamp of the log after which nothing is released; 0 for never."""
    under_way: set[str] = field(default_factory=set)
    """Calls whose walk has not ended; another admitted one of this process was failed by the ledger."""
    walking: set["asyncio.Task[Answered]"] = field(default_factory=set)
    """Exchanges under way; a task that nobody holds could be collected in the middle of its walk."""

    async def run(self, text: str) -> Answered:
        """Walk the path to its end even if the caller stops waiting. Raises Refused, or what the ledger raises."""
        task = asyncio.create_task(self._walk(text))
        self.walking.add(task)
        task.add_done_callback(self.walking.discard)
        return await asyncio.shield(task)

    async def settled(self) -> None:
        """Wait for the exchanges under way, before the ledger closes."""
        while self.walking:
            await asyncio.wait(self.walking)

    async def _walk(self, text: str) -> Answered:
        request = self._verify_requester(text)  # 2
        examined, people = await self.storage.read(lambda connection: self._examine(connection, request))  # 3, 4, 5
        call = admission.new_call()
        self.under_way.add(call)
        try:
            return await self._carry_out(call, examined, people)
        finally:
            self.under_way.discard(call)

    async def _carry_out(self, call: str, examined: Examined, people: Mapping[str, Person]) -> Answered:
        admitted = await self._admit(call, examined)  # 6
        answers = await self._ask(admitted, people)  # 7
        minimised = [release.minimise(line, answer) for line, answer in zip(admitted.lines, answers, strict=True)]  # 8
        released, receipt = await self._release(admitted, minimised)  # 9
        request = examined.request
        return Answered(request.requester, request.sha256, _body(admitted, released, receipt))  # 10

    def _verify_requester(self, text: str) -> VerifiedRequest[ExchangeBody]:
        request = self.keys.verify(
            text, profile=jws.EXCHANGE, typ=TYPE, body=ExchangeBody, audience=self.issuer, now=self.now()
        )
        _check_body(request.body)
        return request

    def _examine(
        self, connection: Connection, request: VerifiedRequest[ExchangeBody]
    ) -> tuple[Examined, Mapping[str, Person]]:
        examined = examine(
            connection,
            request,
            requester=_registered(connection, request.requester),
            catalogue=self.catalogue,
            rules=self.rules,
            verify=self.verify_consent,
        )
        concerned = [party.granted.subject_ref for party in examined.parties]
        return examined, read_people(connection, self.subjects, concerned)

    async def _admit(self, call: str, examined: Examined) -> Admitted:
        run = admission.Run(call, self.versions, self.under_way, self.stop_after)
        work = functools.partial(admission.admit, examined=examined, run=run)
        outcome = (await self.storage.record(work)).value
        if isinstance(outcome, Refusal):
            raise Refused.because(outcome)
        return outcome

    async def _ask(self, admitted: Admitted, people: Mapping[str, Person]) -> Sequence[Answer]:
        questions = (
            _question(admitted, line, people[line.party.granted.subject_ref], f"{admitted.call}.{number}")
            for number, line in enumerate(admitted.lines, 1)
        )
        return await asyncio.gather(*map(self.directory.ask, questions))

    async def _release(self, admitted: Admitted, minimised: Sequence[Minimised]) -> tuple[Released, Receipt]:
        work = functools.partial(release.release, admitted=admitted, minimised=minimised)
        recorded = await self.storage.record(work)
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


def _registered(connection: Connection, requester: str) -> requesters.Requester:
    found = requesters.find(connection, requester)
    if found is None:
        raise Refused(Code.UNKNOWN_REQUESTER, TokenRole.REQUEST)
    return found


def _question(admitted: Admitted, line: Line, person: Person, call: str) -> Question:
    body = admitted.examined.request.body
    return Question(
        call=call,
        item=line.item,
        fields=line.fields,
        params=line.grant.params,
        expect={name: value for name, value in line.grant.expect.items() if name in line.fields},
        person=person,
        requester=admitted.examined.request.requester,
        operator=admitted.examined.operator.id,
        matter=body.matter,
        case=body.case,
        consent=line.party.consent.claims.jti,
    )


def _body(admitted: Admitted, released: Released, receipt: Receipt) -> Mapping[str, Any]:
    return {
        "exchange": admitted.examined.request.body.exchange,
        "uses": [{"party": use.party, "use": use.use, "left": use.left} for use in admitted.uses],
        "results": list(released.results),
        "receipt": receipt_members(receipt),
    }


def receipt_members(receipt: Receipt) -> dict[str, str]:
    """A receipt on the wire."""
    return {"entry": base64.b64encode(receipt.entry).decode(), "proof": receipt.proof}
