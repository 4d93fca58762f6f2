"""The schema of the first release: the log, people and their consents, the program's own tables."""

from typing import Final

import sqlalchemy as sa
from alembic import op

from broker.migrations.guard_rails import refuse_changes

revision: Final = "0001"
down_revision: Final = None


def upgrade() -> None:
    _create_log()
    _create_people()
    _create_requests()
    _create_grants()
    _create_requesters()
    _create_exchanges()
    _create_rest()
    refuse_changes("audit_entry")
    refuse_changes("audit_tile")
    refuse_changes("audit_seal")


def _create_log() -> None:
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("origin", sa.String(200), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("frontier", sa.LargeBinary, nullable=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
        sa.Column("last_time", sa.BigInteger, nullable=False),
        sa.Column("checkpoint", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "audit_entry",
        sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("leaf_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "audit_tile",
        sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
    )
    words = {"requester": 64, "subject_ref": 32, "operator": 64, "matter": 64, "case": 64, "item": 64, "outcome": 24}
    op.create_table(
        "audit_index",
        sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("event", sa.String(40), nullable=False),
        *(sa.Column(word, sa.String(length), nullable=False) for word, length in words.items()),
    )
    op.create_index("audit_index_subject", "audit_index", ["subject_ref", "idx"])
    op.create_index("audit_index_item", "audit_index", ["item", "idx"])
    first = sa.text("line = 0")
    for word in ("requester", "operator", "case", "event"):
        name = f"audit_index_{word}"
        op.create_index(name, "audit_index", [word, "idx"], sqlite_where=first, postgresql_where=first)
    op.create_table(
        "audit_seal",
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("bytes", sa.LargeBinary, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
    )
    op.create_index("audit_seal_newest", "audit_seal", ["kind", "time"])


def _create_people() -> None:
    op.create_table(
        "consent_subject",
        sa.Column("subject_ref", sa.String(32), primary_key=True),
        sa.Column("lookup", sa.LargeBinary(32), unique=True),
        sa.Column("wrapped_key", sa.LargeBinary),
        sa.Column("details", sa.LargeBinary),
        sa.Column("registered_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "consent_pseudonym",
        sa.Column("subject_ref", sa.String(32), primary_key=True),
        sa.Column("requester", sa.String(64), primary_key=True),
        sa.Column("sub", sa.String(32), nullable=False),
    )
    op.create_table(
        "consent_device",
        sa.Column("kid", sa.String(43), primary_key=True),
        sa.Column("subject_ref", sa.String(32), nullable=False, index=True),
        sa.Column("alg", sa.String(8), nullable=False),
        sa.Column("jwk", sa.String(400), nullable=False),
        sa.Column("label", sa.String(64), nullable=False),
        sa.Column("enrolled_at", sa.BigInteger, nullable=False),
        sa.Column("removed_at", sa.BigInteger),
    )


def _create_requests() -> None:
    op.create_table(
        "consent_request",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("ticket_hash", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("ticket_expires", sa.BigInteger, nullable=False),
        sa.Column("user_code", sa.String(9), nullable=False),
        sa.Column("requester", sa.String(64), nullable=False),
        sa.Column("matter", sa.String(64), nullable=False),
        sa.Column("matter_version", sa.String(16), nullable=False),
        sa.Column("case", sa.String(64), nullable=False),
        sa.Column("party", sa.String(16), nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("items", sa.LargeBinary, nullable=False),
        sa.Column("uses", sa.Integer, nullable=False),
        sa.Column("valid_for", sa.BigInteger, nullable=False),
        sa.Column("operator_id", sa.String(64), nullable=False),
        sa.Column("operator_desk", sa.String(64), nullable=False),
        sa.Column("subject_ref", sa.String(32)),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("filed_at", sa.BigInteger, nullable=False),
        sa.Column("name_check", sa.LargeBinary(32)),
        sa.Column("notice_lang", sa.String(8)),
        sa.Column("notice_text", sa.LargeBinary),
        sa.Column("composition", sa.LargeBinary),
        sa.Column("consent_iss", sa.String(43)),
        sa.Column("consent_jti", sa.String(40)),
    )
    op.create_index("consent_request_case", "consent_request", ["requester", "case"])


def _create_grants() -> None:
    op.create_table(
        "consent_grant",
        sa.Column("iss", sa.String(43), primary_key=True),
        sa.Column("jti", sa.String(40), primary_key=True),
        sa.Column("request", sa.String(40), nullable=False, unique=True),
        sa.Column("requester", sa.String(64), nullable=False),
        sa.Column("subject_ref", sa.String(32), nullable=False, index=True),
        sa.Column("matter", sa.String(64), nullable=False),
        sa.Column("case", sa.String(64), nullable=False),
        sa.Column("party", sa.String(16), nullable=False),
        sa.Column("assurance", sa.Integer, nullable=False),
        sa.Column("token", sa.LargeBinary, nullable=False),
        sa.Column("uses", sa.Integer, nullable=False),
        sa.Column("used", sa.Integer, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("granted_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.UniqueConstraint("jti", name="consent_grant_jti"),
    )


def _create_requesters() -> None:
    op.create_table(
        "broker_requester",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("name_zh", sa.String(120), nullable=False),
        sa.Column("name_en", sa.String(120), nullable=False),
        sa.Column("matters", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("registered_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "broker_requester_key",
        sa.Column("kid", sa.String(43), primary_key=True),
        sa.Column("requester", sa.String(64), nullable=False, index=True),
        sa.Column("alg", sa.String(8), nullable=False),
        sa.Column("jwk", sa.String(400), nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.Column("removed_at", sa.BigInteger),
    )
    op.create_table(
        "broker_spent_token",
        sa.Column("issuer", sa.String(64), primary_key=True),
        sa.Column("jti", sa.String(128), primary_key=True),
        sa.Column("forget_at", sa.BigInteger, nullable=False, index=True),
    )


def _create_exchanges() -> None:
    op.create_table(
        "broker_exchange",
        sa.Column("requester", sa.String(64), primary_key=True),
        sa.Column("exchange", sa.String(64), primary_key=True),
        sa.Column("fingerprint", sa.LargeBinary(32), nullable=False),
        sa.Column("call", sa.String(40), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("process", sa.String(40), nullable=False),
        sa.Column("admitted", sa.BigInteger, nullable=False),
        sa.Column("uses", sa.LargeBinary, nullable=False),
        sa.Column("first_released_at", sa.BigInteger),
        sa.Column("answered", sa.LargeBinary, nullable=False),
    )
    op.create_index("broker_exchange_running", "broker_exchange", ["status", "process"])


def _create_rest() -> None:
    op.create_table(
        "broker_stop",
        sa.Column("item", sa.String(64), primary_key=True),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("stopped_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "broker_session",
        sa.Column("id_hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("subject_ref", sa.String(32), nullable=False),
        sa.Column("assurance", sa.Integer, nullable=False),
        sa.Column("signed_in_at", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("nonce_hash", sa.LargeBinary(32)),
    )
    op.create_table(
        "broker_configuration",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("digests", sa.LargeBinary, nullable=False),
    )
