"""/problems/{code}: what a code means, why it happens and what to do, for whoever follows a problem's `type`."""

from html import escape

from fastapi import APIRouter, Response

from broker.problems import PROBLEMS, Words
from policies.refusals import Code, Refused

router = APIRouter(tags=["public"])

_PAGE = """<!doctype html>
<html lang="zh-CN">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · {code}</title></head>
<body><main>
<h1>{title}</h1><p><code>{code}</code> · HTTP {status}</p>
{zh}
<section lang="en">{en}</section>
</main></body></html>
"""


@router.get("/problems/{code}")
async def page(code: str) -> Response:
    if code not in list(Code):
        raise Refused(Code.NOT_FOUND)
    problem = PROBLEMS[Code(code)]
    text = _PAGE.format(
        title=escape(problem.zh.title),
        code=escape(code),
        status=problem.status,
        zh=_section(problem.zh, "为什么", "怎么办"),
        en=f"<h2>{escape(problem.en.title)}</h2>" + _section(problem.en, "Why", "What to do"),
    )
    return Response(text, headers={"Cache-Control": "public, max-age=3600"}, media_type="text/html; charset=utf-8")


def _section(words: Words, cause: str, remedy: str) -> str:
    return f"<h3>{cause}</h3><p>{escape(words.cause)}</p><h3>{remedy}</h3><p>{escape(words.remedy)}</p>"
