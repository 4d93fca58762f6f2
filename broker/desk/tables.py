"""The desk's own tables. A column `sealed_*` holds what the vault closed; nothing else here is about a person."""

from typing import Final

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, MetaData, String, Table, UniqueConstraint

metadata = MetaData()

VERSION: Final = 1
"""`PRAGMA user_version` of a database with these tables."""

clerk = Table(
    "clerk",
    metadata,
    Column("number", String(32), primary_key=True),
    Column("name", String(60), nullable=False),
    Column("pin", String(200), nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Column("blocked_until", Integer, nullable=False, default=0),
    Column("active", Integer, nullable=False, default=1),
)

session = Table(
    "session",
    metadata,
    Column("secret_hash", LargeBinary, primary_key=True),
    Column("clerk", ForeignKey("clerk.number"), nullable=False),
    Column("desk", String(64), nullable=False),
    Column("seen", Integer, nullable=False),
    Column("locked", Integer, nullable=False, default=0),
)

case = Table(
    "case_",
    metadata,
    Column("number", String(64), primary_key=True),
    Column("clerk", ForeignKey("clerk.number"), nullable=False, index=True),
    Column("desk", String(64), nullable=False),
    Column("matter", String(64), nullable=False),
    Column("bundle", Integer, nullable=False, default=0),
    Column("sealed_person", LargeBinary, nullable=False),
    Column("person_tag", String(64), nullable=False, index=True),
    Column("stage", String(16), nullable=False),
    Column("started", Integer, nullable=False),
    Column("due", Integer, nullable=False, index=True),
    Column("stopped", Integer),
    Column("request", String(64)),
    Column("request_status", String(16)),
    Column("request_expires", Integer),
    Column("sealed_link", LargeBinary),
    Column("origin", String(64), nullable=False, default=""),
    Column("partner", String(64), nullable=False, default=""),
    Column("joint", String(16), nullable=False, default=""),
    Column("decision", String(16)),
    Column("decided", Integer),
    Column("rating", Integer),
)

asked = Table(
    "asked",
    metadata,
    Column("request", String(64), primary_key=True),
    Column("case", ForeignKey("case_.number"), nullable=False, index=True),
    Column("matter", String(64), nullable=False),
    Column("party", String(16), nullable=False),
    Column("requester", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("granted", String, nullable=False, default="[]"),
    Column("declined", String, nullable=False, default="[]"),
    Column("sealed_consent", LargeBinary),
    Column("exchange", String(64)),
)

answer = Table(
    "answer",
    metadata,
    Column("case", ForeignKey("case_.number"), primary_key=True),
    Column("exchange", String(64), primary_key=True),
    Column("party", String(16), primary_key=True),
    Column("item", String(64), primary_key=True),
    Column("outcome", String(32), nullable=False),
    Column("department", String(64), nullable=False),
    Column("as_of", String(32), nullable=False),
    Column("sealed_records", LargeBinary),
)

receipt = Table(
    "receipt",
    metadata,
    Column("case", ForeignKey("case_.number"), primary_key=True),
    Column("entry_index", Integer, primary_key=True),
    Column("exchange", String(64), nullable=False),
    Column("results", Integer, nullable=False),
    Column("entry", String, nullable=False),
    Column("proof", String, nullable=False),
)

task = Table(
    "task",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case", ForeignKey("case_.number"), nullable=False),
    Column("clerk", ForeignKey("clerk.number"), nullable=False),
    Column("opened", Integer, nullable=False),
    Column("due", Integer, nullable=False),
    Column("done", Integer),
    Column("sealed_note", LargeBinary),
)

parcel = Table(
    "parcel",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("case", ForeignKey("case_.number"), nullable=False, index=True),
    Column("partner", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("outgoing", Integer, nullable=False),
    Column("at", Integer, nullable=False),
    Column("sealed_note", LargeBinary, nullable=False),
    Column("text", String),
    UniqueConstraint("partner", "id"),
)

numbering = Table(
    "numbering",
    metadata,
    Column("year", Integer, primary_key=True),
    Column("last", Integer, nullable=False),
)
