"""A window that nobody sits at locks itself, in the page and in the program, and no code's screen keeps it open."""

from pathlib import Path

import pytest
from playwright.async_api import Browser
from sqlalchemy import Connection, func, select, update

from broker.desk import sessions, tables
from broker.desk.clerks import Clerk, add
from broker.desk.store import Store
from connectors.departments.people import OLD_FORM
from tests.desk.conftest import seated
from tests.desk.counters import PIN, Counter
from tests.desk.forms import Clerk as ClerkAtForms
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")

IDLE = 600


async def test_after_so_long_without_a_key_a_session_is_locked(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "desk.db")
    clerk = store.now(lambda connection: add(connection, "w-1", "陈科员", PIN))
    secret = store.now(lambda connection: sessions.begin(connection, clerk, "1号", 1000))

    def found(now: int) -> sessions.Session:
        return store.now(lambda connection: sessions.find(connection, secret, now, IDLE))

    assert not found(1000 + IDLE).locked
    assert found(1001 + IDLE).locked
    session = found(1500)
    store.now(lambda connection: sessions.touch(connection, session, 1500))
    assert not found(1500 + IDLE).locked
    assert found(1000).clerk == Clerk("w-1", "陈科员")
    store.close()


async def test_the_page_of_an_empty_chair_is_the_lock(browser: Browser, counter: Counter, town: World) -> None:
    async with seated(browser, counter) as seat:
        await seat.page.clock.install()
        await seat.keys.sign_in(counter)
        await seat.page.clock.fast_forward((IDLE - 5) * 1000)
        assert await seat.keys.text("h1") == "我的业务"
        await seat.keys.press("Escape")
        await seat.page.clock.fast_forward((IDLE - 5) * 1000)
        assert await seat.keys.text("h1") == "我的业务", "a key was pressed"
        await seat.page.clock.fast_forward(6 * 1000)
        await seat.page.wait_for_selector("#pin")
        assert await seat.keys.text("h1") == "窗口已锁定"


def seen(connection: Connection) -> int:
    return int(connection.execute(select(func.max(tables.session.c.seen))).scalar_one())


async def test_listening_keeps_no_window_open(counter: Counter, town: World) -> None:
    clerk = ClerkAtForms(town.http, counter)
    await clerk.sign_in()
    case = await clerk.start(OLD_FORM)
    store = Store(counter.folder / "desk.db")
    quiet = update(tables.session).values(seen=tables.session.c.seen - 60)
    store.now(lambda connection: connection.execute(quiet))
    before = store.now(seen)
    async with town.http.get(f"{counter.address}/cases/{case}/live", headers=clerk.cookies) as stream:
        assert (await stream.content.readline()).startswith(b"retry")
    assert store.now(seen) == before, "listening is no key pressed"
    assert (await clerk.send("/awake")).status == 204
    assert store.now(seen) >= before + 60
    store.close()
    await clerk.send("/lock")
    assert (await clerk.send("/awake")).status == 423
    assert (await clerk.get("/cases/YZ-2026-000001/live")).status == 423
