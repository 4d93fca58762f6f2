"""/guide, its matters and bundles in plain words, out of the catalogue and of what can be asked here today."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from broker import stops
from broker.api.wire import broker_of
from broker.pages.rendering import Language, language_of, public_page
from broker.stewards import outages
from broker.wiring import Broker
from policies.catalogue import Catalogue
from policies.materials import Register, register
from policies.refusals import Code, Refused
from policies.vocabulary import Bundle, BundlePart, ItemKind, Matter, Need, Party

router = APIRouter(tags=["public"])

KEPT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class LookUp:
    """One line of what is looked up, in the reader's language."""

    id: str
    department: str
    item: str
    fields: tuple[str, ...]
    why: str
    when: str
    keep_days: int
    check: bool
    """Whether only yes or no is told."""
    sensitive: bool
    spouse_too: bool


@dataclass(frozen=True, slots=True)
class Interrupted:
    """What cannot be looked up just now, or will not be at a time that its department told beforehand."""

    stopped: frozenset[str]
    """Items that nobody gets; under the empty name everything."""
    planned: Mapping[str, Sequence[tuple[str, str, str]]]
    """By item: from, to, and the department's own words."""


@dataclass(frozen=True, slots=True)
class PartGuide:
    """One part of a bundle, in the reader's language; `recipient` is empty for the fund centre."""

    matter: Matter
    recipient: str
    handler: bool
    """Whether it is about the handler and not about the organisation."""
    papers: Register
    asked: list[LookUp]


@router.get("/guide")
async def every_matter(request: Request) -> Response:
    """All matters, by sort, with how many papers each still wants."""
    broker = broker_of(request)
    routed = broker.directory.items()
    matters = [(matter, register(matter, routed)) for matter in broker.catalogue.matters.values()]
    bundles = broker.catalogue.bundles.values()
    return public_page("guides.html", request, seconds=KEPT_SECONDS, matters=matters, bundles=bundles)


@router.get("/guide/bundles/{bundle}")
async def one_bundle(request: Request, bundle: str) -> Response:
    """Several offices, one application: who handles what, and what each looks up."""
    broker = broker_of(request)
    found = broker.catalogue.bundles.get(bundle)
    if found is None:
        raise Refused(Code.NOT_FOUND)
    chinese = language_of(request) is Language.CHINESE
    return public_page(
        "guide_bundle.html",
        request,
        seconds=KEPT_SECONDS,
        bundle=found,
        parts=[_part_guide(part, found, broker, chinese=chinese) for part in found.parts],
        version=broker.catalogue.version,
    )


@router.get("/guide/{matter}")
async def one_matter(request: Request, matter: str) -> Response:
    """Who, what is looked up and from whom, what need not be brought, how long, where, and what else one can do."""
    broker = broker_of(request)
    found = broker.catalogue.matters.get(matter)
    if found is None:
        raise Refused(Code.NOT_FOUND)
    routed = broker.directory.items()
    lines = [need for need in found.needs.values() if need.item in routed]
    chinese = language_of(request) is Language.CHINESE
    interrupted = await broker.storage.read(lambda connection: _interrupted(connection, broker))
    return public_page(
        "guide.html",
        request,
        seconds=KEPT_SECONDS,
        matter=found,
        papers=register(found, routed),
        always=[_look_up(need, broker.catalogue, chinese=chinese) for need in lines if need.default],
        sometimes=[_look_up(need, broker.catalogue, chinese=chinese) for need in lines if not need.default],
        departments=_departments(found, broker.catalogue, chinese=chinese),
        interrupted=interrupted,
        version=broker.catalogue.version,
    )


def _interrupted(connection: Connection, broker: Broker) -> Interrupted:
    stopped = frozenset(one.item for one in stops.read_all(connection) if not one.requester)
    planned: dict[str, list[tuple[str, str, str]]] = {}
    for one in outages.still_announced(connection, broker.now()):
        planned.setdefault(one.item, []).append((*one.days, one.words))
    return Interrupted(stopped, planned)


def _part_guide(part: BundlePart, bundle: Bundle, broker: Broker, *, chinese: bool) -> PartGuide:
    catalogue, routed = broker.catalogue, broker.directory.items()
    matter = catalogue.matters[part.matter]
    kind = bundle.kind_of(part)
    needs = (need for need in matter.needs.values() if need.default and need.item in routed)
    recipient = catalogue.departments.get(matter.recipient)
    name = (recipient.name_zh if chinese else recipient.name_en) if recipient is not None else ""
    return PartGuide(
        matter=matter,
        recipient=name,
        handler=part.party is Party.HANDLER,
        papers=register(matter, routed),
        asked=[
            _look_up(need, catalogue, chinese=chinese) for need in needs if catalogue.items[need.item].about is kind
        ],
    )


def _look_up(need: Need, catalogue: Catalogue, *, chinese: bool) -> LookUp:
    item = catalogue.items[need.item]
    department = catalogue.departments[item.department]
    fields = [item.fields[name] for name in need.fields]
    return LookUp(
        id=item.id,
        department=department.name_zh if chinese else department.name_en,
        item=item.name_zh if chinese else item.name_en,
        fields=tuple(field.name_zh if chinese else field.name_en for field in fields),
        why=need.purpose_zh if chinese else need.purpose_en,
        when=need.when_zh if chinese else need.when_en,
        keep_days=need.keep_days,
        check=item.kind is ItemKind.VERIFY,
        sensitive=any(field.sensitive for field in fields),
        spouse_too=len(item.joint) > 1,
    )


def _departments(matter: Matter, catalogue: Catalogue, *, chinese: bool) -> dict[str, str]:
    """Item -> who answers instead of the paper."""
    asked = {item: catalogue.departments[catalogue.items[item].department] for item in matter.needs}
    return {item: department.name_zh if chinese else department.name_en for item, department in asked.items()}
