"""The ledger's own tables; no foreign key leads in or out, so nothing can cascade into the log."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, text

metadata = MetaData()

FIRST_LINE: Final = text("line = 0")
"""A search must say it in just these words, not as a parameter, for SQLite to use an index that has it."""

head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("origin", String(200), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("last_time", BigInteger, nullable=False),
    Column("checkpoint", LargeBinary, nullable=False),
)
"""One row (id 1). `frontier` is the concatenated 32-byte roots of the complete subtrees, largest first; `last_time` is
microseconds since 1970; `checkpoint` the signed note."""

entry = Table(
    "audit_entry",
    metadata,
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("leaf_hash", LargeBinary(32), nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""`body` is the exact bytes that were hashed, at most 60 KiB."""

tile = Table(
    "audit_tile",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
)
"""Only full tiles, written once: 256 hashes of 32 bytes. Partial ones are derived from what lies below them."""

index = Table(
    "audit_index",
    metadata,
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("time", BigInteger, nullable=False),
    Column("event", String(40), nullable=False),
    Column("requester", String(64), nullable=False, default=""),
    Column("subject_ref", String(32), nullable=False, default=""),
    Column("operator", String(64), nullable=False, default=""),
    Column("matter", String(64), nullable=False, default=""),
    Column("case", String(64), nullable=False, default=""),
    Column("item", String(64), nullable=False, default=""),
    Column("outcome", String(24), nullable=False, default=""),
    Column("desk", String(64), nullable=False, server_default=text("''")),
    Index("audit_index_subject", "subject_ref", "idx"),
    Index("audit_index_item", "item", "idx"),
    *(
        Index(f"audit_index_{name}", name, "idx", sqlite_where=FIRST_LINE, postgresql_where=FIRST_LINE)
        for name in ("requester", "operator", "case", "event")
    ),
)
"""A projection for searching, one row per entry and item: may be rebuilt from the entries, is never evidence. What is
the same on all lines of an entry is indexed on the first alone: an append pays for every index."""

seal = Table(
    "audit_seal",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(16), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("bytes", LargeBinary, nullable=False),
    Column("time", BigInteger, nullable=False),
    Index("audit_seal_newest", "kind", "time"),
)
"""What others signed over the checkpoint of `size`; arrives later and touches nothing above. `kind` is `witness` (a
cosignature, `name` the witness's key name and id) or `timestamp` (an RFC 3161 response, `name` its authority's host and
its serial number); `time` is the seal's own, in microseconds since 1970. What `bytes` holds says audit/seals.py."""
