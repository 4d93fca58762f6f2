"""Asking departments that answer late, at the connectors themselves: ask, then look again until it is decided."""

import asyncio
import itertools
import time
from pathlib import Path

from connectors.contract import Answer, Question
from connectors.departments.late_fleet import LateFleet
from connectors.directory import Directory
from connectors.memory import OwnMemory
from connectors.routes import read_routes
from policies.vocabulary import Outcome
from tests.connectors.asking import ITEMS

ITEM_OF = {
    "civil-affairs-soap": "marriage_check_single",
    "ticket-platform": "real_estate_registration",
    "pushing-office": "hpf_remote_account",
    "tax-files-sftp": "deed_tax",
    "tax-files-folder": "deed_tax",
    "tax-tables": "deed_tax",
    "tax-manual": "deed_tax",
}
DEPARTMENT_OF = {
    "civil-affairs-soap": "civil_affairs_soap",
    "ticket-platform": "ticket_platform",
    "pushing-office": "pushing_office",
    "tax-files-sftp": "nightly_files",
    "tax-files-folder": "nightly_files",
    "tax-tables": "tax_tables",
}
PATIENCE = 4.0


class Counted(OwnMemory):
    """The memory of one process and one life, whose batch numbers no other's files have: the folders are shared."""

    _given = itertools.count(1)

    def __init__(self) -> None:
        super().__init__(time.time)

    async def number(self, route: str, day: str) -> int:
        del route, day
        return next(self._given)


def load(fleet: LateFleet, file: Path, *routes: str, deadline: float | None = None) -> Directory:
    text = fleet.write_routes(file, *routes).read_text(encoding="utf-8")
    if deadline is not None:
        for usual in ("deadline_seconds: 3", "deadline_seconds: 2"):
            text = text.replace(usual, f"deadline_seconds: {deadline}")
    file.write_text(text, encoding="utf-8")
    return Directory.open(read_routes(file, ITEMS, fleet.secrets_folder), Counted())


async def settled(directory: Directory, asked: Question, patience: float = PATIENCE) -> Answer:
    """What it comes to within so many seconds: `pending` if nothing."""
    answer = await directory.ask(asked)
    until = time.monotonic() + patience
    while answer.outcome is Outcome.PENDING and time.monotonic() < until:
        assert answer.ticket is not None
        await asyncio.sleep(0.1)
        answer = await directory.carry_on(asked, answer.route, answer.ticket)
    return answer
