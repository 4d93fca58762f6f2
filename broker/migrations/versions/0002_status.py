"""Places in the public status lists, one for each request that had something to sign."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"


def upgrade() -> None:
    op.create_table(
        "consent_status",
        sa.Column("list", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("idx", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("request", sa.String(40), nullable=False, unique=True),
    )
