"""Changes of the configuration that wait for a second person."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0012"
down_revision: Final = "0011"


def upgrade() -> None:
    op.create_table(
        "broker_configuration_change",
        sa.Column("digests", sa.LargeBinary(400), primary_key=True),
        sa.Column("stage", sa.String(12), nullable=False),
        sa.Column("proposed_by", sa.String(64), nullable=False),
        sa.Column("decided_by", sa.String(64), nullable=False),
        sa.Column("entry", sa.BigInteger, nullable=False),
    )
