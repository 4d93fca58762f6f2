"""What stages, outcomes and decisions are called at the counter: Chinese first, then English."""

from collections.abc import Mapping
from typing import Final, TypeAlias

Words: TypeAlias = tuple[str, str]

STAGES: Final[Mapping[str, Words]] = {
    "started": ("还没问", "Not asked yet"),
    "asking": ("等本人授权", "Waiting for the person"),
    "agreed": ("已授权，还没查", "Agreed, not looked up yet"),
    "answered": ("有结果", "Answers are here"),
    "declined": ("本人不同意", "The person declined"),
    "expired": ("授权码过期", "The code has expired"),
    "paper": ("改用纸质材料", "On paper"),
    "decided": ("办结", "Finished"),
}

REQUESTS: Final[Mapping[str, Words]] = {
    "pending": ("等扫码", "Waiting to be scanned"),
    "opened": ("已扫码，正在看", "Scanned: the person is reading"),
    "granted": ("已签名", "Signed"),
    "partly": ("部分同意", "Partly agreed"),
    "declined": ("不同意", "Declined"),
    "expired": ("过期了", "Expired"),
    "cancelled": ("取消了", "Cancelled"),
}

DECISIONS: Final[Mapping[str, Words]] = {
    "approved": ("同意", "Approved"),
    "refused": ("不同意", "Refused"),
    "returned": ("退回", "Returned"),
}

JOINT: Final[Mapping[str, Words]] = {
    "away": ("已移交，等对方", "Handed over: waiting for the other centre"),
    "here": ("对方移交来", "Handed over to us"),
    "more": ("等补正", "Waiting for what is missing"),
    "back": ("对方已退回", "Returned by the other centre"),
}

PARCELS: Final[Mapping[str, Words]] = {
    "handover": ("移交", "Handed over"),
    "more": ("要求补正", "Asked for more"),
    "supplied": ("已补正", "Supplied"),
    "return": ("退回结果", "Returned with the result"),
}

TONES: Final[Mapping[str, tuple[str, Words]]] = {
    "match": ("good", ("✓ 一致", "✓ Match")),
    "mismatch": ("bad", ("✗ 不一致", "✗ Mismatch")),
    "found": ("good", ("✓ 查到了", "✓ Found")),
    "no_record": ("none", ("○ 查不到", "○ No record")),
    "not_decidable": ("doubt", ("? 核对不出", "? Cannot be decided")),
    "need_manual": ("wait", ("… 要人工查", "… By hand")),
    "denied_by_department": ("denied", ("⊘ 不允许查", "⊘ Not permitted")),
    "withheld": ("denied", ("⊘ 不允许查", "⊘ Not permitted")),
    "bad_request": ("trouble", ("! 没有查成", "! Could not be asked")),
    "pending": ("wait", ("… 等待", "… Waiting")),
}
TROUBLE: Final[tuple[str, Words]] = ("trouble", ("! 暂时查不了", "! Cannot be asked for now"))

REASONS: Final[Mapping[str, Words]] = {
    "match": ("部门的记录和申报的一样。", "The department's record agrees with what was declared."),
    "mismatch": (
        "部门的记录和申报的不一样，请和本人核对。",
        "The record differs from what was declared.",
    ),
    "found": ("部门有记录。", "The department has a record."),
    "no_record": ("部门答复了：没有这项记录。", "The department answered: there is no such record."),
    "not_decidable": ("部门答复了，但对不出来。请改看材料。", "The department answered, but it cannot be decided."),
    "need_manual": ("部门要人工查，请改看材料或稍后再看。", "A person at the department has to look it up."),
    "denied_by_department": ("部门按规定不允许查。再问也没有用，请改看材料。", "The department does not permit it."),
    "withheld": ("授权已经撤回或暂停，没有给出。", "The consent no longer stands, so nothing was given out."),
    "bad_request": (
        "部门不接受这样问。请报告管理员。",
        "The department did not take the question.",
    ),
    "auth_failed": ("部门没有认出我们，已经通知管理员。可以再查一次。", "The department did not know us. Try again."),
    "quota": ("今天的查询次数用完了，请晚些再查。", "Today's quota is used up: try later."),
    "closed_hours": ("部门现在不办公，请在服务时间再查。", "The department is closed now: try in its hours."),
    "department_down": (
        "部门的系统现在不通。不等于没有记录。",
        "The department is down. It may have a record.",
    ),
    "timeout": ("部门没有及时回答。不等于没有记录。", "No answer in time. There may be a record."),
    "garbled": ("部门的回答看不懂，没有采用。可以再查一次。", "The answer could not be read, so it was not used."),
    "pending": ("部门还没答复，到了会显示在这里。", "The department has not answered yet."),
}

TRANSIENT: Final = frozenset({"department_down", "timeout", "garbled", "quota", "closed_hours", "auth_failed"})

PARTIES: Final[Mapping[str, Words]] = {
    "applicant": ("申请人", "Applicant"),
    "spouse": ("配偶", "Spouse"),
    "co_borrower": ("共同借款人", "Co-borrower"),
    "parent": ("父母", "Parent"),
    "child": ("子女", "Child"),
    "handler": ("经办人", "Handler"),
}


def tone_of(outcome: str) -> tuple[str, Words]:
    """The card's tone and its word; "no record", "could not be asked" and "may not be asked" are never one."""
    return TONES.get(outcome, TROUBLE)
