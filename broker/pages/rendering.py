"""From a template to a page: its language, its words in Chinese and English side by side, and its strict policy."""

from collections.abc import Callable
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


class Language(StrEnum):
    CHINESE = "zh-CN"
    ENGLISH = "en"


def language_of(request: Request) -> Language:
    """The language that the address asks for; Chinese unless it says `lang=en`."""
    return Language.ENGLISH if request.query_params.get("lang") == Language.ENGLISH else Language.CHINESE


def page(template: str, request: Request, *, keep: str, **values: Any) -> Response:
    """Render a template. `keep` is the Cache-Control; a template says its words with `say("中文", "English")`."""
    language = language_of(request)
    text = (
        _templates()
        .get_template(template)
        .render(lang=language, say=_say(language), path=request.scope["path"], **values)
    )
    headers = {"Cache-Control": keep, "Content-Security-Policy": POLICY}
    return Response(text, headers=headers, media_type="text/html; charset=utf-8")


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
