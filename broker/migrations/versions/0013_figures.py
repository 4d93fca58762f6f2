"""What the figures are counted in; problems, ratings and consultations."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0013"
down_revision: Final = "0012"


def upgrade() -> None:
    op.create_table(
        "broker_figures_state",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("reached", sa.BigInteger, nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("ground", sa.LargeBinary(32), nullable=False),
    )
    op.create_table(
        "broker_figures_case",
        sa.Column("case", sa.String(200), primary_key=True),
        sa.Column("life", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "broker_figures_fact",
        sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("measure", sa.String(16), nullable=False),
        sa.Column("key", sa.String(400), nullable=False),
        sa.Column("case", sa.String(200), nullable=False),
        sa.Column("subject_ref", sa.String(32), nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.Column("total", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "broker_figure",
        sa.Column("month", sa.String(7), primary_key=True),
        sa.Column("measure", sa.String(16), primary_key=True),
        sa.Column("view", sa.String(16), primary_key=True),
        sa.Column("word", sa.String(140), primary_key=True),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.Column("total", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "broker_problem",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("source", sa.String(12), nullable=False),
        sa.Column("matter", sa.String(64), nullable=False),
        sa.Column("step", sa.String(40), nullable=False),
        sa.Column("text", sa.String(400), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("due_on", sa.String(10), nullable=False),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("remedy", sa.String(400), nullable=False),
    )
    op.create_table(
        "broker_rating",
        sa.Column("id", sa.LargeBinary(32), primary_key=True),
        sa.Column("matter", sa.String(64), nullable=False),
        sa.Column("requester", sa.String(64), nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("reason", sa.String(12), nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
    )
    op.create_table(
        "broker_consultation",
        sa.Column("month", sa.String(7), primary_key=True),
        sa.Column("channel", sa.String(12), primary_key=True),
        sa.Column("matter", sa.String(64), primary_key=True),
        sa.Column("answered", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("n", sa.Integer, nullable=False),
    )
