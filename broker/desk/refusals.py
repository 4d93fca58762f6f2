"""Why the desk does not do something: a closed list with status and words, Chinese first, and no value in any of it."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from broker.problems import PROBLEMS
from policies.refusals import Code


class Why(StrEnum):
    NOT_SIGNED_IN = "not_signed_in"
    WRONG_PIN = "wrong_pin"
    LOCKED = "locked"
    BLOCKED = "blocked"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD = "method_not_allowed"
    INVALID = "invalid_request"
    WRONG_STAGE = "wrong_stage"
    TOO_LARGE = "too_large"
    BAD_CURSOR = "bad_cursor"
    BAD_PARCEL = "bad_parcel"
    PARCEL_KNOWN = "parcel_known"
    CASE_KNOWN = "case_known"
    UNREACHABLE = "broker_unreachable"
    BROKER = "broker_refused"
    RECEIPT = "receipt_failed"
    TROUBLE = "trouble"


class Refused(Exception):
    """`member` names what was wrong, or the broker's own code; never what was typed.

    `stopped` is what nobody gets from the broker for now: each item, and why (`plain_words.STOPPED`).
    """

    def __init__(self, why: Why, member: str = "", stopped: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(f"{why} {member}".rstrip())
        self.why = why
        self.member = member
        self.stopped = stopped

    @property
    def status(self) -> int:
        return WORDS[self.why][0]

    def words(self, *, english: bool) -> str:
        """One or two sentences: what it is and what to do."""
        said = WORDS[self.why][1][english]
        if self.why is Why.BROKER and self.member in _CODES:
            problem = PROBLEMS[Code(self.member)]
            told = problem.en if english else problem.zh
            return f"{said}{told.cause}{' ' if english else ''}{told.remedy}"
        if self.why is Why.INVALID and self.member in MEMBERS:
            return MEMBERS[self.member][english]
        return said


_CODES: Final = frozenset(map(str, Code))

WORDS: Final[Mapping[Why, tuple[int, tuple[str, str]]]] = {
    Why.NOT_SIGNED_IN: (401, ("请先登录。", "Please sign in first.")),
    Why.WRONG_PIN: (
        401,
        ("工号或 PIN 不对。什么也没有改。", "The staff number or the PIN is wrong. Nothing was changed."),
    ),
    Why.LOCKED: (
        423,
        (
            "这个窗口锁着。请由锁上它的人输入 PIN，或先退出再登录。",
            "This window is locked. Whoever works here enters the PIN, or signs out first.",
        ),
    ),
    Why.BLOCKED: (
        429,
        ("错的次数太多，请等五分钟再试。", "Too many wrong tries: wait five minutes, then try again."),
    ),
    Why.FORBIDDEN: (403, ("这个操作不是从本页面发出的，没有执行。", "This did not come from this desk's own pages.")),
    Why.NOT_FOUND: (404, ("没有这件业务，或者不是您的。", "There is no such case, or it is not yours.")),
    Why.METHOD: (405, ("这个地址不能这样用。", "This address cannot be used like that.")),
    Why.INVALID: (422, ("有一项填得不对，没有提交。", "Something is not filled in right; nothing was sent.")),
    Why.WRONG_STAGE: (409, ("这件业务已经走到别的步骤了。", "This case has moved on to another step.")),
    Why.TOO_LARGE: (413, ("内容太长，没有读。", "That is too long and was not read.")),
    Why.BAD_CURSOR: (
        400,
        ("翻页的地址不对，请从第一页看起。", "This page's address is wrong; begin at the first."),
    ),
    Why.BAD_PARCEL: (
        422,
        (
            "这份移交件打不开：不是给本中心的，不是合作中心签的，或者被改过。",
            "This parcel cannot be opened: not for this centre, not from a partner, or altered.",
        ),
    ),
    Why.PARCEL_KNOWN: (409, ("这份移交件已经收过了。", "This parcel was taken in before.")),
    Why.CASE_KNOWN: (409, ("这个编号的业务已经有了。", "There is a case of this number already.")),
    Why.UNREACHABLE: (
        503,
        (
            "暂时连不上便利桥，什么也没有做。请再试一次。",
            "The broker cannot be reached, nothing was done. Try again.",
        ),
    ),
    Why.BROKER: (409, ("便利桥没有同意：", "The broker refused. ")),
    Why.RECEIPT: (
        502,
        (
            "回执没有通过核对，结果没有采用。请报告管理员。",
            "The receipt did not verify, so the answers were not taken. Tell your operator.",
        ),
    ),
    Why.TROUBLE: (500, ("出了意外，已经记下。请再试一次。", "Something unexpected happened and was noted. Try again.")),
}

MEMBERS: Final[Mapping[str, tuple[str, str]]] = {
    "id_number": (
        "身份证号不对：应为 18 位，请核对末位。",
        "The id number is wrong: it has 18 characters.",
    ),
    "name": ("请填写姓名，最多 60 个字。", "Please fill in the name, 60 characters at most."),
    "matter": ("请选一项业务。", "Please choose a matter."),
    "items": ("请至少选一项要查的。", "Please choose at least one item to ask for."),
    "desk": ("没有这个窗口。", "There is no such window."),
    "decision": ("请选办理结果。", "Please choose the decision."),
    "rating": ("请按 1 到 5。", "Please press 1 to 5."),
    "note": ("请写说明，最多 500 个字。", "Please write a note, 500 characters at most."),
    "partner": ("没有这个合作中心。", "There is no such partner centre."),
    "filter": ("筛选条件太长或不认识。", "This filter is too long or unknown."),
}
"""What is said of a field that was not filled in right."""
