"""Stops per requester and side; outages told beforehand; agreements and applications."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0015"
down_revision: Final = "0014"


def upgrade() -> None:
    _renew_stops()
    op.create_table(
        "broker_outage",
        sa.Column("number", sa.String(16), primary_key=True),
        sa.Column("item", sa.String(64), nullable=False, index=True),
        sa.Column("department", sa.String(64), nullable=False),
        sa.Column("begins", sa.String(16), nullable=False),
        sa.Column("ends", sa.String(16), nullable=False),
        sa.Column("words", sa.String(200), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
    )
    op.create_table(
        "broker_agreement",
        sa.Column("number", sa.String(16), primary_key=True),
        sa.Column("department", sa.String(64), nullable=False, index=True),
        sa.Column("requester", sa.String(64), nullable=False, index=True),
        sa.Column("items", sa.LargeBinary, nullable=False),
        sa.Column("begins", sa.String(10), nullable=False),
        sa.Column("ends", sa.String(10), nullable=False),
        sa.Column("reference", sa.String(100), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
    )
    op.create_table(
        "broker_application",
        sa.Column("number", sa.String(16), primary_key=True),
        sa.Column("department", sa.String(64), nullable=False, index=True),
        sa.Column("requester", sa.String(64), nullable=False),
        sa.Column("item", sa.String(64), nullable=False),
        sa.Column("members", sa.LargeBinary, nullable=False),
        sa.Column("unconditional", sa.Integer, nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("filed_at", sa.BigInteger, nullable=False),
        sa.Column("due_on", sa.String(10), nullable=False),
        sa.Column("told", sa.String(1000), nullable=False),
        sa.Column("prolonged", sa.String(200), nullable=False),
        sa.Column("reason", sa.String(1000), nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
    )


def _renew_stops() -> None:
    """What was stopped was stopped by whoever operates the program, and for everybody."""
    held = op.get_bind().execute(sa.text("SELECT item, reason, stopped_at FROM broker_stop")).all()
    op.drop_table("broker_stop")
    renewed = op.create_table(
        "broker_stop",
        sa.Column("item", sa.String(64), primary_key=True),
        sa.Column("requester", sa.String(64), primary_key=True),
        sa.Column("department", sa.String(64), primary_key=True),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("stopped_at", sa.BigInteger, nullable=False),
    )
    for item, reason, stopped_at in held:
        operators = {"requester": "", "department": "", "by": ""}
        row = {"item": item, "reason": reason, "stopped_at": stopped_at} | operators
        op.get_bind().execute(sa.insert(renewed).values(row))
