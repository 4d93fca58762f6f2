"""Every refusal's status and words, in Chinese first; the only file with error statuses (RFC 9457).

A code is stable for ever; its words may be improved. `cause` and `remedy` make the page behind a problem's `type`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from broker.plain_words import STOPPED
from policies.refusals import Code, Refusal, TokenRole

MEDIA_TYPE: Final = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Words:
    title: str
    cause: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One code's status and words. `status` is for the caller's own token where the code can concern either."""

    status: int
    zh: Words
    en: Words
    retry_after: int = 0
    """Seconds; 0 where waiting does not help."""


def _problem(status: int, zh: tuple[str, str, str], en: tuple[str, str, str], retry_after: int = 0) -> Problem:
    return Problem(status, Words(*zh), Words(*en), retry_after)


PROBLEMS: Final[Mapping[Code, Problem]] = {
    Code.MALFORMED_TOKEN: _problem(
        401,
        ("令牌格式不对", "令牌不是协议规定的紧凑 JWS，或者缺少、写错了必需的成员。", "按协议重新生成并签名。"),
        (
            "Malformed token",
            "The token is not the protocol's compact JWS, or a member is missing or of the wrong form.",
            "Make and sign it again as the protocol says.",
        ),
    ),
    Code.WRONG_TOKEN_TYPE: _problem(
        401,
        ("令牌种类不对", "这里要的是另一种令牌。", "检查 typ，把令牌用在它该用的地方。"),
        (
            "Wrong token type",
            "Another kind of token is expected here.",
            "Check `typ`; use each token where it belongs.",
        ),
    ),
    Code.UNKNOWN_KEY: _problem(
        401,
        ("不认识的密钥", "kid 对应的公钥没有登记，或者已经停用。", "请先登记公钥，或改用已登记的密钥。"),
        (
            "Unknown key",
            "No key is registered under this `kid`, or it was removed.",
            "Register the public key first, or use one that is.",
        ),
    ),
    Code.ALGORITHM_MISMATCH: _problem(
        401,
        ("签名算法不符", "令牌写的算法不是这把密钥登记的算法。", "使用登记时的算法签名。"),
        (
            "Algorithm mismatch",
            "The header's algorithm is not the one that the key's record says.",
            "Sign with the key's own algorithm.",
        ),
    ),
    Code.BAD_SIGNATURE: _problem(
        401,
        ("签名不对", "令牌被改动过，或者不是这把密钥签的。", "不要改动令牌；用登记的私钥重新签名。"),
        (
            "Bad signature",
            "The token was changed, or signed by another key.",
            "Do not alter the token; sign again with the registered key.",
        ),
    ),
    Code.WRONG_AUDIENCE: _problem(
        401,
        ("令牌不是给本系统的", "aud 不是本系统的地址。", "把 aud 写成本系统的地址，只写这一个。"),
        ("Wrong audience", "`aud` is not this broker's address.", "Put this broker's address, alone, into `aud`."),
    ),
    Code.TOKEN_EXPIRED: _problem(
        401,
        ("令牌过期了", "令牌的有效时间已经过去。", "校准时钟，重新签一个。"),
        ("Token expired", "The token's time has passed.", "Check your clock and sign a new one."),
    ),
    Code.TOKEN_NOT_YET_VALID: _problem(
        401,
        ("令牌还没有生效", "iat 或 nbf 在将来。", "校准时钟，重新签一个。"),
        ("Token not yet valid", "`iat` or `nbf` lies in the future.", "Check your clock and sign a new one."),
    ),
    Code.LIFETIME_TOO_LONG: _problem(
        401,
        ("令牌有效时间太长", "这种令牌最多有效 60 秒。", "缩短 exp 与 iat 的间隔。"),
        ("Lifetime too long", "This kind of token may live 60 seconds at most.", "Bring `exp` closer to `iat`."),
    ),
    Code.UNKNOWN_REQUESTER: _problem(
        401,
        ("不认识的机构", "iss 没有登记，或者密钥不是它的。", "核对机构编号，或先登记。"),
        (
            "Unknown requester",
            "`iss` is not registered, or the key is not its own.",
            "Check the requester's id, or register first.",
        ),
    ),
    Code.NOT_SIGNED_IN: _problem(
        401,
        ("请先登录", "没有登录，或者登录已经过期。", "请重新登录。"),
        ("Not signed in", "There is no session, or it has ended.", "Please sign in again."),
    ),
    Code.SIGN_IN_DENIED: _problem(
        403,
        ("没有登录成", "身份平台上没有完成登录，或者本人取消了。", "请再登录一次。"),
        ("Sign-in denied", "The identity provider did not sign you in, or you cancelled.", "Sign in once more."),
    ),
    Code.SIGN_IN_EXPIRED: _problem(
        409,
        ("登录过程作废", "登录过程已经用过、过期，或者不是在这个浏览器里开始的。", "请从本站页面重新登录。"),
        (
            "Sign-in no longer valid",
            "This sign-in was used before, took too long, or was begun in another browser.",
            "Begin again from this site's own page.",
        ),
    ),
    Code.SIGN_IN_FAILED: _problem(
        403,
        (
            "身份平台的回答没有通过核对",
            "签名、收件人、时间或随机数有一样不对，没有采信。",
            "请再登录一次；还不行请联系管理员。",
        ),
        (
            "Identity provider's answer refused",
            "Its signature, audience, time or nonce is not right, so nothing of it was believed.",
            "Sign in once more; if it stays so, tell the operator.",
        ),
    ),
    Code.IDENTITY_INCOMPLETE: _problem(
        403,
        ("身份信息不全", "身份平台没有给出姓名和身份证号，或者号码不对。", "请在身份平台完成实名认证后再登录。"),
        (
            "Identity incomplete",
            "The identity provider did not give a name and a well-formed id-card number.",
            "Complete your real-name registration there, then sign in.",
        ),
    ),
    Code.PROVIDER_UNAVAILABLE: _problem(
        503,
        ("身份平台连不上", "身份平台没有回答，现在不能登录。", "过一会儿再试。"),
        ("Identity provider unavailable", "The identity provider does not answer just now.", "Try again in a while."),
        retry_after=10,
    ),
    Code.CONSENT_UNKNOWN: _problem(
        422,
        ("没有这份授权", "本系统没有收到过这份授权。", "请先让本人在本系统上签署。"),
        ("Unknown consent", "This consent was never granted here.", "Have the person sign it here first."),
    ),
    Code.CONSENT_MISMATCH: _problem(
        422,
        ("授权与给出的内容不一致", "签名的内容不是本系统最后给出的那一份。", "请重新生成待签内容，再由本人签名。"),
        (
            "Consent mismatch",
            "What was signed is not what was last given out to be signed.",
            "Compose again and have the person sign that.",
        ),
    ),
    Code.INVALID_REQUEST: _problem(
        422,
        ("请求内容不对", "有成员缺少、多余，或者取值不合规定。", "按协议检查指出的成员。"),
        (
            "Invalid request",
            "A member is missing, unknown, or of a value that is not allowed.",
            "Check the named member against the protocol.",
        ),
    ),
    Code.UNKNOWN_MATTER: _problem(
        422,
        ("没有这个事项", "目录里没有这个事项。", "从 /v1/catalogue 查看有哪些事项。"),
        ("Unknown matter", "The catalogue has no such matter.", "See /v1/catalogue for the matters there are."),
    ),
    Code.UNKNOWN_ITEM: _problem(
        422,
        (
            "没有这一项",
            "目录里没有这一项，或者这个事项不需要它，或者这里还没有接通它。",
            "从 /v1/catalogue 查看这个事项需要哪些项、哪些已经接通。",
        ),
        (
            "Unknown item",
            "The catalogue has no such item, this matter does not need it, or no department is connected for it here.",
            "See /v1/catalogue for what the matter needs, and which items are `routed`.",
        ),
    ),
    Code.NOT_THE_REQUESTER: _problem(
        403,
        ("不是授权的机构", "本人授权的是另一家机构。", "只能由授权书上的机构使用。"),
        ("Not the requester", "The person authorized another requester.", "Only the requester it names may use it."),
    ),
    Code.NOT_THE_SUBJECT: _problem(
        403,
        ("这不是给您的", "这个请求是发给另一个人的。", "请让本人登录后打开。"),
        ("Not for you", "This request is for another person.", "The person it names has to sign in and open it."),
    ),
    Code.CASE_MISMATCH: _problem(
        403,
        ("业务编号不符", "授权只用于另一笔业务。", "使用授权书上的业务编号。"),
        ("Case mismatch", "The consent is for another case.", "Use it for the case that it names."),
    ),
    Code.MATTER_MISMATCH: _problem(
        403,
        ("事项不符", "授权只用于另一个事项。", "使用授权书上的事项。"),
        ("Matter mismatch", "The consent is for another matter.", "Use it for the matter that it names."),
    ),
    Code.ITEM_NOT_GRANTED: _problem(
        403,
        ("本人没有同意查这一项", "授权里没有这一项，或者没有这个人的授权。", "只查已同意的项，或者请本人另行授权。"),
        (
            "Item not granted",
            "The consents at hand do not cover this item of this person.",
            "Ask for granted items only, or ask the person.",
        ),
    ),
    Code.FIELD_NOT_GRANTED: _problem(
        403,
        ("本人没有同意查这个字段", "请求的字段超出了授权。", "只查已同意的字段。"),
        ("Field not granted", "A field goes beyond what was granted.", "Ask for granted fields only."),
    ),
    Code.POLICY_REFUSED: _problem(
        403,
        ("规则不允许", "共享规则没有允许这次调用，理由见 reasons。", "按理由修改；有疑问请联系管理员。"),
        (
            "Refused by policy",
            "The sharing rules do not permit this call; see `reasons`.",
            "Change the request accordingly, or ask the operator.",
        ),
    ),
    Code.REQUESTER_SUSPENDED: _problem(
        403,
        ("机构已被暂停", "这家机构现在不能调用。", "请联系管理员。"),
        ("Requester suspended", "This requester may not call at present.", "Ask the operator."),
    ),
    Code.FORBIDDEN: _problem(
        403,
        ("不允许", "您不能做这件事，或者请求不是从本站发出的。", "请从本站页面重新操作。"),
        (
            "Forbidden",
            "You may not do this, or the call did not come from this site.",
            "Do it again from this site's own page.",
        ),
    ),
    Code.STEP_UP_REQUIRED: _problem(
        403,
        ("需要再次核实身份", "做这件事需要更可靠的登录。", "请用更高等级的方式重新登录。"),
        ("Step-up required", "This needs a surer sign-in.", "Sign in again in a surer way."),
    ),
    Code.REPLAYED: _problem(
        409,
        ("令牌已经用过", "每个令牌只能用一次。", "重新签一个，jti 不能重复。"),
        ("Replayed", "Each token is accepted once.", "Sign a new one with a fresh `jti`."),
    ),
    Code.CONSENT_WITHDRAWN: _problem(
        409,
        ("授权已撤回", "本人已经撤回这份授权。", "不能再查。如仍需要，请重新征得同意。"),
        (
            "Consent withdrawn",
            "The person has withdrawn this consent.",
            "Nothing more can be asked under it; ask the person anew if needed.",
        ),
    ),
    Code.CONSENT_PAUSED: _problem(
        409,
        ("授权已暂停", "本人暂停了这份授权。", "等本人恢复后再试。"),
        ("Consent paused", "The person has paused this consent.", "Try again once it is resumed."),
    ),
    Code.CONSENT_USED_UP: _problem(
        409,
        ("授权次数用完了", "约定的次数已经用完，或者这次调用不能再重复。", "如仍需要，请重新征得同意。"),
        (
            "Consent used up",
            "The agreed number of uses is spent, or this exchange may not be repeated any more.",
            "Ask the person anew if needed.",
        ),
    ),
    Code.CONSENT_EXPIRED: _problem(
        409,
        ("授权过期了", "授权的有效期已过。", "如仍需要，请重新征得同意。"),
        ("Consent expired", "The consent's time has passed.", "Ask the person anew if needed."),
    ),
    Code.REQUEST_EXPIRED: _problem(
        409,
        ("请求过期了", "这个授权请求已经过期。", "请机构重新发起，或刷新二维码。"),
        ("Request expired", "This authorization request has ended.", "Have the requester renew it."),
    ),
    Code.ALREADY_DECIDED: _problem(
        409,
        ("已经处理过了", "这个请求已经有了结果，不能再改。", "请查看现在的状态。"),
        ("Already decided", "This has been decided and cannot be changed.", "Look at its present state."),
    ),
    Code.EXCHANGE_CONFLICT: _problem(
        409,
        ("调用编号重复但内容不同", "同一个 exchange 编号已经用于另一次调用。", "内容不同就换一个编号。"),
        (
            "Exchange conflict",
            "This `exchange` id already stands for another call.",
            "Use a new id for a different call.",
        ),
    ),
    Code.EXCHANGE_RUNNING: _problem(
        409,
        ("同一次调用还在进行", "这个 exchange 编号的调用还没有结束。", "等它结束后再试。"),
        ("Exchange running", "The first call of this `exchange` is still under way.", "Wait until it has ended."),
        retry_after=2,
    ),
    Code.NOT_FOUND: _problem(
        404,
        ("没有找到", "没有这个地址或对象。", "请检查地址。"),
        ("Not found", "There is no such address or object.", "Check the address."),
    ),
    Code.METHOD_NOT_ALLOWED: _problem(
        405,
        ("方法不对", "这个地址不接受这种方法。", "换用 Allow 里列出的方法。"),
        ("Method not allowed", "This address does not take this method.", "Use a method listed in `Allow`."),
    ),
    Code.TOO_LARGE: _problem(
        413,
        ("内容太大", "请求超过了允许的大小。", "减少一次请求的内容。"),
        ("Too large", "The request is larger than allowed.", "Ask for less at once."),
    ),
    Code.UNSUPPORTED_MEDIA_TYPE: _problem(
        415,
        ("内容类型不对", "Content-Type 不是这里要的类型。", "按协议设置 Content-Type。"),
        ("Unsupported media type", "`Content-Type` is not what this address takes.", "Set it as the protocol says."),
    ),
    Code.RATE_LIMITED: _problem(
        429,
        ("太频繁", "短时间内请求太多。", "稍后再试。"),
        ("Rate limited", "Too many requests in a short time.", "Try again later."),
        retry_after=5,
    ),
    Code.BUSY: _problem(
        503,
        ("系统正忙", "现在请求太多，没有受理。", "稍后再试；没有任何数据被查询。"),
        (
            "Busy",
            "There is too much to do just now; this was not taken on.",
            "Try again shortly. Nothing was released.",
        ),
        retry_after=2,
    ),
    Code.LEDGER_UNAVAILABLE: _problem(
        503,
        ("日志暂时不能写入", "不能记录就不放行数据。", "稍后再试；没有任何数据被放行。"),
        ("Ledger unavailable", "What cannot be recorded is not released.", "Try again later. Nothing was released."),
        retry_after=5,
    ),
    Code.RELEASES_STOPPED: _problem(
        503,
        ("已停止放行", "管理员或部门暂时停止了数据放行。", "等恢复后再试；只停了几项的，去掉这几项还可以查。"),
        (
            "Releases stopped",
            "The operator or a department has stopped releases for now.",
            "Try again once they are started; where only some items are stopped, leave these out.",
        ),
        retry_after=60,
    ),
}


def status_of(refusal: Refusal) -> int:
    """The HTTP status: a token code is 401 for the caller's own token and 422 for the citizen's."""
    status = PROBLEMS[refusal.code].status
    return 422 if status == 401 and refusal.token not in (None, TokenRole.REQUEST) else status  # noqa: PLR2004


def problem_members(refusal: Refusal, *, issuer: str, request_id: str, english: bool) -> dict[str, Any]:
    """The members of the problem document."""
    problem = PROBLEMS[refusal.code]
    words = problem.en if english else problem.zh
    level = refusal.member if refusal.code is Code.STEP_UP_REQUIRED else ""
    at = f" [{refusal.member}]" if refusal.member and not level else ""
    if refusal.stopped:
        at = "".join(_stopped(which, english=english) for which in refusal.stopped)
    members: dict[str, Any] = {
        "type": f"{issuer}/problems/{refusal.code}",
        "title": words.title,
        "status": status_of(refusal),
        "detail": f"{words.cause}{words.remedy}{at}" if not english else f"{words.cause} {words.remedy}{at}",
        "code": str(refusal.code),
        "request_id": request_id,
    }
    if refusal.token is not None:
        members["token"] = str(refusal.token)
    if level:
        members["assurance"] = level
    if refusal.reasons:
        members["reasons"] = list(refusal.reasons)
    if refusal.stopped:
        members["stopped"] = [
            {"item": item, "why": side} for item, _, side in (which.partition(":") for which in refusal.stopped)
        ]
    return members


def _stopped(which: str, *, english: bool) -> str:
    item, _, side = which.partition(":")
    return f" {item}: {STOPPED[side][1]}." if english else f"{item}：{STOPPED[side][0]}。"
