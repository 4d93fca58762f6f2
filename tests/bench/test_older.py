"""What is put into a broker before it is measured: as many of everything as asked for, in a log that verifies."""

from pathlib import Path

from sqlalchemy import func, select

from bench.beside.older import fill
from bench.proof import verify_log
from broker import tables as broker_tables
from broker.founding import CONFIGURATION, found_broker
from broker.keys import read_keys
from broker.settings import read_settings
from broker.wiring import open_storage
from consent import tables

COUNT = 60


def test_so_many_of_each(tmp_path: Path) -> None:
    folder = tmp_path / "broker"
    found_broker(folder, issuer="http://127.0.0.1:8400")
    settings = read_settings(folder / CONFIGURATION)
    keys = read_keys(settings.secrets, settings.log_origin)
    before = verify_log(folder, tmp_path / "before", keys.log.vkey, 0)
    fill(folder, COUNT, lambda _: None)
    database, storage = open_storage(settings, keys)
    with storage.reader.begin() as connection:
        for table in (tables.request, tables.grant, broker_tables.exchange):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == COUNT, table.name
        ids = connection.execute(select(tables.grant.c.jti)).scalars().all()
        assert len({one[0] for one in ids}) > COUNT * 0.9, "keys lie over the whole range, one beside the other"
    storage.ledger.close()
    database.close()
    assert verify_log(folder, tmp_path / "after", keys.log.vkey, 0) == before + COUNT
