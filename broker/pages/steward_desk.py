"""What every page of a steward needs: whose item it is, on which side she acts, and the record of a look."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from audit.batch import Transaction
from audit.staff_events import StaffLooked
from broker.api import wire
from broker.pages.rendering import Language, language_of, query_of
from broker.pages.staff_gate import staff_of
from broker.pages.twins import view
from broker.stops import Side
from policies.refusals import Code, Refused
from policies.vocabulary import Item


def department_of(request: Request) -> str:
    return staff_of(request).member.department


def side_of(request: Request) -> Side:
    """Her department's, under her number."""
    me = staff_of(request).member
    return Side(me.department, me.number)


def my_item(request: Request, item: str) -> Item:
    """Raises Refused(not_found); of another department forbidden."""
    found = wire.broker_of(request).catalogue.items.get(item)
    if found is None:
        raise Refused(Code.NOT_FOUND)
    if found.department != department_of(request):
        raise Refused(Code.FORBIDDEN)
    return found


async def record_look(
    request: Request, what: str, filters: Mapping[str, str], *, entries: int, subject_ref: str = ""
) -> None:
    """Before anything of it is shown."""
    me = staff_of(request).member

    def work(transaction: Transaction) -> None:
        given = {name: value for name, value in filters.items() if value}
        transaction.append(
            StaffLooked(
                number=me.number,
                role=me.role,
                what=what,
                filters=given | {"department": me.department},
                subject_ref=subject_ref,
                entries=entries,
            )
        )

    await wire.broker_of(request).storage.record(work)


def back_to(request: Request, path: str) -> Response:
    return RedirectResponse(path + query_of(request), 303, wire.NO_STORE)


def shown(
    request: Request,
    template: str,
    members: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]] | None = None,
    **values: Any,
) -> Response:
    """A view of hers; `own` makes addresses that carry on the language."""
    return view(request, template, members, rows, staff=staff_of(request).member, own=partial(query, request), **values)


def query(request: Request, **given: str) -> str:
    """What stands after an address to say just this, with the language; empty values are left out."""
    english = language_of(request) is Language.ENGLISH
    words = {name: value for name, value in given.items() if value} | ({"lang": "en"} if english else {})
    return f"?{urlencode(words)}" if words else ""
