"""From a template to a page: its language, its words in Chinese and English side by side, and its strict policy."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from functools import cache
from typing import Any, Final

from fastapi import Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; "
    "frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""What a page may load and do. No inline script or style, no markup made from text, no form sent anywhere."""
POLICY_OF_FORMS: Final = POLICY.replace("form-action 'none'", "form-action 'self'")
LARGE: Final = ("text_size", "large")
"""The cookie of the large version: it says nothing about anybody."""


BEIJING: Final = timezone(timedelta(hours=8))


class Language(StrEnum):
    CHINESE = "zh-CN"
    ENGLISH = "en"


def language_of(request: Request) -> Language:
    """The language that the address asks for; Chinese unless it says `lang=en`."""
    return Language.ENGLISH if request.query_params.get("lang") == Language.ENGLISH else Language.CHINESE


def page(template: str, request: Request, *, keep: str, status: int = 200, **values: Any) -> Response:
    """Render a template. `keep` is the Cache-Control; a template says its words with `say("中文", "English")`."""
    headers = {"Cache-Control": keep, "Content-Security-Policy": POLICY}
    return _rendered(template, request, headers, status, values)


def page_of_forms(template: str, request: Request, *, status: int = 200, **values: Any) -> Response:
    """A citizen's page: nobody keeps it, and its forms are sent to this site alone."""
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": POLICY_OF_FORMS,
        "Referrer-Policy": "same-origin",  # under no-referrer a browser sends its forms with the Origin "null"
    }
    return _rendered(template, request, headers, status, values)


def query_of(request: Request) -> str:
    """What the addresses of other pages must carry on: the language."""
    return "?lang=en" if language_of(request) is Language.ENGLISH else ""


def _rendered(
    template: str, request: Request, headers: dict[str, str], status: int, values: dict[str, Any]
) -> Response:
    language = language_of(request)
    name, large = LARGE
    standing = {
        "lang": language,
        "say": _say(language),
        "moment": _moment(language),
        "path": request.scope["path"],
        "query": query_of(request),
        "large": request.cookies.get(name) == large,
    }
    text = _templates().get_template(template).render(standing | values)
    return Response(text, status, headers, media_type="text/html; charset=utf-8")


def _say(language: Language) -> Callable[[str, str], str]:
    return lambda chinese, english: chinese if language is Language.CHINESE else english


def _moment(language: Language) -> Callable[[str], str]:
    """RFC 3339 as the reader's clock on the wall says it, which for all of China is Beijing's."""

    def told(rfc3339: str) -> str:
        time = datetime.fromisoformat(rfc3339).astimezone(BEIJING)
        if language is Language.CHINESE:
            return f"{time.year}年{time.month}月{time.day}日 {time:%H:%M}"
        return f"{time.day} {time:%B %Y, %H:%M}"

    return told


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("broker.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
