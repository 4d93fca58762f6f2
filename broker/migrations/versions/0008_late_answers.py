"""Items waited for, late answers kept under the person's own key, and the numbers of batch files."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0008"
down_revision: Final = "0007"


def upgrade() -> None:
    op.create_table(
        "consent_kept",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("iss", sa.String(43), nullable=False),
        sa.Column("jti", sa.String(40), nullable=False),
        sa.Column("subject_ref", sa.String(32), nullable=False, index=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("forget_at", sa.BigInteger, nullable=False, index=True),
        sa.Index("consent_kept_grant", "iss", "jti"),
    )
    op.create_table(
        "broker_waiting",
        sa.Column("requester", sa.String(64), primary_key=True),
        sa.Column("exchange", sa.String(64), primary_key=True),
        sa.Column("party", sa.String(16), primary_key=True),
        sa.Column("item", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(40), nullable=False, unique=True),
        sa.Column("call", sa.String(40), nullable=False),
        sa.Column("admitted", sa.BigInteger, nullable=False),
        sa.Column("released", sa.BigInteger, nullable=False),
        sa.Column("iss", sa.String(43), nullable=False),
        sa.Column("jti", sa.String(40), nullable=False),
        sa.Column("fields", sa.LargeBinary, nullable=False),
        sa.Column("operator", sa.String(64), nullable=False),
        sa.Column("desk", sa.String(64), nullable=False),
        sa.Column("department", sa.String(64), nullable=False, index=True),
        sa.Column("question", sa.String(60), nullable=False, unique=True),
        sa.Column("route", sa.String(40), nullable=False),
        sa.Column("state", sa.String(200), nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=False, index=True),
        sa.Column("give_up_at", sa.BigInteger, nullable=False),
        sa.Column("leased_until", sa.BigInteger, nullable=False),
        sa.Column("answered_at", sa.BigInteger),
        sa.Column("pushed", sa.String(100)),
        sa.Column("pushed_sha256", sa.LargeBinary(32)),
        sa.Column("collected_at", sa.BigInteger),
        sa.Column("collected", sa.Integer, nullable=False),
    )
    op.create_table(
        "broker_batch_number",
        sa.Column("route", sa.String(40), primary_key=True),
        sa.Column("day", sa.String(8), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
    )
