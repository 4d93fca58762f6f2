"""The story's end: who looked, and the whole log verified, unaltered and altered."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from audit import tiles, verify
from audit.batch import Transaction
from audit.events import ExchangeReleased, LogExported
from broker.demo.asking import OPERATOR, USES
from broker.demo.forgery import export_altered
from broker.demo.report import Report, Told, answered, check
from broker.demo.stage import CENTRE, DATABASE, Stage, opened_storage
from broker.wiring import log_size

EXPORT: Final = "export"
_ANOTHER_CLERK: Final = "clerk-99"


async def see_accesses(stage: Stage) -> Told[None]:
    """Every call that concerned Mr Xu, each with a proof that he can check without the broker."""
    accesses = answered(await stage.phone.get("/v1/me/accesses"), 200)["accesses"]
    for access in accesses:
        entry = verify.verify_receipt({"entry": access["entry"], "proof": access["proof"]}, stage.vkey).entry
        check((entry.index, entry.event) == (access["index"], access["event"]), "each proof should be of its own entry")
    released = [one for one in accesses if (one["event"], one["requester"]) == (ExchangeReleased.NAME, CENTRE.id)]
    check(len(released) == USES, f"Mr Xu should see {USES} releases, he sees {len(released)}")
    told = f"{len(accesses)} 次调用，都有证明 {len(accesses)} calls, every proof verified"
    return Told(None, told, _access_table(accesses))


async def verify_log(report: Report, stage: Stage) -> Told[None]:
    """Export beside the running server, then check the folder against the pinned key with no server code."""
    folder = stage.folder / EXPORT
    await asyncio.to_thread(_export, stage, folder)
    found = verify.verify_export(folder, stage.vkey).checkpoint
    report.verification |= {"ok": True, "size": found.size, "root": found.root.hex(), "origin": found.origin}
    return Told(None, f"{found.size} 条全部核对无误 all {found.size} entries verified, root {found.root.hex()[:16]}…")


async def alter_copy(report: Report, stage: Stage, receipt: verify.VerifiedReceipt, folder: Path) -> Told[None]:
    """Name another clerk in the entry that the centre's receipt is about: the verifier must point at that entry."""
    database, index = stage.folder / DATABASE, receipt.entry.index
    words = (OPERATOR["id"].encode(), _ANOTHER_CLERK.encode())
    await asyncio.to_thread(export_altered, database, index, words, folder, stage.vkey)
    found: verify.VerificationError | None = None
    try:
        verify.verify_export(folder, stage.vkey)
    except verify.VerificationError as error:
        found = error
    entry = found.first_bad_entry if found is not None else None
    report.verification["altered"] = {"detected": found is not None, "entry": entry}
    check(entry == index, f"the verifier should name entry {index}, it named {entry}")
    return Told(None, f"副本里改了一行，核验指出第 {entry} 条 one row altered in a copy: {found}")


def _export(stage: Stage, folder: Path) -> None:
    """What `broker audit export` does: that the log was exported is itself in the log."""

    def note(transaction: Transaction) -> None:
        transaction.append(LogExported(size=log_size(transaction.connection)))

    with opened_storage(stage.settings) as storage:
        storage.ledger.record(note).result()
        with storage.reader.begin() as connection:
            tiles.export(connection, folder, stage.vkey)


def _access_table(accesses: list[Mapping[str, Any]]) -> Table:
    table = Table("时间 when", "机构/窗口 who, desk", "结果 what came of it", "项 items")
    for access in accesses:
        operator = access["operator"] or {}
        who = Text(f"{access['requester']} {operator.get('id', '')} {operator.get('desk', '')}")
        came = Text(access["code"] or "released", style="yellow" if access["code"] else "green")
        table.add_row(access["time"][:19], who, came, str(len(access["items"]) or "-"))
    return table
