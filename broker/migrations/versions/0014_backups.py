"""When the last backup was made, rehearsed and restored."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0014"
down_revision: Final = "0013"


def upgrade() -> None:
    op.create_table(
        "broker_backup",
        sa.Column("act", sa.String(12), primary_key=True),
        sa.Column("backup", sa.String(40), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.String(12), nullable=False),
    )
