"""What a department is asked for one line, now or later: the same question whoever puts it."""

from collections.abc import Callable, Mapping

from sqlalchemy import Connection, select

from broker import tables
from broker.exchange_request import Line, PartyConsent
from broker.interruption import ADMITTED
from broker.own_entries import entries
from broker.waiting import Waiting
from connectors.contract import Question
from consent import grants
from consent.keys import PublicKey
from consent.token import verify_consent
from policies.catalogue import Catalogue
from policies.refusals import Code, Refused, TokenRole
from policies.vocabulary import Person, Subject

KeyOf = Callable[[Connection, str], PublicKey | None]


def question_of(line: Line, subjects: Mapping[str, Subject], *, call: str, requester: str, operator: str) -> Question:
    """`subjects` by party, all whom the line concerns; `call`: under which number this department is asked."""
    claims = line.party.consent.claims
    others = [subjects[party] for party in line.item.joint if party != line.party.party]
    return Question(
        call=call,
        item=line.item,
        fields=line.fields,
        params=line.grant.params,
        expect={name: value for name, value in line.grant.expect.items() if name in line.fields},
        subject=subjects[line.party.party],
        other=next((other for other in others if isinstance(other, Person)), None),
        requester=requester,
        operator=operator,
        matter=claims.matter,
        case=claims.case,
        consent=claims.jti,
    )


def line_of(connection: Connection, waiting: Waiting, catalogue: Catalogue, key_of: KeyOf, audience: str) -> Line:
    """The line that was admitted, from the stored token, verified once more as of when it was granted.

    What stands now is for `standing` to say. Raises Refused where token or catalogue no longer know it.
    """
    granted = grants.find_granted(connection, waiting.iss, waiting.jti)
    item = catalogue.items.get(waiting.item)
    if granted is None:
        raise Refused(Code.CONSENT_UNKNOWN, TokenRole.CONSENT)
    consent = verify_consent(
        granted.token, key_of=lambda kid: key_of(connection, kid), audience=audience, now=granted.granted_at
    )
    grant = consent.grant(waiting.item)
    if item is None or grant is None or not set(waiting.fields) <= set(grant.fields) & item.fields.keys():
        raise Refused(Code.UNKNOWN_ITEM)
    return Line(PartyConsent(consent, granted), item, grant, waiting.fields)


def asked_under_way(connection: Connection, question: str) -> str | None:
    """The item that is asked under this number by an exchange that has not released anything yet."""
    call, _, number = question.rpartition(".")
    running = select(tables.exchange.c.admitted).where(
        tables.exchange.c.call == call, tables.exchange.c.status == ADMITTED
    )
    admitted = connection.execute(running).scalar_one_or_none()
    if admitted is None or not number.isdecimal() or not number.isascii():
        return None
    items = entries(connection, [admitted])[admitted]["body"]["items"]
    return items[int(number) - 1]["item"] if 1 <= int(number) <= len(items) else None
