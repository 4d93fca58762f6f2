"""The schema's revision: brought forward by migrations, and held against what this program needs."""

from functools import cache
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

MIGRATIONS: Final = Path(__file__).with_name("migrations")


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the schema forward, inside the caller's transaction: wholly or not at all."""
    configuration = _configuration()
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, revision)


def revision_of(connection: Connection) -> str | None:
    """Where the database stands; None where it holds no schema of ours."""
    return MigrationContext.configure(connection).get_current_revision()


def revisions() -> tuple[str, ...]:
    """Every revision, the oldest first; the last is what this program needs."""
    return _revisions(MIGRATIONS)


@cache
def _revisions(_folder: Path) -> tuple[str, ...]:
    return tuple(script.revision for script in ScriptDirectory.from_config(_configuration()).walk_revisions())[::-1]


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return configuration
