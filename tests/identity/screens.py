"""What a person does with her browser to sign in: at the provider's page, and with a virtual authenticator."""

from dataclasses import dataclass
from typing import Any

from playwright.async_api import CDPSession, Page

from policies.vocabulary import Person

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@dataclass(frozen=True, slots=True)
class Lock:
    """This browser's own authenticator (WebDriver extension, WebAuthn section 11)."""

    cdp: CDPSession
    id: str

    async def verifies(self, *, user: bool) -> None:
        """Whether the finger is the right one from here on."""
        await self.cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": user})

    async def passkeys(self) -> list[dict[str, Any]]:
        found = await self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        return list(found["credentials"])

    async def take(self, credential: dict[str, Any]) -> None:
        """A passkey that a password manager brought from another device."""
        await self.cdp.send("WebAuthn.addCredential", {"authenticatorId": self.id, "credential": credential})


async def with_lock(page: Page) -> Lock:
    cdp = await page.context.new_cdp_session(page)
    await cdp.send("WebAuthn.enable")
    added = await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return Lock(cdp, added["authenticatorId"])


async def at_provider(page: Page, person: Person, level: str | None = None) -> None:
    """From our page to the provider's, and back."""
    await page.click("#provider")
    await page.wait_for_selector("text=测试身份提供方 TEST ONLY")
    if level is not None:
        await page.select_option("#level", level)
    await page.fill("#name", person.name)
    await page.fill("#id_number", person.id_number)
    await page.click("#go")
    await page.wait_for_selector("header.top")


async def add_passkey(page: Page, issuer: str) -> None:
    await page.goto(f"{issuer}/me/devices")
    before = await page.locator(".passkey").count()
    await page.click("#add-passkey")
    await page.wait_for_selector(f".passkey >> nth={before}")


async def sign_out(page: Page) -> None:
    await page.click(".leaving button")
    await page.wait_for_selector("text=您已经退出登录")
