"""/v1/me/passkeys: a person's passkeys, registered by who was surely identified, listed, removed."""

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from audit.batch import Transaction
from broker import ceremonies, passkeys
from broker.api import wire
from broker.ceremonies import Purpose
from broker.login import Session, require, require_fresh
from broker.moments import rfc3339
from broker.wiring import Broker
from consent import assertions, subjects
from consent import passkeys as kept
from consent.passkeys import Passkey
from policies.identifiers import read_label
from policies.refusals import Code, Refused

router = APIRouter(prefix="/v1/me/passkeys", tags=["citizens"])


class Registration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `navigator.credentials.create()` gave (RegistrationResponseJSON), and the person's word for it."""

    credential: dict[str, Any]
    label: str = ""


@router.post("/options")
async def options(request: Request) -> Response:
    """What to make a passkey with; its challenge lives five minutes and is this session's alone."""
    session = await wire.changing(request)
    broker = wire.broker_of(request)
    require_fresh(session, broker.settings.assurance.sign_sensitive, broker.now())
    site = passkeys.site_of(broker.settings)

    def work(transaction: Transaction) -> dict[str, Any]:
        challenge = ceremonies.begin(transaction, Purpose.REGISTER, session)
        known = kept.standing_of(transaction.connection, session.subject_ref)
        name = _shown_name(transaction.connection, broker, session)
        return passkeys.creation_options(site, session, challenge, name, known)

    return wire.reply((await broker.storage.record(work)).value)


@router.post("")
async def register(request: Request) -> Response:
    """Register a passkey. 201 with its `id`."""
    session = await wire.changing(request)
    broker = wire.broker_of(request)
    require(session, broker.settings.assurance.sign_sensitive)
    given = await wire.read_members(request, Registration)
    passkey, challenge = _new_passkey(broker, session, given)

    def work(transaction: Transaction) -> None:
        ceremonies.spend(transaction, Purpose.REGISTER, session, challenge)
        kept.register(transaction, passkey)

    recorded = await broker.storage.record(work)
    return wire.reply({"id": passkey.id, "receipt": wire.receipts(recorded)}, 201)


@router.get("")
async def read(request: Request) -> Response:
    """My passkeys."""
    session = await wire.signed_in(request)
    return wire.reply({"passkeys": await passkeys_of(wire.broker_of(request), session)})


@router.delete("/{passkey}")
async def remove(request: Request, passkey: str) -> Response:
    """It opens nothing from here on."""
    session = await wire.changing(request)
    await remove_passkey(wire.broker_of(request), session, passkey)
    return Response(status_code=204, headers=wire.NO_STORE)


async def remove_passkey(broker: Broker, session: Session, passkey: str) -> None:
    """Raises Refused(not_found | step_up_required)."""
    require(session, broker.settings.assurance.withdraw)
    await broker.storage.record(lambda transaction: kept.remove(transaction, session.subject_ref, passkey))


async def passkeys_of(broker: Broker, session: Session) -> list[dict[str, Any]]:
    """A person's standing passkeys as she reads them."""
    found = await broker.storage.read(lambda connection: kept.standing_of(connection, session.subject_ref))
    return [{"id": one.id, "label": one.label, "registered_at": rfc3339(one.registered_at)} for one in found]


def _new_passkey(broker: Broker, session: Session, given: Registration) -> tuple[Passkey, bytes]:
    """The verified passkey, and the challenge that is still to be spent."""
    try:
        label = read_label(given.label)
    except ValueError as error:
        raise Refused(Code.INVALID_REQUEST, member="label") from error
    challenge = assertions.unverified_challenge(given.credential)
    made = assertions.verify_registration(given.credential, passkeys.site_of(broker.settings), challenge)
    passkey = Passkey(
        id=kept.name_of(made.credential),
        subject_ref=session.subject_ref,
        credential=made.credential,
        public_key=made.public_key,
        sign_count=made.sign_count,
        assurance=session.assurance,
        label=label,
        registered_at=int(broker.now()),
        removed_at=None,
    )
    return passkey, challenge


def _shown_name(connection: Connection, broker: Broker, session: Session) -> str:
    """What tells a couple's passkeys on one telephone apart, and tells others little: the first character only."""
    me = subjects.read_person(connection, broker.keys.subjects, session.subject_ref)
    if me is None:
        raise Refused(Code.NOT_SIGNED_IN)
    return f"{me.name[0]}**"
