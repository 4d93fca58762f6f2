"""The broker is killed and started again: a cursor goes on where it was, and nothing is told twice or lost."""

from pathlib import Path

import aiohttp

from audit import verify
from broker.client import RequesterClient
from connectors.departments.fleet import Fleet
from connectors.departments.people import XU
from tests.faults.serving import Folder, found, grant, signed_in
from tests.feed.feeding import jti_of


async def consents(folder: Folder, centre: RequesterClient, **asked: int) -> tuple[list[tuple[str, str]], int]:
    """A page of verified events, and its cursor."""
    reply = await centre.events(**asked)
    assert reply.status == 200, reply.members
    for event in reply.members["events"]:
        assert verify.verify_receipt(event["receipt"], folder.vkey).entry.index == event["index"]
        folder.receipts.append(event["receipt"])
    return [(event["event"], event["consent"]) for event in reply.members["events"]], reply.members["cursor"]


async def test_after_a_kill_the_cursor_goes_on(tmp_path: Path, fleet: Fleet) -> None:
    folder = found(tmp_path, fleet)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        centre = folder.centre(http)
        process = folder.start()
        try:
            phone = await signed_in(folder.settings.issuer, XU)
            jti = jti_of(await grant(centre, phone))
            told, cursor = await consents(folder, centre)
            assert told == [("consent.granted", jti)]
            assert (await phone.withdraw(jti)).status == 200
            process.kill()
            process = folder.start()
            told, end = await consents(folder, centre, after=cursor)
            assert told == [("consent.withdrawn", jti)]
            assert await consents(folder, centre, after=end) == ([], end)
            await phone.http.close()
        finally:
            process.end()
    folder.check()
