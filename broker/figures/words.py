"""What each figure is called, and the rule by which it is counted, printed beside it: Chinese, then English."""

from collections.abc import Mapping
from typing import Final

from broker.plain_words import Words

TITLES: Final[Mapping[str, Words]] = {
    "call": ("查询次数", "Look-ups"),
    "call/department": ("向哪些部门查", "Look-ups by department"),
    "call/item": ("查了哪些信息", "Look-ups by item"),
    "call/outcome": ("各部门怎么答的", "Answers by department"),
    "call/matter": ("为哪些业务查", "Look-ups by matter"),
    "call/channel": ("本人怎么授权的", "Look-ups by channel of consent"),
    "call/pair": ("从哪个城市查到哪个城市", "Look-ups between cities"),
    "consent/act": ("授权", "Consents"),
    "case": ("办结的业务", "Decided cases"),
    "case/matter": ("办结了哪些业务", "Decided cases by matter"),
    "case/decision": ("办结的结果", "Decisions"),
    "case/material": ("零材料", "No papers"),
    "case/errand": ("零跑腿", "No trips"),
    "case/meeting": ("零见面", "No meetings"),
    "case/risk": ("零风险", "No risks"),
    "case/amount": ("贷款和提取的金额", "Loans and amounts"),
    "paper": ("没有要的材料", "Papers not asked for"),
    "trip": ("不用跑的路", "Trips not travelled"),
    "trip/distance": ("不用跑的路：公里", "Trips not travelled: kilometres"),
    "answer_time": ("等部门答复", "Waiting for departments"),
    "case_time": ("从签名到办结", "From signature to decision"),
}

RULES: Final[Mapping[str, Words]] = {
    "call": (
        "一个人的一项信息向一个部门问一次，算一次。同一次里还在等的，不重复算。",
        "One item of one person, asked of one department, counts once. What is still waited for is not counted twice.",
    ),
    "call/outcome": (
        "按第一次给出的结果算。“查不到”“暂时查不了”“不允许查”分开算。",
        "By the first result. “No record”, “could not be asked” and “may not be asked” are counted apart.",
    ),
    "call/channel": (
        "按这一项所用授权的签署方式算。",
        "By how the consent behind it was given.",
    ),
    "call/pair": (
        "从办理机构所在城市，到答复部门所在城市。城市来自一份审核过的表，表里没有的算“没有登记”。",
        "From the city of the office to the city that answers, by a reviewed table; what is not in it is “not listed”.",
    ),
    "consent/act": (
        "签了、没同意、撤回，各算一次。没有理会的请求不算。",
        "Each signature, each no and each withdrawal counts once. Requests that nobody answered do not.",
    ),
    "case": (
        "办理机构第一次报告“同意”或“不同意”时算办结。退回不算。没有报告的不在内。",
        "Decided when the office first reports an approval or a refusal. Returned or unreported cases are not in it.",
    ),
    "case/material": (
        "事项目录里的每样材料，都由本案查到的信息代替或者已经取消，才算零材料。没有问到的材料不算代替。",
        "Every paper is replaced by an item found in this case, or abolished. What was not asked replaces nothing.",
    ),
    "case/errand": (
        "没有在窗口授权，也没有材料要另交，才算零跑腿。另交的材料可能是网上传的，所以只会少算。",
        "No consent at a counter and no paper left to hand in. Some may be uploaded: this errs on the low side.",
    ),
    "case/meeting": (
        "没有一份授权是在窗口或由工作人员当面办的。",
        "No consent was given at a counter or in the presence of a clerk.",
    ),
    "case/risk": (
        "办理中没有一次查询被拒绝，也没有一项核对不一致。",
        "No look-up of the case was refused, and no check came out as a mismatch.",
    ),
    "case/amount": (
        "只算办理机构报告了金额的，按千元取整报告。",
        "Only where the office reports an amount, which it does in whole thousands of yuan.",
    ),
    "paper": (
        "一项信息查到了，目录里由它代替的材料就不用交。一案里一人一项只算一次。",
        "Where an item was found, the papers that it replaces are not asked for. It counts once a person and case.",
    ),
    "trip": (
        "一案里，每个答复了、代替了材料的部门，算少跑一趟来回。",
        "In each case, each department whose answer replaced a paper counts as one way there and back not made.",
    ),
    "trip/distance": (
        "公里数是两地距离的两倍，来自审核过的表。表里没有的不估。",
        "Twice the distance between the two cities in a reviewed table. What is not in the table is not guessed.",
    ),
    "answer_time": (
        "从发起查询到给出答案，取平均。晚到的答案单独算一次。",
        "From asking to answering, on average. An answer that came later counts on its own.",
    ),
    "case_time": (
        "从本案第一份授权签名到办结，取平均。",
        "From the first signature of the case to its decision, on average.",
    ),
}
"""A table without a rule of its own goes by its measure's."""

ROWS: Final[Mapping[str, Mapping[str, Words]]] = {
    "outcome": {
        "found": ("查到了", "found"),
        "mismatch": ("核对不一致", "did not match"),
        "no_record": ("查不到", "no record"),
        "trouble": ("暂时查不了", "could not be asked for now"),
        "denied": ("不允许查", "may not be asked"),
        "later": ("晚些答复", "answered later"),
        "withheld": ("没有给出", "not given out"),
    },
    "channel": {
        "online": ("本人在手机或电脑上", "online"),
        "counter": ("本人在窗口", "at a counter"),
        "guardian": ("监护人", "by a guardian"),
        "entrusted": ("委托的人", "by an entrusted helper"),
        "assisted": ("窗口凭纸质授权书", "on paper, entered by a clerk"),
    },
    "act": {
        "granted": ("签了授权", "granted"),
        "declined": ("没有同意", "declined"),
        "withdrawn": ("撤回了授权", "withdrawn"),
    },
    "decision": {"approved": ("同意", "approved"), "refused": ("不同意", "refused")},
    "material": {
        "zero": ("零材料", "no papers"),
        "kept": ("事项还要纸质材料", "the matter still keeps a paper"),
        "declined": ("本人没有同意查，改交材料", "the person chose to bring papers"),
        "unanswered": ("没有查到，要交材料", "not found, so papers are needed"),
        "not_asked": ("有材料没有通过这里查", "a paper's item was not asked here"),
        "promised": ("用承诺代替", "a promise stands for it"),
        "unknown_matter": ("事项已经不在目录里", "the matter left the catalogue"),
    },
    "errand": {
        "zero": ("零跑腿", "no trips"),
        "counter": ("在窗口授权", "consent at a counter"),
        "assisted": ("窗口凭纸质授权书", "on paper, with a clerk"),
        "paper_left": ("还有材料要另交", "papers left to hand in"),
    },
    "meeting": {
        "zero": ("零见面", "no meetings"),
        "counter": ("在窗口授权", "consent at a counter"),
        "assisted": ("窗口凭纸质授权书", "on paper, with a clerk"),
    },
    "risk": {
        "zero": ("零风险", "no risks"),
        "refused": ("有查询被拒绝", "a look-up was refused"),
        "mismatch": ("有核对不一致", "a check did not match"),
    },
    "amount": {"reported": ("报告了金额", "amount reported"), "none": ("没有金额", "no amount")},
    "distance": {"known": ("距离有登记", "distance listed"), "unknown": ("距离没有登记", "distance not listed")},
}
"""By view, the words of rows that are nobody's id."""
NOT_LISTED: Final[Words] = ("没有登记", "not listed")
