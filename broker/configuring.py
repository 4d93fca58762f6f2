"""A changed configuration: read beside the running one, tried on the recorded samples, told as what is different.

 1 candidate   catalogue, rules, routes and calendar as their files stand now; the first mistake, with file and line
 2 rehearsed   every route's recorded answer through it
 3 proposed    by one system administrator, under the digests of all four
 4 approved    by another; only then does a broker with `configuration: {second_person: true}` start with it

What was approved stands in the log; the row here only finds it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update

from audit.batch import Transaction
from audit.staff_events import ConfigurationApproved, ConfigurationProposed, ConfigurationTurnedDown
from broker import tables
from broker.own_entries import entries
from broker.settings import Settings
from broker.staff.people import Member
from connectors.dry_run import rehearse, routes_of, sample_of
from connectors.routes import read_routes
from policies.catalogue import Catalogue
from policies.decision import Rules
from policies.refusals import Code, Refused
from policies.strict_yaml import ConfigurationError
from policies.vocabulary import Item
from policies.workdays import read_workdays

_TABLE: Final = tables.configuration_change


class Stage(StrEnum):
    PROPOSED = "proposed"
    APPROVED = "approved"
    TURNED_DOWN = "turned_down"


@dataclass(frozen=True, slots=True)
class Digests:
    """A configuration by what its files hold (hex SHA-256)."""

    catalogue: str
    rules: str
    routes: str
    workdays: str

    def text(self) -> str:
        return json.dumps([self.catalogue, self.rules, self.routes, self.workdays])


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the files say now. With a mistake there is nothing else."""

    digests: Digests | None = None
    mistake: str = ""
    differences: tuple[tuple[str, str, str], ...] = ()
    """Kind (item, matter, bundle, route, rules, workdays), id, and `added`, `removed` or `changed`."""
    failing: tuple[tuple[str, str], ...] = ()
    """Routes whose recorded answer does not come out as recorded, and in what."""


@dataclass(frozen=True, slots=True)
class Change:
    """A proposal at one moment."""

    digests: Digests
    stage: Stage
    proposed_by: str
    decided_by: str
    entry: int


def read_candidate(settings: Settings, running: Catalogue, digests: Digests, routes: frozenset[str]) -> Candidate:
    """Steps 1 and 2, against what runs: its catalogue, digests and route names. Takes a second; never raises."""
    try:
        catalogue = Catalogue.load(settings.catalogue)
        rules = Rules.load(settings.rules)
        read = read_routes(settings.routes, catalogue.items, settings.route_secrets)
        workdays = read_workdays(settings.workdays_file)
        failing = tuple(_failing(settings, catalogue.items))
    except (ConfigurationError, OSError) as error:
        return Candidate(mistake=str(error))
    now = Digests(catalogue.digest, rules.digest, read.digest, workdays.digest)
    names = frozenset(one.route.name for checked in read.items.values() for one in checked)
    return Candidate(now, "", tuple(_differences(running, catalogue, digests, now, routes, names)), failing)


def _differences(
    before: Catalogue,
    after: Catalogue,
    old: Digests,
    new: Digests,
    routes_before: frozenset[str],
    routes_after: frozenset[str],
) -> Sequence[tuple[str, str, str]]:
    found = []
    for kind in ("items", "matters", "bundles", "departments"):
        found += [(kind, *one) for one in _changed(getattr(before, kind), getattr(after, kind))]
    found += [("routes", name, "removed") for name in sorted(routes_before - routes_after)]
    found += [("routes", name, "added") for name in sorted(routes_after - routes_before)]
    same_names = routes_before == routes_after
    found += [
        (kind, "", "changed")
        for kind in ("rules", "routes", "workdays")
        if getattr(old, kind) != getattr(new, kind) and (kind != "routes" or same_names)
    ]
    return found


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    removed = [(one, "removed") for one in before if one not in after]
    added = [(one, "added") for one in after if one not in before]
    return [*removed, *added, *((one, "changed") for one in before if one in after and before[one] != after[one])]


def _failing(settings: Settings, items: Mapping[str, Item]) -> Sequence[tuple[str, str]]:
    found = []
    for item in items.values():
        for route in routes_of(settings.routes, item.id):
            file = sample_of(settings.routes, route.name)
            if not file.is_file():
                found.append((route.name, "no recorded sample"))
            elif differences := rehearse(route, item, file).differences:
                found.append((route.name, ", ".join(differences)))
    return found


def propose(transaction: Transaction, digests: Digests, by: Member) -> Change:
    """Step 3. Raises Refused(already_decided) where this very configuration is proposed or approved already."""
    known = find(transaction.connection, digests)
    if known is not None and known.stage is not Stage.TURNED_DOWN:
        raise Refused(Code.ALREADY_DECIDED)
    entry = transaction.append(ConfigurationProposed(number=by.number, role=by.role, **members(digests)))
    _keep(transaction, digests, known, stage=Stage.PROPOSED, proposed_by=by.number, decided_by="", entry=entry)
    return _found(transaction.connection, digests)


def decide(transaction: Transaction, digests: Digests, by: Member, *, approved: bool) -> Change:
    """Step 4, by somebody else. Raises Refused(not_found | already_decided | forbidden)."""
    known = _found(transaction.connection, digests)
    if known.stage is not Stage.PROPOSED:
        raise Refused(Code.ALREADY_DECIDED)
    if known.proposed_by == by.number:
        raise Refused(Code.FORBIDDEN)
    event = ConfigurationApproved if approved else ConfigurationTurnedDown
    told = event(number=by.number, role=by.role, proposed_by=known.proposed_by, **members(digests))
    stage = Stage.APPROVED if approved else Stage.TURNED_DOWN
    entry = transaction.append(told)
    _keep(transaction, digests, known, stage=stage, proposed_by=known.proposed_by, decided_by=by.number, entry=entry)
    return _found(transaction.connection, digests)


def check_approved(connection: Connection, digests: Digests, running: str | None) -> None:
    """Raises ConfigurationError for one that two people have not approved; the first one ever, and the last, stand."""
    if running is None or running == digests.text():
        return
    known = find(connection, digests)
    logged = entries(connection, [known.entry]).get(known.entry) if known is not None else None
    said = logged["body"] if logged is not None and logged["event"] == ConfigurationApproved.NAME else {}
    if any(said.get(name) != value for name, value in members(digests).items()):
        raise ConfigurationError(
            "configuration: this catalogue, these rules, routes and calendar were approved by nobody; "
            "propose them on /operate/configuration and have a second person approve them, or put the old files back"
        )


def find(connection: Connection, digests: Digests) -> Change | None:
    row = connection.execute(select(_TABLE).where(_TABLE.c.digests == digests.text().encode())).one_or_none()
    if row is None:
        return None
    return Change(digests, Stage(row.stage), row.proposed_by, row.decided_by, row.entry)


def _found(connection: Connection, digests: Digests) -> Change:
    known = find(connection, digests)
    if known is None:
        raise Refused(Code.NOT_FOUND)
    return known


def _keep(transaction: Transaction, digests: Digests, known: Change | None, **values: Any) -> None:
    text = digests.text().encode()
    statement = (
        insert(_TABLE).values(digests=text, **values)
        if known is None
        else update(_TABLE).where(_TABLE.c.digests == text).values(**values)
    )
    transaction.connection.execute(statement)


def members(digests: Digests) -> dict[str, str]:
    return {
        "catalogue": digests.catalogue,
        "rules": digests.rules,
        "routes": digests.routes,
        "workdays": digests.workdays,
    }
