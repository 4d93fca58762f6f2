"""What a citizen does with her browser: signs in, ticks, agrees, withdraws; and an office that asks her."""

from dataclasses import dataclass
from typing import Any

from playwright.async_api import Page

from broker.client import RequesterClient
from connectors.departments.people import XU
from policies.vocabulary import Person
from tests.browser.conftest import Visit
from tests.world import World, letters


@dataclass(frozen=True, slots=True)
class Asked:
    """One office's request to one person, and the link that she gets."""

    centre: RequesterClient
    request: str
    case: str
    path: str


@dataclass
class Hand:
    """A finger on the page: it counts its taps."""

    page: Page
    taps: int = 0

    async def tap(self, selector: str) -> None:
        await self.page.click(selector)
        self.taps += 1


async def ask(town: World, person: Person = XU, **members: Any) -> Asked:
    """File a request from an office of its own."""
    centre = await town.centre(f"hpf-{letters()[:12]}")
    case = f"YZ-{letters()[:12]}"
    request, ticket = await town.ask(centre, person, case=case, **members)
    return Asked(centre, request, case, f"/a/{ticket}")


async def opened(visit: Visit, town: World, **members: Any) -> tuple[Asked, Page]:
    """A request on the screen of the person it is for."""
    asked = await ask(town, **members)
    page = visit.page
    given = {"name": XU.name, "id_number": XU.id_number, "level": "high"}
    await page.request.post(f"{visit.issuer}/v1/session/test", data=given, headers={"Origin": visit.issuer})
    await visit.open(asked.path)
    return asked, page


async def sign_in(page: Page, person: Person = XU, level: str = "high") -> None:
    """Fill in the form that the page shows in the place of itself."""
    await page.fill("#name", person.name)
    await page.fill("#id_number", person.id_number)
    await page.select_option("#level", level)
    await page.click("form[action^='/sign-in'] button")
    await page.wait_for_load_state()


async def tick(page: Page, selector: str = ".tick input") -> None:
    for box in await page.locator(selector).all():
        await box.check()


async def agree(page: Page, selector: str = ".tick input") -> None:
    """From the first screen to the receipt."""
    await to_sign(page, selector)
    await page.click("#confirm")
    await page.wait_for_selector("#done", state="visible")


async def to_sign(page: Page, selector: str = ".tick input") -> None:
    """To the second screen."""
    await page.wait_for_selector("#agree:enabled")
    await tick(page, selector)
    await page.click("#agree")
    await page.wait_for_selector("#sign", state="visible")


def mine(asked: Asked) -> str:
    """The authorization of this case on the page /me."""
    return f"article:has-text('{asked.case}')"


async def status(asked: Asked) -> str:
    return str((await asked.centre.read(asked.request)).members["status"])


async def pull(town: World, asked: Asked, consent: str) -> str:
    """The code of the refusal, or `released`."""
    reply = await town.pull(asked.centre, consent, case=asked.case)
    return "released" if reply.status == 200 else str(reply.members["code"])


def recorded(town: World, asked: Asked, event: str) -> list[dict[str, Any]]:
    """What the log holds of this case under one event."""
    found = [entry for entry in town.entries() if entry["event"] == event]
    return [entry["body"] for entry in found if entry["body"]["case"] == asked.case]
