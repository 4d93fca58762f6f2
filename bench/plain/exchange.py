"""One exchange: verify, admit and commit, ask everybody at once, release and commit, answer."""

import asyncio
import hashlib
import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import HTTPException
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bench.plain.chain import ADMITTED, RELEASED, append, take_head
from bench.plain.departments import Departments, Person
from bench.plain.models import Answer, ConsentClaims, ExchangeRequest, Receipt, Result, Use
from bench.plain.tables import Consent, Entry, Exchange, SpentToken, Store
from bench.plain.tokens import read_consent, read_request


@dataclass(frozen=True, slots=True)
class Exchanges:
    """What an exchange needs."""

    store: Store
    departments: Departments
    issuer: str

    async def run(self, text: str) -> Answer:
        async with self.store.sessions() as session:
            request, consents, people = await self._read(session, text)
            async with self.store.turn(session):
                uses = await _admit(session, request, consents)
            asking = [
                self.departments.ask(claims.party, detail.item, detail.fields, person, request.case)
                for claims, person in zip(consents, people, strict=True)
                for detail in claims.authorization_details
            ]
            results = await asyncio.gather(*asking)
            async with self.store.turn(session):
                entry = await _release(session, request, consents, results)
        receipt = Receipt(index=entry.index, body=entry.body, hash=entry.hash)
        return Answer(exchange=request.exchange, uses=uses, results=results, receipt=receipt)

    async def _read(
        self, session: AsyncSession, text: str
    ) -> tuple[ExchangeRequest, list[ConsentClaims], list[Person]]:
        async with session.begin():
            request = await read_request(session, text, self.issuer)
            consents = [await read_consent(session, consent, self.issuer) for consent in request.consents]
            for claims in consents:
                if (claims.client_id, claims.matter, claims.case) != (request.iss, request.matter, request.case):
                    raise HTTPException(403, "the consent is for something else")
            return request, consents, [await _person(session, claims) for claims in consents]


async def _person(session: AsyncSession, claims: ConsentClaims) -> Person:
    row = await session.get(Consent, claims.jti)
    if row is None or row.withdrawn:
        raise HTTPException(409, "no such consent, or withdrawn")
    return Person(row.name, row.id_number)


async def _admit(session: AsyncSession, request: ExchangeRequest, consents: Sequence[ConsentClaims]) -> list[Use]:
    """One use of each consent, and the entry; the token and the exchange's id are good for this one time."""
    head = await take_head(session)
    uses = [await _use(session, claims) for claims in consents]
    session.add(SpentToken(jti=request.jti))
    session.add(Exchange(requester=request.iss, exchange=request.exchange, admitted=head[0]))
    items = [[claims.party, one.item, one.fields] for claims in consents for one in claims.authorization_details]
    try:
        await append(session, head, _members(ADMITTED, request) | {"items": items})
    except IntegrityError as error:
        raise HTTPException(409, "sent before") from error
    return uses


async def _use(session: AsyncSession, claims: ConsentClaims) -> Use:
    taken = (
        update(Consent)
        .where(Consent.jti == claims.jti, Consent.used < Consent.uses, Consent.withdrawn.is_(False))
        .values(used=Consent.used + 1)
        .returning(Consent.used, Consent.uses)
    )
    row = (await session.execute(taken)).one_or_none()
    if row is None:
        raise HTTPException(409, "used up or withdrawn")
    return Use(party=claims.party, use=row.used, left=row.uses - row.used)


async def _release(
    session: AsyncSession, request: ExchangeRequest, consents: Sequence[ConsentClaims], results: Sequence[Result]
) -> Entry:
    """The consents once more, and the entry with a salted digest of each result."""
    head = await take_head(session)
    withdrawn = select(Consent.jti).where(Consent.jti.in_([one.jti for one in consents]), Consent.withdrawn)
    if (await session.execute(withdrawn)).first() is not None:
        raise HTTPException(409, "withdrawn")
    for result in results:
        result.salt = secrets.token_urlsafe(16)
    digests = [[one.party, one.item, one.outcome, digest(one)] for one in results]
    return await append(session, head, _members(RELEASED, request) | {"results": digests})


def _members(event: str, request: ExchangeRequest) -> dict[str, object]:
    return {
        "event": event,
        "at": int(time.time() * 1_000_000),
        "requester": request.iss,
        "operator": request.operator.id if request.operator is not None else "",
        "exchange": request.exchange,
        "matter": request.matter,
        "case": request.case,
    }


def digest(result: Result) -> str:
    written = json.dumps(result.model_dump(exclude={"salt"}), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(f"{result.salt}{written}".encode()).hexdigest()
