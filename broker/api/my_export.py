"""/v1/me/export: a copy of everything about me. Taking it is recorded before its first byte leaves."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from audit import events
from broker.api import wire
from broker.export import written
from broker.login import Session
from broker.moments import day_of
from broker.printing import printed, sheets_of
from broker.sheets import can_print
from policies.refusals import Code, Refused

router = APIRouter(prefix="/v1/me", tags=["citizens"])

JSON = "json"
PDF = "pdf"


@router.get("/export")
async def export(request: Request) -> Response:
    """`?form=json` (the default; members in broker/export.py), or `?form=pdf` where the extra is installed."""
    session = await wire.signed_in(request)
    form = request.query_params.get("form", JSON)
    return await copy_of(request, session, form, english=wire.reads_english(request))


async def copy_of(request: Request, session: Session, form: str, *, english: bool) -> Response:
    """The copy as a file. Raises Refused(invalid_request) for a form that cannot be had."""
    if form != JSON and not (form == PDF and can_print()):
        raise Refused(Code.INVALID_REQUEST, member="form")
    broker = wire.broker_of(request)
    taken = events.SubjectExported(subject_ref=session.subject_ref, form=form)
    entry = (await broker.storage.record(lambda transaction: transaction.append(taken))).value
    name = f"my-data-{day_of(broker.now()).isoformat()}.{form}"
    headers = wire.NO_STORE | {"Content-Disposition": f'attachment; filename="{name}"'}
    if form == JSON:
        return StreamingResponse(
            written(broker, session.subject_ref, entry), headers=headers, media_type="application/json"
        )
    sheets = await broker.storage.read(
        lambda connection: sheets_of(connection, broker, session.subject_ref, entry, english=english)
    )
    return Response(await printed(sheets, request.app.state.printing), 200, headers, "application/pdf")
