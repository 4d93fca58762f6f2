"""From a template to a page in the clerk's language, or the same as JSON; both under the strictest policy."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, Final

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from broker.desk import words
from broker.desk.refusals import Refused
from broker.desk.visits import Visit, desk_of, query_of, reads_english, wants_json
from broker.moments import day_of, moment, rfc3339
from broker.plain_words import STOPPED

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",  # under no-referrer a browser sends its forms with the Origin "null"
}
PROBLEM: Final = "application/problem+json"
_HOUR: Final = 3600


def page(
    request: Request, template: str, /, *, visit: Visit | None = None, status: int = 200, **values: Any
) -> Response:
    """Render a template; it says its words with `say("中文", "English")`."""
    english, desk = reads_english(request), desk_of(request)
    standing = {
        "say": say(english=english),
        "lang": "en" if english else "zh-CN",
        "query": query_of(request),
        "path": request.scope["path"],
        "address": desk.settings.address,
        "centre": desk.settings.name,
        "session": visit.session if visit is not None else None,
        "idle": desk.settings.idle if visit is not None and not visit.session.locked else 0,
        "words": words,
        "moment": partial(_moment, english=english),
        "mistake": None,
    }
    text = _templates().get_template(template).render(standing | values)
    return Response(text, status, HEADERS, media_type="text/html; charset=utf-8")


def twin(visit: Visit, template: str, members: Mapping[str, Any], **values: Any) -> Response:
    """The page or, where the caller asks for it, the same as JSON."""
    if wants_json(visit.request):
        return as_json(members)
    return page(visit.request, template, visit=visit, **members, **values)


def as_json(members: Any, status: int = 200, media_type: str = "application/json") -> Response:
    return Response(msgspec.json.encode(members), status, {"Cache-Control": "no-store"}, media_type)


def see(request: Request, path: str) -> Response:
    """Lead on after a form."""
    return RedirectResponse(path + query_of(request), 303, {"Cache-Control": "no-store"})


def problem(request: Request, refused: Refused, *, visit: Visit | None = None) -> Response:
    """A refusal as a page or, for a program, as JSON."""
    english = reads_english(request)
    request.scope.setdefault("state", {})["refused"] = refused
    if wants_json(request):
        members = {"title": refused.words(english=english), "status": refused.status, "code": refused.why}
        return as_json(members | ({"member": refused.member} if refused.member else {}), refused.status, PROBLEM)
    offered = desk_of(request).catalogue.last
    stopped = [
        (offered.name("items", item, english=english) if offered is not None else item, STOPPED[why])
        for item, why in refused.stopped
        if why in STOPPED
    ]
    return page(request, "problem.html", visit=visit, status=refused.status, refused=refused, stopped=stopped)


def say(*, english: bool) -> Callable[..., str]:
    """Of two words the one in her language; of a pair, too."""

    def chosen(chinese: str | tuple[str, str], in_english: str = "") -> str:
        pair = chinese if isinstance(chinese, tuple) else (chinese, in_english)
        return pair[english]

    return chosen


def clock_words(due: int, now: int, *, english: bool) -> tuple[str, str]:
    """How a clock stands: `late`, `soon` or `fine`, and in words."""
    days = (day_of(due) - day_of(now)).days
    if due < now:
        hours = -(-(now - due) // _HOUR)
        return "late", say(english=english)(f"超时 {hours} 小时", f"{hours} h late")
    if days == 0:
        return "soon", say(english=english)("今天到期", "due today")
    return ("soon" if days == 1 else "fine"), say(english=english)(f"还有 {days} 天", f"{days} days left")


def _moment(at: int | str, *, english: bool) -> str:
    return moment(at if isinstance(at, str) else rfc3339(at), english=english)


def iso(at: int | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("broker.desk"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
