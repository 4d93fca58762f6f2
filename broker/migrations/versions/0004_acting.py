"""Who acts for a person: the signer and the witness of a request, and who signed a grant."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0004"
down_revision: Final = "0003"


def upgrade() -> None:
    with op.batch_alter_table("consent_request") as request:
        request.add_column(sa.Column("actor_ref", sa.String(32)))
        request.add_column(sa.Column("actor_check", sa.LargeBinary(32)))
        request.add_column(sa.Column("witness_ref", sa.String(32)))
        request.add_column(sa.Column("witness_check", sa.LargeBinary(32)))
        request.add_column(sa.Column("witnessed_at", sa.BigInteger))
        request.add_column(sa.Column("evidence_sha256", sa.String(64)))
        for column in ("subject_ref", "actor_ref", "witness_ref"):
            request.create_index(f"ix_consent_request_{column}", [column])
    with op.batch_alter_table("consent_grant") as grant:
        grant.add_column(sa.Column("actor_ref", sa.String(32)))
        grant.create_index("ix_consent_grant_actor_ref", ["actor_ref"])
