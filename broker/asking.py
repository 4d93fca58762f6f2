"""A requester's word becomes a request: the people it names are found, and nobody is asked again after a clear no."""

from sqlalchemy import Connection

from audit.batch import Transaction
from broker.channels import Persons, check_persons
from broker.filing import FiledPerson, FilingBody, PartOf, check_filing, check_rules, read_person, read_subject
from broker.moments import day_of
from broker.requesters import Requester, VerifiedRequest
from broker.stewards.agreements import as_agreed
from broker.wiring import Broker
from consent import asking, requests, subjects
from consent.requests import Filing, Named, People
from consent.tickets import Ticket
from policies.refusals import Code, Refused, TokenRole
from policies.vocabulary import Person, Subject


def ask(
    transaction: Transaction, broker: Broker, verified: VerifiedRequest[FilingBody], requester: Requester, of: PartOf
) -> Ticket:
    """File the request for this requester, who receives the answers. Raises Refused."""
    filing = check_filing(verified, requester, broker.catalogue, broker.directory.items(), of)
    persons = _persons(transaction, verified.body)
    if broker.settings.agreements_required:
        requester = as_agreed(transaction.connection, requester, transaction.time / 1_000_000)
    check_rules(filing, requester, broker.catalogue, broker.rules)
    people = _named(transaction, broker, persons)
    _not_said_no_to(transaction.connection, filing, people)
    return requests.file(transaction, filing, broker.keys.subjects, people)


def _persons(transaction: Transaction, body: FilingBody) -> Persons:
    def read(member: str, unverified: FiledPerson | None) -> Person | None:
        return read_person(unverified, TokenRole.REQUEST, member) if unverified is not None else None

    subject = read_subject(body.subject, TokenRole.REQUEST) if body.subject is not None else None
    handler = read("subject.handler", body.subject.handler) if body.subject is not None else None
    persons = Persons(subject, handler or read("acting", body.acting), read("witness", body.witness))
    check_persons(body.mode, persons, day_of(transaction.time / 1_000_000))
    return persons


def _named(transaction: Transaction, broker: Broker, persons: Persons) -> People:
    def named(subject: Subject | None) -> Named | None:
        if subject is None:
            return None
        return Named(subjects.ask_for(transaction, broker.keys.subjects, subject), subject.name)

    return People(named(persons.subject), named(persons.acting), named(persons.witness))


def _not_said_no_to(connection: Connection, filing: Filing, people: People) -> None:
    """A clear no is not asked about again in the same case; she herself can look again. Refused(already_decided)."""
    if people.subject is None:
        return
    declined = asking.declined_items(
        connection, requester=filing.requester, case=filing.case, subject_ref=people.subject.subject_ref
    )
    if declined & {one.item for one in filing.items}:
        raise Refused(Code.ALREADY_DECIDED)
