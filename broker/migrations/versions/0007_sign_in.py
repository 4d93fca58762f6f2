"""Signing in: what was asked of an identity provider, ceremonies under way, passkeys and their evidence."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0007"
down_revision: Final = "0006"


def upgrade() -> None:
    op.create_table(
        "broker_sign_in",
        sa.Column("state_hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("browser_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("back", sa.String(100), nullable=False),
        sa.Column("lang", sa.String(8), nullable=False),
        sa.Column("session_hash", sa.LargeBinary(32)),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("authenticated_after", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "broker_ceremony",
        sa.Column("name", sa.LargeBinary(32), primary_key=True),
        sa.Column("expires", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "consent_passkey",
        sa.Column("id", sa.String(43), primary_key=True),
        sa.Column("subject_ref", sa.String(32), nullable=False, index=True),
        sa.Column("credential", sa.LargeBinary, nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        sa.Column("assurance", sa.Integer, nullable=False),
        sa.Column("label", sa.String(64), nullable=False),
        sa.Column("registered_at", sa.BigInteger, nullable=False),
        sa.Column("removed_at", sa.BigInteger),
    )
    op.create_table(
        "consent_evidence",
        sa.Column("iss", sa.String(43), primary_key=True),
        sa.Column("jti", sa.String(40), primary_key=True),
        sa.Column("passkey", sa.String(43), nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("assertion", sa.LargeBinary, nullable=False),
    )
