"""What the person thought of it, 1 to 5: kept at the desk, and a low one becomes a task with a due date."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, insert, select, update

from broker.desk import tables
from broker.desk.cases import DAY, Case, change
from broker.desk.clerks import Clerk
from broker.desk.refusals import Refused, Why
from broker.desk.wiring import Desk

SCALE: Final = range(1, 6)
LOW: Final = 2
ANSWER_WITHIN: Final = 5 * DAY
"""Seconds for somebody to call back whoever was not content."""
LONGEST_NOTE: Final = 500


@dataclass(frozen=True, slots=True)
class Task:
    id: int
    case: str
    opened: int
    due: int


def rate(connection: Connection, case: Case, rating: int, now: int) -> None:
    """Once for each case. Raises Refused(invalid_request | wrong_stage)."""
    case.must_be("decided")
    if rating not in SCALE:
        raise Refused(Why.INVALID, "rating")
    if case.rating is not None:
        raise Refused(Why.WRONG_STAGE, case.stage)
    change(connection, case.number, rating=rating)
    if rating <= LOW:
        values = {"case": case.number, "clerk": case.clerk, "opened": now, "due": now + ANSWER_WITHIN}
        connection.execute(insert(tables.task).values(**values))


def open_tasks(connection: Connection, clerk: Clerk) -> list[Task]:
    table = tables.task
    mine = table.c.clerk == clerk.number, table.c.done.is_(None)
    rows = connection.execute(select(table).where(*mine).order_by(table.c.due))
    return [Task(row.id, row.case, row.opened, row.due) for row in rows]


def finish(connection: Connection, desk: Desk, clerk: Clerk, task: int, note: str) -> None:
    """With a note of what was done. Raises Refused(invalid_request | not_found)."""
    note = note.strip()
    if not 0 < len(note) <= LONGEST_NOTE:
        raise Refused(Why.INVALID, "note")
    table = tables.task
    mine = table.c.id == task, table.c.clerk == clerk.number, table.c.done.is_(None)
    changed = connection.execute(
        update(table).where(*mine).values(done=desk.now(), sealed_note=desk.settings.vault.seal(f"task/{task}", note))
    )
    if not changed.rowcount:
        raise Refused(Why.NOT_FOUND)
