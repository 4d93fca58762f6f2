"""Bundles of requests, organisations as subjects, and departments as requesters."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0009"
down_revision: Final = "0008"


def upgrade() -> None:
    op.create_table(
        "consent_bundle",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("ticket_hash", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("ticket_expires", sa.BigInteger, nullable=False),
        sa.Column("user_code", sa.String(9), nullable=False),
        sa.Column("requester", sa.String(64), nullable=False),
        sa.Column("bundle", sa.String(64), nullable=False),
        sa.Column("version", sa.String(16), nullable=False),
        sa.Column("case", sa.String(64), nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("operator_desk", sa.String(64), nullable=False),
        sa.Column("left_out", sa.LargeBinary, nullable=False),
        sa.Column("filed_at", sa.BigInteger, nullable=False),
    )
    with op.batch_alter_table("consent_request") as request:
        request.add_column(sa.Column("subject_kind", sa.String(12), nullable=False, server_default="person"))
        request.add_column(sa.Column("bundle", sa.String(40)))
        request.create_index("ix_consent_request_bundle", ["bundle"])
    with op.batch_alter_table("consent_grant") as grant:
        grant.add_column(sa.Column("subject_kind", sa.String(12), nullable=False, server_default="person"))
    with op.batch_alter_table("broker_requester") as requester:
        requester.add_column(sa.Column("department", sa.String(64)))
