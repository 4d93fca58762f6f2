"""What the log's events, outcomes and refusals are called before the person they concern: Chinese first, then English.

The one table from event to sentence: an event that is not in NOTICES is told to nobody. In braces stand the names that
broker/names.py gives: {who} asked (the centre and its desk), for which {matter} and {case}; {number} of an inquiry.
After a slash stands a variant: how a call ended for her, through which channel she agreed, what was decided, and by
whom a consent was withdrawn.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

Words: TypeAlias = tuple[str, str]

NOTICES: Final[Mapping[str, Words]] = {
    "exchange.admitted": (
        "{who}正在为{matter}（编号 {case}）查您的信息。",
        "{who} is looking up your data for: {matter} (case {case}).",
    ),
    "exchange.released": (
        "{who}为{matter}（编号 {case}）查了您的信息。",
        "{who} looked up your data for: {matter} (case {case}).",
    ),
    "exchange.released/pending": (
        "{who}为{matter}（编号 {case}）查您的信息，还在等部门回答。",
        "{who} is looking up your data for: {matter} (case {case}); an answer is still to come.",
    ),
    "exchange.released/nothing": (
        "{who}为{matter}（编号 {case}）查您的信息，没有查到。",
        "{who} looked up your data for: {matter} (case {case}), and nothing was found.",
    ),
    "exchange.released/failed": (
        "{who}为{matter}（编号 {case}）查您的信息，没有查成。",
        "{who} tried to look up your data for: {matter} (case {case}), and could not.",
    ),
    "exchange.released/withheld": (
        "{who}想为{matter}（编号 {case}）查您的信息，没有给。",
        "{who} wanted your data for: {matter} (case {case}), and was not given it.",
    ),
    "exchange.withheld": (
        "{who}想为{matter}（编号 {case}）查您的信息，没有给。",
        "{who} wanted your data for: {matter} (case {case}), and was not given it.",
    ),
    "exchange.interrupted": (
        "{who}想为{matter}（编号 {case}）查您的信息，中断了，没有给。",
        "{who} wanted your data for: {matter} (case {case}); it broke off, and nothing was given out.",
    ),
    "exchange.refused": (
        "{who}想为{matter}（编号 {case}）查您的信息，被拒绝了。",
        "{who} wanted to look up your data for: {matter} (case {case}), and was refused.",
    ),
    "exchange.viewed": (
        "{who}看了查到的信息（编号 {case}）。",
        "{who} looked at what had been found (case {case}).",
    ),
    "exchange.decided": ("{who}办了您的事（编号 {case}）。", "{who} decided your case {case}."),
    "exchange.decided/approved": ("{who}同意了您的申请（编号 {case}）。", "{who} approved your case {case}."),
    "exchange.decided/refused": ("{who}没有同意您的申请（编号 {case}）。", "{who} refused your case {case}."),
    "exchange.decided/returned": ("{who}退回了您的申请（编号 {case}）。", "{who} returned your case {case}."),
    "consent.asked": (
        "{who}请您授权：{matter}（编号 {case}）。",
        "{who} asks for your consent: {matter} (case {case}).",
    ),
    "consent.granted": (
        "您同意了{who}的授权请求：{matter}（编号 {case}）。",
        "You agreed to a request of {who}: {matter} (case {case}).",
    ),
    "consent.granted/guardian": (
        "您的监护人替您签了授权：{who}，{matter}（编号 {case}）。",
        "Your guardian agreed for you: {who}, {matter} (case {case}).",
    ),
    "consent.granted/entrusted": (
        "您委托的人替您签了授权：{who}，{matter}（编号 {case}）。",
        "The person whom you entrusted agreed for you: {who}, {matter} (case {case}).",
    ),
    "consent.granted/assisted": (
        "窗口按您的纸质授权替您签了：{who}，{matter}（编号 {case}）。不是您要的，请马上撤回。",
        "The counter agreed for you, from paper: {who}, {matter} (case {case}). If you did not want it, withdraw it.",
    ),
    "consent.witnessed": (
        "窗口的第二个人确认了替您签的授权：{who}（编号 {case}）。",
        "A second person at the counter confirmed what was agreed for you: {who} (case {case}).",
    ),
    "consent.declined": ("您没有同意{who}的请求（编号 {case}）。", "You declined a request of {who} (case {case})."),
    "consent.reopened": (
        "{who}的请求又可以答复了（编号 {case}）。",
        "A request of {who} can be answered again (case {case}).",
    ),
    "consent.withdrawn": (
        "撤回已经生效：{who}，{matter}（编号 {case}）。",
        "Your withdrawal is in effect: {who}, {matter} (case {case}).",
    ),
    "consent.paused": ("授权已经暂停：{who}（编号 {case}）。", "Your consent is paused: {who} (case {case})."),
    "consent.resumed": ("授权已经恢复：{who}（编号 {case}）。", "Your consent is resumed: {who} (case {case})."),
    "device.enrolled": (
        "登记了一台能替您签名的新设备。不是您做的，请马上停用。",
        "A new device was enrolled to sign for you. If that was not you, remove it at once.",
    ),
    "device.removed": ("一台设备停用了，不能再替您签名。", "A device was removed and signs nothing more for you."),
    "device.lost": ("一台设备报失了，不能再替您签名。", "A device was reported lost and signs nothing more for you."),
    "passkey.registered": (
        "登记了一个新的通行密钥，可以用它登录。不是您做的，请马上停用。",
        "A new passkey was registered for signing in. If that was not you, remove it at once.",
    ),
    "passkey.removed": ("一个通行密钥停用了。", "A passkey was removed."),
    "question.opened": ("您的问题收到了，编号 {number}。", "Your question was received: {number}."),
    "question.answered": ("您的问题 {number} 有了答复。", "Your question {number} was answered."),
    "correction.opened": ("您的更正请求收到了，编号 {number}。", "Your correction was received: {number}."),
    "correction.answered": ("您的更正请求 {number} 有了答复。", "Your correction {number} was answered."),
    "subject.exported": (
        "有人登录后下载了您的全部记录。不是您做的，请打 12329。",
        "Everything about you was downloaded from your account. If that was not you, call 12329.",
    ),
}

ENDINGS: Final[Mapping[str, Words]] = {
    "given": ("数据已给出", "The data was given out"),
    "pending": ("还在等部门回答", "An answer is still to come"),
    "nothing": ("没有查到", "Nothing was found"),
    "failed": ("没有查成，数据没有给出", "It could not be looked up: no data was given out"),
    "withheld": ("数据没有给出", "No data was given out"),
    "interrupted": ("查询中断，数据没有给出", "It broke off: no data was given out"),
    "refused": ("查询被拒绝，数据没有给出", "Refused: no data was given out"),
    "running": ("正在查", "Under way"),
}
"""What came of a call, for her part in it."""

BECAUSE: Final[Mapping[str, Words]] = {
    "consent_withdrawn": ("您撤回了授权", "you had withdrawn"),
    "consent_paused": ("您暂停了授权", "you had paused it"),
    "consent_used_up": ("次数已经用完", "it was used up"),
    "consent_expired": ("授权已经到期", "it had expired"),
    "releases_stopped": ("放行暂时停了", "releases were stopped"),
    "requester_suspended": ("这家机构已被暂停", "this office is suspended"),
}
"""Why a call came to nothing, by the refusal's code."""
STOPPED: Final[Mapping[str, Words]] = {
    "stopped_by_department": (
        "管这项数据的部门暂停了提供",
        "the department that keeps it has stopped giving it out for now",
    ),
    "stopped_by_department_for_requester": (
        "管这项数据的部门暂停了向这家机构提供",
        "the department that keeps it has stopped giving it to this office for now",
    ),
    "stopped_by_operator": ("便利桥暂停了提供", "the broker's operator has stopped giving it out for now"),
    "stopped_by_operator_for_requester": (
        "便利桥暂停了向这家机构提供",
        "the broker's operator has stopped giving it to this office for now",
    ),
}
"""Who has stopped an item, and for whom."""
NOT_PERMITTED: Final[Words] = ("不符合规定", "it was not permitted")

OUTCOMES: Final[Mapping[str, Words]] = {
    "match": ("核对一致", "it matched"),
    "mismatch": ("核对不一致", "it did not match"),
    "found": ("查到了", "found"),
    "no_record": ("没有记录", "no record"),
    "not_decidable": ("核对不出来", "could not be decided"),
    "need_manual": ("要人工查", "a person has to look it up"),
    "denied_by_department": ("部门不允许查", "the department did not permit it"),
    "bad_request": ("没有查成", "could not be asked"),
    "auth_failed": ("暂时查不了", "could not be asked for now"),
    "quota": ("暂时查不了", "could not be asked for now"),
    "closed_hours": ("部门不在办公时间", "the department was closed"),
    "department_down": ("暂时查不了", "could not be asked for now"),
    "timeout": ("部门没有及时回答", "the department did not answer in time"),
    "garbled": ("部门的回答看不懂", "the answer could not be read"),
    "pending": ("还在等部门回答", "still waiting for the answer"),
    "withheld": ("没有给出", "not given out"),
}

EXPECTED: Final[Mapping[str, Words]] = {
    "pending": ("预计{at}前有答复", "an answer is expected by {at}"),
    "closed_hours": ("{at}起可以再查", "it can be asked again from {at}"),
    "quota": ("{at}起可以再查", "it can be asked again from {at}"),
}
"""By an item's outcome, what is said where somebody knows when; {at} is that moment."""

CHANNELS: Final[Mapping[str, Words]] = {
    "guardian": ("凭您的监护人替您签的授权", "under a consent that your guardian signed for you"),
    "entrusted": ("凭您委托的人替您签的授权", "under a consent that the person you entrusted signed for you"),
    "assisted": ("凭窗口按纸质授权替您签的授权", "under a consent that the counter signed for you, from paper"),
}
"""Who acted for her, where she did not sign herself."""

ACTING: Final[Mapping[str, Words]] = {
    "guardian": ("监护人代为确认", "Confirmed by the guardian"),
    "entrusted": ("受托人代为确认", "Confirmed by an entrusted helper"),
    "assisted": ("窗口人员凭纸质授权书录入", "Entered by a clerk from a paper form"),
}
"""How an authorization comes about, where it is not by the person alone."""

CONSENT_STATES: Final[Mapping[str, Words]] = {
    "active": ("有效", "Active"),
    "paused": ("已暂停", "Paused"),
    "used_up": ("次数用完", "Used up"),
    "expired": ("已到期", "Expired"),
    "withdrawn": ("已撤回", "Withdrawn"),
}

REQUEST_STATES: Final[Mapping[str, Words]] = {
    "pending": ("等您确认", "Waiting for you"),
    "opened": ("等您确认", "Waiting for you"),
    "granted": ("您同意了", "You agreed"),
    "declined": ("您没有同意", "You did not agree"),
    "cancelled": ("机构取消了", "Cancelled by the office"),
    "expired": ("过期了，没有确认", "Ended without your answer"),
    "partly": ("部分同意", "Partly agreed"),
}
LEFT_OUT: Final[Mapping[str, Words]] = {
    "not_connected": ("这个部门还没有接入，请到那里另办", "this department takes no part here yet: apply there"),
    "nothing_to_ask": ("现在没有什么能替您查，请带材料去办", "nothing can be looked up for it now: bring papers"),
    "already_decided": ("您说过不同意，没有再问", "you said no before, and are not asked again"),
    "otherwise": ("现在办不了，请问窗口", "cannot be done now: ask at the counter"),
}
"""Why a part of a bundle was not asked."""

LEGAL_BASES: Final[Mapping[str, Words]] = {
    "consent": ("本人同意", "consent"),
    "separate_consent": ("本人单独同意", "separate consent"),
    "written_consent": ("本人书面同意", "written consent"),
    "statutory_duty": ("法定职责", "statutory duty"),
    "other_law": ("其他法律规定", "another law"),
}
"""On what an item is asked, as the person signed it."""

INQUIRY_KINDS: Final[Mapping[str, Words]] = {
    "question": ("问题", "Question"),
    "correction": ("更正", "Correction"),
}
INQUIRY_STATES: Final[Mapping[str, Words]] = {
    "open": ("等答复", "Waiting"),
    "answered": ("已答复", "Answered"),
}
