"""Staff with roles, and their sessions."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0010"
down_revision: Final = "0009"


def upgrade() -> None:
    op.create_table(
        "broker_staff",
        sa.Column("number", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("role", sa.String(12), nullable=False),
        sa.Column("department", sa.String(64), nullable=False),
        sa.Column("lookup", sa.LargeBinary(32), nullable=False, index=True),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("proposed_by", sa.String(64), nullable=False),
        sa.Column("entry", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "broker_staff_session",
        sa.Column("id_hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("number", sa.String(64), nullable=False, index=True),
        sa.Column("assurance", sa.Integer, nullable=False),
        sa.Column("signed_in_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
    )
