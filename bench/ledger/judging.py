"""How long the auditor's unusual lists of one month take, in a log that spans two years."""

import time

from sqlalchemy import Connection, func, select

from audit import tables
from broker.auditing.unusual import unusual
from broker.auditing.unusual_rows import read_month
from broker.unusual_settings import UnusualFile
from policies.workdays import MONDAY_TO_FRIDAY

MONTH = 30 * 86_400 * 1_000_000


def unusual_time(connection: Connection) -> float:
    """Milliseconds for the month before the newest entry."""
    now: int = connection.execute(select(func.max(tables.index.c.time))).scalar_one()
    began = time.perf_counter()
    unusual(read_month(connection, now - MONTH, now, now, MONDAY_TO_FRIDAY), UnusualFile())
    return (time.perf_counter() - began) * 1000
