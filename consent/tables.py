"""This room's tables: people, their devices, what they were asked and what they granted."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, UniqueConstraint

metadata = MetaData()

subject = Table(
    "consent_subject",
    metadata,
    Column("subject_ref", String(32), primary_key=True),
    Column("lookup", LargeBinary(32), unique=True),
    Column("wrapped_key", LargeBinary),
    Column("details", LargeBinary),
    Column("registered_at", BigInteger, nullable=False),
)
"""A person. `lookup` is a keyed hash of the id number, `details` the name and number under the person's own key, which
stands here wrapped by the broker's. Erasing a person empties all three; `subject_ref` is 128 random bits."""

pseudonym = Table(
    "consent_pseudonym",
    metadata,
    Column("subject_ref", String(32), primary_key=True),
    Column("requester", String(64), primary_key=True),
    Column("sub", String(32), nullable=False),
)
"""The opaque `sub` of a person's tokens, different for each requester."""

device = Table(
    "consent_device",
    metadata,
    Column("kid", String(43), primary_key=True),
    Column("subject_ref", String(32), nullable=False, index=True),
    Column("alg", String(8), nullable=False),
    Column("jwk", String(400), nullable=False),
    Column("label", String(64), nullable=False),
    Column("enrolled_at", BigInteger, nullable=False),
    Column("removed_at", BigInteger),
)
"""A removed device signs nothing new; what it signed before stands until it is withdrawn, so its key stays."""

request = Table(
    "consent_request",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("ticket_hash", LargeBinary(32), nullable=False, unique=True),
    Column("ticket_expires", BigInteger, nullable=False),
    Column("user_code", String(9), nullable=False),
    Column("requester", String(64), nullable=False),
    Column("matter", String(64), nullable=False),
    Column("matter_version", String(16), nullable=False),
    Column("case", String(64), nullable=False),
    Column("party", String(16), nullable=False),
    Column("mode", String(16), nullable=False),
    Column("items", LargeBinary, nullable=False),
    Column("uses", Integer, nullable=False),
    Column("valid_for", BigInteger, nullable=False),
    Column("operator_id", String(64), nullable=False),
    Column("operator_desk", String(64), nullable=False),
    Column("subject_ref", String(32)),
    Column("status", String(12), nullable=False),
    Column("filed_at", BigInteger, nullable=False),
    Column("name_check", LargeBinary(32)),
    Column("notice_lang", String(8)),
    Column("notice_text", LargeBinary),
    Column("composition", LargeBinary),
    Column("consent_iss", String(43)),
    Column("consent_jti", String(40)),
    Index("consent_request_case", "requester", "case"),
)
"""What a requester asks one person. The ticket in the QR code is known by its hash only. `composition` is the last
payload given out to be signed; a new one voids the former. Times are seconds since 1970."""

grant = Table(
    "consent_grant",
    metadata,
    Column("iss", String(43), primary_key=True),
    Column("jti", String(40), primary_key=True),
    Column("request", String(40), nullable=False, unique=True),
    Column("requester", String(64), nullable=False),
    Column("subject_ref", String(32), nullable=False, index=True),
    Column("matter", String(64), nullable=False),
    Column("case", String(64), nullable=False),
    Column("party", String(16), nullable=False),
    Column("assurance", Integer, nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("uses", Integer, nullable=False),
    Column("used", Integer, nullable=False, default=0),
    Column("expires", BigInteger, nullable=False),
    Column("status", String(12), nullable=False),
    Column("granted_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    UniqueConstraint("jti", name="consent_grant_jti"),
)
"""A signed consent and where it stands: active, paused or withdrawn. Used up and expired follow from the numbers."""

status = Table(
    "consent_status",
    metadata,
    Column("list", Integer, primary_key=True, autoincrement=False),
    Column("idx", Integer, primary_key=True, autoincrement=False),
    Column("request", String(40), nullable=False, unique=True),
)
"""A place in a public status list, taken when its request first had something to sign. What stands there is the
grant's own state, never kept here."""
