"""Walking through a matter in the citizen's or the clerk's shoes: a made-up person, real servers, a step at a time.

Each step shows what she sees and then waits for her word; how long that took is what the walk measures. Only where
anybody may sign in as anybody, which is never where real people are.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from secrets import choice
from string import ascii_lowercase
from typing import Any, Final

from broker.client import Reply, RequesterClient
from broker.demo.phone import Phone, ticket_of
from broker.plain_words import OUTCOMES, Words

CLERK: Final = {"id": "walk", "name": "走流程", "desk": "走流程"}
OK: Final = range(200, 300)


class Stopped(Exception):
    """The broker refused a step, which is worth knowing too; the text is the problem's code."""


@dataclass(frozen=True, slots=True)
class Step:
    """`look` does what comes by itself and says what is seen; `act` takes her word. ValueError: not understood."""

    id: str
    title: Words
    look: Callable[[], Awaitable[str]]
    act: Callable[[str], Awaitable[None]]
    question: Words = ("看完按回车", "Enter when done")


@dataclass(slots=True)
class Walk:
    """One way through one matter."""

    centre: RequesterClient
    phone: Phone
    matter: str
    case: str = field(default_factory=lambda: f"WALK-{_letters(12)}")
    request: str = ""
    link: str = ""
    items: list[str] = field(default_factory=list)
    chosen: list[str] = field(default_factory=list)
    exchange: str = field(default_factory=lambda: f"walk-{_letters(12)}")

    def steps(self, role: str) -> Sequence[Step]:
        """What a citizen or a clerk does, in order."""
        if role == "clerk":
            return (
                Step("file", ("发起请求", "File the request"), self._announce, self._file, _ENTER),
                Step("wait", ("等本人确认", "Wait for the person"), self._show_link, self._agree, _ENTER),
                Step("look_up", ("查询，看结果", "Look up, read the results"), self._pull, _nothing),
                Step("decide", ("报告结果", "Report the decision"), self._before_deciding, self._decide, _DECIDE),
            )
        return (
            Step("read", ("打开链接，读告知书", "Open the link, read the notice"), self._read, _nothing),
            Step("choose", ("一项一项选", "Choose one by one"), self._list, self._choose, _CHOOSE),
            Step("sign", ("签名", "Sign"), self._before_signing, self._sign, _ENTER),
            Step("see", ("看谁查过我", "See who looked"), self._see, _nothing),
            Step("withdraw", ("撤回", "Withdraw"), self._before_withdrawing, self._withdraw, _WITHDRAW),
        )

    async def _announce(self) -> str:
        return f"{self.matter} · {self.case} · {self.phone.person.name}"

    async def _file(self, _: str) -> None:
        subject = {"name": self.phone.person.name, "id_number": self.phone.person.id_number}
        filed = _done(await self.centre.file(matter=self.matter, case=self.case, subject=subject, operator=CLERK))
        self.request, self.link = filed["id"], filed["consent_url"]

    async def _show_link(self) -> str:
        return self.link

    async def _read(self) -> str:
        await self._file("")
        return str((await self._open())["notice_text"])

    async def _open(self) -> Mapping[str, Any]:
        _done(await self.phone.sign_in())
        _done(await self.phone.enrol())
        offer = _done(await self.phone.open(ticket_of(self.link)))
        self.items = [line["item"] for line in offer["items"]]
        self.chosen = list(self.items)
        return offer

    async def _list(self) -> str:
        return "\n".join(f"{number} {item}" for number, item in enumerate(self.items, 1))

    async def _choose(self, word: str) -> None:
        numbers = [int(one) for one in word.split()]
        if any(not 0 <= one <= len(self.items) for one in numbers):
            raise ValueError(word)
        if numbers:
            self.chosen = [item for number, item in enumerate(self.items, 1) if number in numbers]

    async def _before_signing(self) -> str:
        return "\n".join(self.chosen) or "（都不同意 none of them）"

    async def _sign(self, _: str) -> None:
        ticket = ticket_of(self.link)
        if self.chosen:
            _done(await self.phone.agree(ticket, list(self.chosen)))
        else:
            _done(await self.phone.post(f"/v1/me/requests/{ticket}/decline"))

    async def _agree(self, _: str) -> None:
        await self._open()
        await self._sign("")

    async def _pull(self) -> str:
        consent = _done(await self.centre.read(self.request)).get("consent")
        if consent is None:
            return "没有授权，不能查。 No consent, no look-up."
        asked = {"exchange": self.exchange, "consents": [consent], "matter": self.matter, "case": self.case}
        return _told(_done(await self.centre.exchange(**asked, operator=CLERK))["results"])

    async def _see(self) -> str:
        await self._pull()
        accesses = _done(await self.phone.get("/v1/me/accesses"))["accesses"]
        return _told([one for access in accesses[:1] for one in access["items"]])

    async def _before_deciding(self) -> str:
        return self.case

    async def _decide(self, word: str) -> None:
        if word not in ("approved", "refused", "returned"):
            raise ValueError(word)
        _done(await self.centre.tell(self.exchange, event="decided", decision=word, operator=CLERK))

    async def _before_withdrawing(self) -> str:
        return "、".join(self.chosen)

    async def _withdraw(self, word: str) -> None:
        if word != "y" or not self.chosen:
            return
        for consent in _done(await self.phone.get("/v1/me/consents"))["consents"]:
            if consent["case"] == self.case:
                _done(await self.phone.withdraw(consent["jti"]))


_ENTER: Final = ("按回车继续", "Enter to go on")
_CHOOSE: Final = ("同意哪几项，如 1 3；回车是全部，0 是都不同意", "Which, such as 1 3; Enter for all, 0 for none")
_DECIDE: Final = ("approved、refused 还是 returned", "approved, refused or returned")
_WITHDRAW: Final = ("撤回就按 y 回车", "y and Enter to withdraw")


async def _nothing(_: str) -> None:
    """There is nothing to say but that she has seen it."""


def _told(results: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(f"{one['item']}: {OUTCOMES.get(one['outcome'], (str(one['outcome']),))[0]}" for one in results)


def _done(reply: Reply) -> Mapping[str, Any]:
    if reply.status not in OK:
        raise Stopped(reply.code or str(reply.status))
    return reply.members


def _letters(number: int) -> str:
    """Letters only: digits in a row could look like somebody's number."""
    return "".join(choice(ascii_lowercase) for _ in range(number))
