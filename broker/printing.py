"""Everything about one person on paper: the newest of it in her language, for reading; the whole is the JSON copy."""

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from typing import Final

import msgspec
from sqlalchemy import Connection

from audit.search import Cursor
from broker.accesses import accesses_of
from broker.moments import day, rfc3339
from broker.names import Names
from broker.notices import notices_of
from broker.plain_words import CONSENT_STATES, INQUIRY_KINDS, INQUIRY_STATES
from broker.sheets import Section, Sheets
from broker.told_calls import ToldCall, told_call
from broker.wiring import Broker
from consent import grants, inquiries, subjects
from consent.grants import Granted
from consent.inquiries import Inquiry
from consent.subjects import SubjectKeys
from policies.refusals import Code, Refused
from policies.vocabulary import Person

AT_MOST: Final = 200
"""Calls and consents on paper: thousands would be hundreds of sheets that nobody reads."""
PRINT_WITHIN: Final = 60
"""Seconds."""


async def printed(sheets: Sheets, one_at_a_time: asyncio.Semaphore) -> bytes:
    """The PDF, made by a process of its own. Raises Refused(busy) where that fails or takes too long."""
    async with one_at_a_time:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "broker.paper", stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            async with asyncio.timeout(PRINT_WITHIN):
                made, _ = await process.communicate(msgspec.json.encode(sheets))
        except TimeoutError as error:
            raise Refused(Code.BUSY) from error
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()  # also where its caller hung up
    if process.returncode:
        raise Refused(Code.BUSY)
    return made


def sheets_of(connection: Connection, broker: Broker, subject_ref: str, entry: int, *, english: bool) -> Sheets:
    """What is printed for a person. `entry` is the index under which taking it was recorded."""
    keys, now = broker.keys.subjects, broker.now()
    person = subjects.read_person(connection, keys, subject_ref)
    if person is None:
        raise Refused(Code.NOT_SIGNED_IN)
    names = Names.read(connection, broker.catalogue, english=english)
    say = names.say
    consents = grants.grants_of(connection, subject_ref)[:AT_MOST]
    calls = accesses_of(connection, subject_ref, Cursor(entry))
    mine = inquiries.inquiries_of(connection, subject_ref)[:AT_MOST]
    notices = notices_of(connection, names, subject_ref, Cursor(entry)).notices
    sections = {
        ("我的授权", "My authorizations"): [_consent(names, one, now) for one in consents],
        ("谁查过我", "Who looked at my data"): [_call(names, told_call(names, one, now)) for one in calls.accesses],
        ("问题和更正", "Questions and corrections"): [_inquiry(names, connection, keys, one) for one in mine],
        ("我的设备", "My devices"): [
            [f"{row.label or row.kid[:6]} · {names.moment(rfc3339(row.enrolled_at))}"]
            for row in subjects.devices_of(connection, subject_ref)
            if row.removed_at is None
        ],
        ("通知", "Notices"): [[f"{names.moment(one.time)} · {one.text}"] for one in notices],
    }
    return Sheets(
        lang="en" if english else "zh-CN",
        title=say(("便利桥里关于我的信息", "What the Consent Broker holds about me")),
        about=_about(names, person, rfc3339(int(now)), entry),
        page=say(("第 {} 页", "Page {}")),
        sections=[
            Section(say(heading), paragraphs or [[say(("没有", "None"))]]) for heading, paragraphs in sections.items()
        ],
    )


def _about(names: Names, person: Person, taken_at: str, entry: int) -> list[str]:
    number = f"{person.id_number[:6]}********{person.id_number[-4:]}"
    taken = names.moment(taken_at)
    return [
        names.say((f"姓名：{person.name}　身份证号：{number}", f"Name: {person.name}. Id-card number: {number}")),
        names.say((f"取出时间：{taken}，日志第 {entry} 条", f"Taken: {taken}, entry {entry} of the log")),
        names.say(_NEWEST),
        names.say(_WHOLE),
    ]


def _consent(names: Names, one: Granted, now: float) -> list[str]:
    say = names.say
    signed, until = names.moment(rfc3339(one.granted_at)), names.moment(rfc3339(one.expires))
    return [
        f"{names.requester(one.requester)} · {names.matter(one.matter)} · {say(CONSENT_STATES[one.state(now)])}",
        say((f"编号 {one.case}", f"Case {one.case}")),
        *(
            f"{names.department(line['department'])} · {names.item(line['item'])}"
            f"{say(('：', ': '))}{names.fields(line['item'], line['fields'])}"
            for line in grants.payload_of(one.token)["authorization_details"]
        ),
        say(
            (
                f"签于 {signed}，到 {until}，还能查 {one.left} 次",
                f"Signed {signed}, until {until}, uses left: {one.left}",
            )
        ),
    ]


def _call(names: Names, call: ToldCall) -> list[str]:
    colon, stop = names.say(("：", ": ")), names.say(("。", ". "))
    outcomes = [names.say((f"（{one.outcome}）", f" ({one.outcome})")) if one.outcome else "" for one in call.items]
    items = (
        f"{one.department} · {one.name}{outcome}{colon}{one.fields}{stop}{one.purpose}"
        for one, outcome in zip(call.items, outcomes, strict=True)
    )
    return [
        f"{names.moment(call.time)}{names.say(('，', ': '))}{call.text}",
        names.say((f"{call.came_of_it}。日志第 {call.index} 条", f"{call.came_of_it}. Entry {call.index} of the log")),
        *([call.by_whom] if call.by_whom else []),
        *items,
        *(f"{names.moment(one.time)}{names.say(('，', ': '))}{one.text}" for one in call.afterwards),
    ]


def _inquiry(names: Names, connection: Connection, keys: SubjectKeys, one: Inquiry) -> list[str]:
    return [*_inquiry_head(names, one), *_texts(names, one.text(connection, keys), one.answer(connection, keys))]


def _inquiry_head(names: Names, one: Inquiry) -> Iterator[str]:
    yield f"{names.say(INQUIRY_KINDS[one.asking.kind])} {one.number} · {names.say(INQUIRY_STATES[one.status])}"
    due = day(one.due_on, english=names.english)
    opened = names.moment(rfc3339(one.opened_at))
    yield names.say((f"提出于 {opened}，{due}前答复", f"Asked {opened}, to be answered by {due}"))


def _texts(names: Names, text: str | None, answer: str | None) -> Iterator[str]:
    if text is not None:
        yield names.say(("您写的：", "You wrote: ")) + text
    if answer is not None:
        yield names.say(("答复：", "Answer: ")) + answer


_NEWEST: Final = ("这里是最新的部分，方便阅读。", "These are the newest, for reading.")
_WHOLE: Final = (
    "全部内容、签名原文、当时给您看的原文和回执，请下载 JSON。",
    "The JSON copy has everything, with the signed texts, the words that you were shown, and the receipts.",
)
