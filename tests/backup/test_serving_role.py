"""On PostgreSQL the role that serves, which owns nothing, may take backups; drills and restores are the owner's."""

from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy.exc import DBAPIError

from broker.settings import read_settings
from tests.backup.house import found
from tests.postgresql import Server
from tests.store.test_grants import read_grants


def test_the_serving_role_backs_up(postgresql: Server, postgresql_url: str, backups: Path, tmp_path: Path) -> None:
    owner = found(tmp_path / "b", postgresql_url, postgresql)
    owner.grow("first")
    role = f"broker_serving_{uuid4().hex}"
    postgresql.execute(f"CREATE ROLE {role} LOGIN")
    try:
        postgresql.execute(read_grants(role), url=postgresql_url)
        serving = postgresql.url_of(postgresql_url.partition("@/")[2].partition("?")[0], role)
        as_owner = owner.config.read_text(encoding="utf-8")
        owner.config.write_text(as_owner.replace(postgresql_url, serving), encoding="utf-8")
        assert role in str(read_settings(owner.config).database)
        made = owner.back_up(backups)
        with pytest.raises(DBAPIError, match="permission denied"):
            owner.drill(made.file, tmp_path)
        owner.config.write_text(as_owner, encoding="utf-8")
        owner.drill(made.file, tmp_path)
    finally:
        postgresql.execute(f"DROP OWNED BY {role}", url=postgresql_url)
        postgresql.execute(f"DROP ROLE {role}")
