"""`broker migrate`: bring the database's schema to what this program needs."""

from broker import schema
from broker.commands.console import AsJson, ConfigFile, failing_clearly, show
from broker.database import open_for_migration
from broker.settings import read_settings


def migrate(config: ConfigFile, as_json: AsJson = False) -> None:
    """Bring the schema forward, wholly or not at all. Stop every broker on this database first, and keep a backup."""
    with failing_clearly():
        database = open_for_migration(read_settings(config))
        try:
            with database.long_turn() as connection:
                before = schema.revision_of(connection)
                schema.upgrade(connection)
        finally:
            database.close()
    show({"before": before, "now": schema.revisions()[-1]}, as_json=as_json)
