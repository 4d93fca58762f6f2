"""Every consent that a late answer rests on, not the first one alone; and by when a department means to answer."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0011"
down_revision: Final = "0010"

# What is waited for or kept at this moment keeps the one consent that is known of it, for its 72 hours
CARRIED = """
INSERT INTO consent_awaited (id, iss, jti, subject_ref)
SELECT waiting.id, waiting.iss, waiting.jti, consented.subject_ref
FROM broker_waiting AS waiting
JOIN consent_grant AS consented ON consented.iss = waiting.iss AND consented.jti = waiting.jti
"""


def upgrade() -> None:
    op.create_table(
        "consent_awaited",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("iss", sa.String(43), primary_key=True),
        sa.Column("jti", sa.String(40), primary_key=True),
        sa.Column("subject_ref", sa.String(32), nullable=False, index=True),
        sa.Index("consent_awaited_grant", "iss", "jti"),
    )
    op.execute(CARRIED)
    with op.batch_alter_table("consent_kept") as kept:
        kept.drop_index("consent_kept_grant")
        kept.drop_column("iss")
        kept.drop_column("jti")
    with op.batch_alter_table("broker_waiting") as waiting:
        waiting.add_column(sa.Column("answers_at", sa.BigInteger))
