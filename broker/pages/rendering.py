"""From a template to a page: its language, its words in Chinese and English side by side, and its strict policy."""

import hashlib
from collections.abc import Callable
from enum import StrEnum
from functools import cache, partial
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy import Connection

from broker import plain_words
from broker.moments import day, moment
from broker.names import Names
from broker.pages import text_size
from policies.catalogue import Catalogue

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; "
    "frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""What a page may load and do. No inline script or style, no markup made from text, no form sent anywhere."""
POLICY_OF_FORMS: Final = POLICY.replace("form-action 'none'", "form-action 'self'")


class Language(StrEnum):
    CHINESE = "zh-CN"
    ENGLISH = "en"


def language_of(request: Request) -> Language:
    """The language that the address asks for; Chinese unless it says `lang=en`."""
    return Language.ENGLISH if request.query_params.get("lang") == Language.ENGLISH else Language.CHINESE


def page(template: str, request: Request, *, keep: str, status: int = 200, **values: Any) -> Response:
    """Render a template. `keep` is the Cache-Control; a template says its words with `say("中文", "English")`."""
    headers = {"Cache-Control": keep, "Content-Security-Policy": POLICY}
    return _rendered(template, request, headers, status, values, size=text_size.chosen(request.cookies))


def public_page(template: str, request: Request, *, seconds: int, **values: Any) -> Response:
    """A page that is the same for everybody and may be kept: no cookie changes it, and its ETag is its text's."""
    response = _rendered(template, request, {"Content-Security-Policy": POLICY}, 200, values, size=None)
    etag = f'"{hashlib.sha256(bytes(response.body)).hexdigest()[:32]}"'
    headers = {"Cache-Control": f"public, max-age={seconds}", "ETag": etag}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return response


def page_of_forms(template: str, request: Request, *, status: int = 200, **values: Any) -> Response:
    """A citizen's page: nobody keeps it, and its forms are sent to this site alone."""
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": POLICY_OF_FORMS,
        "Referrer-Policy": "same-origin",  # under no-referrer a browser sends its forms with the Origin "null"
    }
    return _rendered(template, request, headers, status, values, size=text_size.chosen(request.cookies))


def names_of(request: Request, connection: Connection, catalogue: Catalogue) -> Names:
    """The names of things, in the language of the page."""
    return Names.read(connection, catalogue, english=language_of(request) is Language.ENGLISH)


def query_of(request: Request) -> str:
    """What the addresses of other pages must carry on: the language."""
    return "?lang=en" if language_of(request) is Language.ENGLISH else ""


def _rendered(
    template: str, request: Request, headers: dict[str, str], status: int, values: dict[str, Any], *, size: int | None
) -> Response:
    language = language_of(request)
    english = language is Language.ENGLISH
    standing = {
        "lang": language,
        "say": _say(language),
        "words_of": lambda name: {key: words[english] for key, words in getattr(plain_words, name).items()},
        "moment": partial(moment, english=english),
        "day": partial(day, english=english),
        "path": request.scope["path"],
        "other_language": request.scope["path"] + ("" if english else "?lang=en"),
        "query": query_of(request),
        "here": partial(_here, request),
        "size": size,
        "sizes": text_size,
        "unread": getattr(request.state, "unread", 0),
    }
    text = _templates().get_template(template).render(standing | values)
    return Response(text, status, headers, media_type="text/html; charset=utf-8")


def _here(request: Request, **changed: str) -> str:
    """The page's own address with some members of its query changed; an empty one is left out."""
    members = {**request.query_params, **changed}
    query = urlencode({name: text for name, text in members.items() if text})
    path: str = request.scope["path"]
    return f"{path}?{query}" if query else path


def _say(language: Language) -> Callable[[str, str], str]:
    return lambda chinese, english: chinese if language is Language.CHINESE else english


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("broker.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
