"""The servers' file as a real server reads it, and that the broker takes such a server."""

from pathlib import Path

from broker.postgresql import PostgresqlDatabase
from tests.postgresql import address_of, cluster

FILE = Path(__file__).resolve().parents[2] / "broker" / "deployment" / "postgresql" / "primary.conf"
HERE = {"listen_addresses": "listen_addresses = ''", "ssl": "ssl = off", "archive_mode": "archive_mode = off"}
"""What needs another machine, a certificate or a folder of its own."""
STANDBYS = "synchronous_standby_names"
WRONG = "SELECT name FROM pg_file_settings WHERE error IS NOT NULL AND sourcefile LIKE '%/broker.conf'"


def test_a_server_runs_by_it() -> None:
    given = FILE.read_text(encoding="utf-8").splitlines()
    lines = [HERE.get(line.split(" =")[0], line) for line in given]
    # Nobody stands by here: a commit would wait for ever
    alone = [line for line in lines if not line.startswith(STANDBYS)]
    with cluster() as own:
        folder = own.folder / "data"
        (folder / "broker.conf").write_text("\n".join(alone) + "\n", encoding="utf-8")
        (folder / "broker.conf").chmod(0o644)
        with (folder / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("include 'broker.conf'\n")
        own.restart()
        assert own.execute(WRONG) == []
        assert own.execute("SHOW max_slot_wal_keep_size") == [("64GB",)]
        database = PostgresqlDatabase(address_of(own.admin_url))
        try:
            assert database.safety().settings["full_page_writes"] == "on"
        finally:
            database.close()
        named = next(line for line in given if line.startswith(STANDBYS))
        own.execute(f"ALTER SYSTEM SET {named}")  # the server refuses what is not its grammar
