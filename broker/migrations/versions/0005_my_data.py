"""Questions and corrections of the people whom the log concerns, and how far each has read her inbox."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0005"
down_revision: Final = "0004"


def upgrade() -> None:
    op.create_table(
        "consent_inquiry",
        sa.Column("number", sa.String(16), primary_key=True),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("subject_ref", sa.String(32), nullable=False, index=True),
        sa.Column("about", sa.BigInteger, nullable=False),
        sa.Column("requester", sa.String(64), nullable=False),
        sa.Column("department", sa.String(64), nullable=False),
        sa.Column("item", sa.String(64), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("due_on", sa.String(10), nullable=False),
        sa.Column("answered_at", sa.BigInteger),
        sa.Column("text", sa.LargeBinary),
        sa.Column("answer", sa.LargeBinary),
    )
    op.create_index("consent_inquiry_status", "consent_inquiry", ["status", "due_on"])
    op.create_table(
        "broker_inbox",
        sa.Column("subject_ref", sa.String(32), primary_key=True),
        sa.Column("seen", sa.BigInteger, nullable=False),
    )
