"""What an auditor searches by: desks in the projection, and whom a session looks for.

Entries from before have no desk in the projection until `broker audit reindex` has made it anew.
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0016"
down_revision: Final = "0015"


def upgrade() -> None:
    op.add_column("audit_index", sa.Column("desk", sa.String(64), nullable=False, server_default=sa.text("''")))
    op.create_table(
        "broker_search",
        sa.Column("id_hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("session", sa.LargeBinary(32), nullable=False, index=True),
        sa.Column("subject_ref", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
    )
