"""Every way of proving who asks, against a gateway that is a process of its own and upset by any dead secret."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Question
from connectors.departments.gateway import LIVES_SECONDS
from connectors.departments.people import UNKNOWN, XU
from connectors.departments.process import DepartmentProcess
from connectors.directory import Directory
from connectors.gateways import sm2_envelope
from connectors.memory import OwnMemory
from connectors.routes import read_routes
from policies.strict_yaml import ConfigurationError
from policies.vocabulary import Outcome
from tests.connectors.asking import ITEMS, question
from tests.connectors.gateway_routes import ADDITIONAL, ITEM, STYLES, copy_secrets, route, write

RENEWED = ("hmac_refreshed", "md5_rotating", "ticket_token")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DepartmentProcess]:
    running = DepartmentProcess.start("gateway", tmp_path_factory.mktemp("gateway"))
    yield running
    running.stop()


@pytest.fixture
def secrets(gateway: DepartmentProcess, tmp_path: Path) -> Path:
    gateway.control("POST", "/kill")
    return copy_secrets(store_of(gateway), tmp_path / "secrets")


def store_of(running: DepartmentProcess) -> Path:
    words = running.child.args
    assert isinstance(words, list)
    return Path(words[words.index("--store") + 1])


def told(gateway: DepartmentProcess, what: str = "upsets") -> int:
    return int(gateway.control("GET", "/told").get(what, 0))


@asynccontextmanager
async def opened(
    file: Path, secrets: Path, memory: OwnMemory | None = None, ahead: float = 0
) -> AsyncIterator[Directory]:
    def now() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=ahead)

    memory = memory or OwnMemory(lambda: now().timestamp())
    directory = Directory.open(read_routes(file, ITEMS, secrets), memory, now=now)
    try:
        yield directory
    finally:
        await directory.aclose()


def asked(**members: Any) -> Question:
    return question(ITEM, ("center_code", "balance"), **members)


@pytest.mark.parametrize("style", STYLES)
async def test_each_style_is_let_in_and_answered(
    gateway: DepartmentProcess, secrets: Path, tmp_path: Path, style: str
) -> None:
    before = told(gateway), told(gateway, "with_consent")
    async with opened(write(tmp_path, route(style, gateway.port, tmp_path)), secrets) as directory:
        answer = await directory.ask(asked())
        assert answer.outcome is Outcome.FOUND, answer.raw_code
        assert [dict(record) for record in answer.records] == [{"center_code": "C11000", "balance": 28650000}]
        assert (await directory.ask(asked(subject=UNKNOWN))).outcome is Outcome.NO_RECORD
    assert told(gateway) == before[0]
    if "additional" in STYLES[style]:
        assert told(gateway, "with_consent") == before[1] + 2, "the consent's id travels with the call"


@pytest.mark.parametrize("style", RENEWED)
async def test_a_secret_is_fetched_once_for_many_questions(
    gateway: DepartmentProcess, secrets: Path, tmp_path: Path, style: str
) -> None:
    before = told(gateway, "renewals"), told(gateway)
    async with opened(write(tmp_path, route(style, gateway.port, tmp_path)), secrets) as directory:
        answers = await asyncio.gather(*(directory.ask(asked()) for _ in range(20)))
    assert {answer.outcome for answer in answers} == {Outcome.FOUND}
    assert told(gateway, "renewals") - before[0] == (2 if style == "ticket_token" else 1)
    assert told(gateway) == before[1]


@pytest.mark.parametrize("style", RENEWED)
async def test_a_secret_that_the_gateway_forgot_is_fetched_anew_and_the_question_sent_again(
    gateway: DepartmentProcess, secrets: Path, tmp_path: Path, style: str
) -> None:
    memory = OwnMemory(time.time)
    file = write(tmp_path, route(style, gateway.port, tmp_path))
    async with opened(file, secrets, memory) as directory:
        assert (await directory.ask(asked())).outcome is Outcome.FOUND
        gateway.control("POST", "/kill")
        refused = await directory.ask(asked())
        assert (refused.outcome, refused.raw_code) == (Outcome.AUTH_FAILED, "new_secret_refused")
    async with opened(file, secrets, memory, ahead=31) as later:
        assert (await later.ask(asked())).outcome is Outcome.FOUND


async def test_a_secret_is_renewed_early_without_upsetting_anybody(
    gateway: DepartmentProcess, secrets: Path, tmp_path: Path
) -> None:
    before = told(gateway), told(gateway, "renewals")
    async with opened(write(tmp_path, route("md5_rotating", gateway.port, tmp_path)), secrets) as directory:
        end = time.monotonic() + LIVES_SECONDS * 1.5
        while time.monotonic() < end:
            assert (await directory.ask(asked())).outcome is Outcome.FOUND
            await asyncio.sleep(0.02)
    assert told(gateway) == before[0]
    assert told(gateway, "renewals") - before[1] >= 2


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("stale", "stale_reply"),
        ("echo", "another_request"),
        ("group", "another_group"),
        ("stranger", "signature"),
        ("altered", None),
        ("unsigned", "envelope"),
    ],
)
async def test_a_reply_that_the_peer_did_not_sign_for_this_question_just_now_is_refused(
    gateway: DepartmentProcess, secrets: Path, tmp_path: Path, fault: str, code: str | None
) -> None:
    bent = route("sm2", gateway.port, tmp_path)
    bent["request"]["query"] = {"fault": fault}
    async with opened(write(tmp_path, bent), secrets) as directory:
        answer = await directory.ask(asked())
    assert (answer.outcome, answer.records) == (Outcome.GARBLED, ())
    assert answer.raw_code == code if code else answer.raw_code in {"signature", "envelope"}


def without(members: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in members.items() if key != name}


MISTAKES = [
    ("md5_rotating", lambda made: made["request"].pop("additional"), "wants `additional`"),
    (
        "md5_rotating",
        lambda made: made["request"].update(additional={"content": without(ADDITIONAL["content"], "authorisation")}),
        "never tells {consent}",
    ),
    (
        "md5_rotating",
        lambda made: made["authentication"].update(secret="3f9c27aab1d64e0f9d"),
        "never the secret",
    ),
    ("md5_rotating", lambda made: made["authentication"].update(by_key_url="http://192.0.2.1/x"), "insecure"),
    ("ticket_token", lambda made: made["request"]["json"].update(appKey="3f9c27aab1d64e0f9d"), "never in clear"),
    ("basic", lambda made: made["request"].update(headers={"Authorization": "Basic eDp5"}), "never in clear"),
    ("basic", lambda made: made["authentication"].update(user="a:b"), ""),
    ("biz_content", lambda made: made["request"].update(json=made["request"].pop("form")), "members of a form"),
    ("rsa_para", lambda made: made["envelope"].update(own_key="app-secret"), "no such key"),
    ("rsa_para", lambda made: made["envelope"].update(peer_key="caller-rsa"), "no such key"),
    ("sm2", lambda made: made["envelope"].update(peer_key="app-secret"), "no such key"),
    ("sm2", lambda made: made["envelope"].update(verify_reply=False), "verify_reply"),
    ("sm2", lambda made: made["envelope"].update(oldest_seconds=301), ""),
    ("sm2", lambda made: made["request"].update(form=made["request"].pop("json")), "a JSON body"),
    ("basic", lambda made: made.update(trust="app-secret"), "no certificates"),
]


@pytest.mark.parametrize(("style", "change", "says"), MISTAKES)
def test_a_mistake_is_refused_with_its_line_and_no_secret_is_told(
    gateway: DepartmentProcess, secrets: Path, tmp_path: Path, style: str, change: Any, says: str
) -> None:
    made = route(style, gateway.port, tmp_path)
    change(made)
    with pytest.raises(ConfigurationError) as raised:
        read_routes(write(tmp_path, made), ITEMS, secrets)
    file, line, message = str(raised.value).split(":", 2)
    assert (file, int(line) > 1) == (str(tmp_path / "gateways.yaml"), True)
    assert says in message
    assert "3f9c27aab1d64e0f9d" not in message


def test_without_its_extra_a_route_refuses_to_load_and_names_it(
    gateway: DepartmentProcess, secrets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sm2_envelope, "gmssl_pyx", None)
    with pytest.raises(ConfigurationError, match=r"consent-broker\[sm2\]"):
        read_routes(write(tmp_path, route("sm2", gateway.port, tmp_path)), ITEMS, secrets)


async def test_no_secret_stands_in_any_repr(gateway: DepartmentProcess, secrets: Path, tmp_path: Path) -> None:
    memory = OwnMemory(time.time)
    async with opened(write(tmp_path, route("md5_rotating", gateway.port, tmp_path)), secrets, memory) as directory:
        assert (await directory.ask(asked(subject=XU))).outcome is Outcome.FOUND
    (text,) = memory._texts.values()
    (name,) = memory._texts
    assert "request" in text
    assert text not in repr(await memory.read(name))
