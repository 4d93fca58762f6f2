"""The exact words a person is shown before signing, from the same needs that the gate enforces.

Wording follows the rules for citizens' texts: short sentences, subject first, no law numbers in the first layer, what
happens if not, numbers in Arabic. Whatever is written here is hashed into the token: a change needs a new version.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from policies.vocabulary import Department, Field, Item, ItemKind, Matter, Need, Scalar

LANGUAGES: Final = ("zh-CN", "en")


@dataclass(frozen=True, slots=True)
class OfferedItem:
    """One line of an offer: the catalogue's item cut to what is asked of this person."""

    item: Item
    department: Department
    need: Need
    fields: tuple[Field, ...]
    required: bool
    params: Mapping[str, str]
    expect: Mapping[str, Scalar]

    @property
    def sensitive(self) -> bool:
        return any(field.sensitive for field in self.fields)


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for all lines: who asks, for which business, how often, until when."""

    requester_zh: str
    requester_en: str
    matter: Matter
    case: str
    uses: int
    days: int
    signed_as: str


_ACTING: Final[Mapping[str, tuple[str, str]]] = {
    "handler": (
        "您是单位的经办人，替单位确认。查的是单位的信息。",
        "You are the organisation's handler and confirm for it. It is its information that is looked up.",
    ),
    "guardian": (
        "您是监护人，替未成年的本人确认。查的是本人的信息。",
        "You are the guardian and confirm for a minor. It is the minor's information that is looked up.",
    ),
    "entrusted": (
        "您受本人委托，替本人确认。查的是本人的信息。",
        "You confirm for somebody who entrusted you. It is that person's information that is looked up.",
    ),
    "assisted": (
        "本人在窗口签了纸质授权书，由您照着录入。只能用一次，一天内有效。",
        "The person signed a paper form at the counter, and you enter it. It is for one use, within a day.",
    ),
}
"""What stands first where somebody acts for the person, in Chinese and English."""


def notice_text(lang: str, terms: Terms, items: Sequence[OfferedItem]) -> str:
    """The notice in one language of LANGUAGES; items in the order of the matter's needs."""
    return _english(terms, items) if lang == "en" else _chinese(terms, items)


def _chinese(terms: Terms, items: Sequence[OfferedItem]) -> str:
    lines = [
        f"{terms.requester_zh} 请您确认",
        *(chinese for chinese, _ in [_ACTING.get(terms.signed_as, ("", ""))] if chinese),
        f"您正在办理：{terms.matter.name_zh}（编号 {terms.case}）",
        "为了少让您交材料，我们想向下面的部门查几项信息。您可以一项一项选。",
    ]
    for number, offered in enumerate(items, 1):
        lines += ["", f"{number}. 向{offered.department.name_zh}查：{offered.item.name_zh}"]
        lines += [f"   {line}" for line in _chinese_item(offered)]
    lines += [
        "",
        f"只用于这一次业务。有效期 {terms.days} 天，最多查 {terms.uses} 次，一次可以包含以上各项。",
        "我们不会把这些信息给别的单位，也不用于别的事。",
        terms.matter.otherwise_zh,
        "您随时可以撤回，也可以看到谁在什么时候查过。",
        "撤回前已经查到并用来作出决定的，不受影响。",
    ]
    return "\n".join(lines) + "\n"


def _chinese_item(offered: OfferedItem) -> list[str]:
    names = "、".join(field.name_zh for field in offered.fields)
    what = f"只核对，不告诉内容：{names}" if offered.item.kind is ItemKind.VERIFY else f"查什么：{names}"
    lines = [what]
    lines += [f"核对的说法：{name}是“{meaning}”" for name, meaning in _claims(offered, english=False)]
    lines += [f"限定：{offered.item.parameters[name].name_zh} {value}" for name, value in offered.params.items()]
    lines += [f"为什么：{offered.need.purpose_zh}", f"留多久：{offered.need.keep_days} 天"]
    lines.append("零材料办理需要这一项；不同意可以改带材料" if offered.required else "这一项可以不选")
    if offered.sensitive:
        lines.append("含敏感信息，请单独确认")
    return lines


def _english(terms: Terms, items: Sequence[OfferedItem]) -> str:
    lines = [
        f"{terms.requester_en} asks you to confirm",
        *(english for _, english in [_ACTING.get(terms.signed_as, ("", ""))] if english),
        f"You are applying for: {terms.matter.name_en} (case {terms.case})",
        "To spare you papers, we would like to look up the following. You can choose one by one.",
    ]
    for number, offered in enumerate(items, 1):
        lines += ["", f"{number}. From {offered.department.name_en}: {offered.item.name_en}"]
        lines += [f"   {line}" for line in _english_item(offered)]
    lines += [
        "",
        f"Only for this one case. Valid for {terms.days} days.",
        f"At most {terms.uses} look-ups; each may cover all of the above.",
        "We pass this on to nobody else and use it for nothing else.",
        terms.matter.otherwise_en,
        "You can withdraw at any time, and see who looked and when.",
        "What was looked up and decided on before that is not undone.",
    ]
    return "\n".join(lines) + "\n"


def _english_item(offered: OfferedItem) -> list[str]:
    names = ", ".join(field.name_en for field in offered.fields)
    what = f"Checked only, content not told: {names}" if offered.item.kind is ItemKind.VERIFY else f"What: {names}"
    lines = [what]
    lines += [f"The statement checked: {name} is “{meaning}”" for name, meaning in _claims(offered, english=True)]
    lines += [f"Limited to: {offered.item.parameters[name].name_en} {value}" for name, value in offered.params.items()]
    lines += [f"Why: {offered.need.purpose_en}", f"Kept for: {offered.need.keep_days} days"]
    lines.append("Needed for applying without papers" if offered.required else "You may leave this out")
    if offered.sensitive:
        lines.append("Holds sensitive information: please confirm it separately")
    return lines


def _claims(offered: OfferedItem, *, english: bool) -> list[tuple[str, str]]:
    claims = []
    for field in offered.fields:
        if field.id in offered.expect:
            value = str(offered.expect[field.id])
            claims.append((field.name_en if english else field.name_zh, field.codes.get(value, value)))
    return claims


_PERSONAL: Final = re.compile(
    r"^(   (?:核对的说法：|限定：|The statement checked: |Limited to: )).*?"
    r"(?=\n   (?:核对的说法：|限定：|为什么：|The statement checked: |Limited to: |Why: ))",
    re.MULTILINE | re.DOTALL,
)
"""To the next line of the notice's own: a claim may itself have lines."""


def masked(text: str) -> str:
    """A notice without what it quotes of the person: claims to be checked, and what the query is limited to."""
    return _PERSONAL.sub(r"\1**", text)
