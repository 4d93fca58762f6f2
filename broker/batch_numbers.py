"""The numbers of batch files, counted in the broker's database so that no two processes give the same one."""

from sqlalchemy import insert, select, update

from audit.batch import Transaction
from broker import tables


def next_number(transaction: Transaction, route: str, day: str) -> int:
    """A unit of work without entries: the next number of this route's day."""
    table = tables.batch_number
    mine = (table.c.route == route, table.c.day == day)
    last = transaction.connection.execute(select(table.c.number).where(*mine)).scalar_one_or_none()
    if last is None:
        transaction.connection.execute(insert(table).values(route=route, day=day, number=1))
        return 1
    transaction.connection.execute(update(table).where(*mine).values(number=last + 1))
    return int(last) + 1
