"""Hands that have a keyboard and no mouse: they press keys and see where the focus is."""

from dataclasses import dataclass

from playwright.async_api import Page

from policies.vocabulary import Person
from tests.desk.counters import CLERK, PIN, Counter

FOCUSED = """(() => {
  const at = document.activeElement;
  return [at.id || at.name || at.textContent.trim().slice(0, 40), parseFloat(getComputedStyle(at).outlineWidth) || 0];
})()"""


@dataclass
class Keyboard:
    """Every action is a key press; `goto` is used once, for the address that stands on the clerk's desk."""

    page: Page

    async def open(self, counter: Counter, address: str = "/") -> None:
        await self.page.goto(f"{counter.address}{address}")
        await self.settle()

    async def type(self, text: str) -> None:
        """As a person or a scanner does."""
        await self.page.keyboard.type(text)

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.page.keyboard.press(key)

    async def send(self, *keys: str) -> None:
        """Press keys of which the last leads to another page."""
        async with self.page.expect_navigation():
            await self.press(*keys)
        await self.settle()

    async def settle(self) -> None:
        """Where the page sets the focus, hands wait for it; a browser does so only when it first draws."""
        await self.page.wait_for_function(
            "!document.querySelector('[autofocus]') || document.activeElement !== document.body"
        )

    async def focus(self) -> str:
        name, _ = await self.page.evaluate(FOCUSED)
        return str(name)

    async def tab_to(self, selector: str, most: int = 80) -> None:
        """Tab until the element has the focus."""
        for _ in range(most):
            if await self.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
            await self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab never came to {selector}")

    async def sign_in(self, counter: Counter, clerk: tuple[str, str] = CLERK, lang: str = "") -> None:
        await self.open(counter, f"/sign-in{lang}")
        await self.type(clerk[0])
        await self.press("Tab")
        await self.type(PIN)
        await self.send("Enter")

    async def start_case(self, person: Person) -> str:
        """From the work list to the new case's number, typed as a scanner does: Enter after each field."""
        await self.send("1")
        await self.type(person.name)
        await self.press("Enter")
        await self.type(person.id_number)
        await self.send("Enter")
        if await self.page.is_visible("#known"):  # what an earlier test left open is shown first
            await self.tab_to("#start")
            await self.send("Enter")
        return self.page.url.rsplit("/", 1)[1].partition("?")[0]

    async def text(self, selector: str = "main") -> str:
        return await self.page.inner_text(selector)
