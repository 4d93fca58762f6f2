"""Every code has its words in both languages and a page behind its `type`; nothing in them is left to guess."""

from html import unescape

import pytest

from broker.problems import PROBLEMS, Problem, Words, status_of
from policies.refusals import Code, Refusal, TokenRole
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

STATUSES = {401, 403, 404, 405, 409, 413, 415, 422, 429, 503}


async def test_every_code_is_in_the_table() -> None:
    assert set(PROBLEMS) == set(Code)
    assert {problem.status for problem in PROBLEMS.values()} == STATUSES
    assert {code for code, problem in PROBLEMS.items() if problem.status == 503 and not problem.retry_after} == set()


@pytest.mark.parametrize("code", list(Code))
async def test_words_in_both_languages(code: Code) -> None:
    problem = PROBLEMS[code]
    for words, chinese in ((problem.zh, True), (problem.en, False)):
        for text in (words.title, words.cause, words.remedy):
            assert text == text.strip() != ""
            assert _is_chinese(text) is chinese
    assert problem.zh.title not in {other.zh.title for other in _others(problem)}
    assert problem.en.title not in {other.en.title for other in _others(problem)}


@pytest.mark.parametrize("code", list(Code))
async def test_page_behind_the_type(shared: World, code: Code) -> None:
    async with shared.http.get(f"{shared.issuer}/problems/{code}") as response:
        page = unescape(await response.text())
        assert response.status == 200
        assert response.content_type == "text/html"
    problem = PROBLEMS[code]
    for words in (problem.zh, problem.en):
        assert all(text in page for text in _texts(words))
    assert f"HTTP {problem.status}" in page


@pytest.mark.parametrize("code", [code for code in Code if PROBLEMS[code].status == 401])
async def test_whose_token_decides_the_status(code: Code) -> None:
    statuses = {role: status_of(Refusal(code, role)) for role in (None, *TokenRole)}
    assert statuses == {
        None: 401,
        TokenRole.REQUEST: 401,
        TokenRole.CONSENT: 422,
        TokenRole.WITHDRAWAL: 422,
        TokenRole.DEVICE: 422,
        TokenRole.PASSKEY: 422,
    }


async def test_english_for_who_asks_in_english(shared: World) -> None:
    words = {}
    for language in ("en-GB,en;q=0.9", "zh-CN", ""):
        headers = {"Accept-Language": language}
        async with shared.http.get(f"{shared.issuer}/v1/me/consents", headers=headers) as response:
            words[language] = (await response.json(content_type=None))["title"]
    problem = PROBLEMS[Code.NOT_SIGNED_IN]
    assert words == {"en-GB,en;q=0.9": problem.en.title, "zh-CN": problem.zh.title, "": problem.zh.title}


def _texts(words: Words) -> tuple[str, str, str]:
    return words.title, words.cause, words.remedy


def _others(problem: Problem) -> list[Problem]:
    return [other for other in PROBLEMS.values() if other is not problem]


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= sign <= "\u9fff" for sign in text)
