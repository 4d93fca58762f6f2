"""The program's own tables: requesters and their keys, exchanges, sessions, stops, hooks and spent token ids."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table

metadata = MetaData()

requester = Table(
    "broker_requester",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name_zh", String(120), nullable=False),
    Column("name_en", String(120), nullable=False),
    Column("matters", LargeBinary, nullable=False),
    Column("status", String(12), nullable=False),
    Column("registered_at", BigInteger, nullable=False),
)
"""A registered fund centre. `matters` is the JSON list of matter ids it may ask for; `status` active or suspended."""

requester_key = Table(
    "broker_requester_key",
    metadata,
    Column("kid", String(43), primary_key=True),
    Column("requester", String(64), nullable=False, index=True),
    Column("alg", String(8), nullable=False),
    Column("jwk", String(400), nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("removed_at", BigInteger),
)

spent_token = Table(
    "broker_spent_token",
    metadata,
    Column("issuer", String(64), primary_key=True),
    Column("jti", String(128), primary_key=True),
    Column("forget_at", BigInteger, nullable=False, index=True),
)
"""A token id accepted once. Kept past the token's own life, so forgetting it revives nothing."""

exchange = Table(
    "broker_exchange",
    metadata,
    Column("requester", String(64), primary_key=True),
    Column("exchange", String(64), primary_key=True),
    Column("fingerprint", LargeBinary(32), nullable=False),
    Column("call", String(40), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("status", String(12), nullable=False),
    Column("process", String(40), nullable=False),
    Column("admitted", BigInteger, nullable=False),
    Column("uses", LargeBinary, nullable=False),
    Column("first_released_at", BigInteger),
    Column("answered", LargeBinary, nullable=False),
    Index("broker_exchange_running", "status", "process"),
)
"""One pull by a requester's own id: admitted (running), released, withheld or interrupted. `answered` is JSON, per
"party/item", the last outcome and how often a final answer was given again; never a value."""

stop = Table(
    "broker_stop",
    metadata,
    Column("item", String(64), primary_key=True),
    Column("reason", String(200), nullable=False),
    Column("stopped_at", BigInteger, nullable=False),
)
"""What may not be released now: one item, or everything under the empty name."""

session = Table(
    "broker_session",
    metadata,
    Column("id_hash", LargeBinary(32), primary_key=True),
    Column("subject_ref", String(32), nullable=False),
    Column("assurance", Integer, nullable=False),
    Column("signed_in_at", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("nonce_hash", LargeBinary(32)),
)
"""A citizen's session. The cookie and the device nonce are known by their hashes only."""

hook = Table(
    "broker_hook",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("requester", String(64), nullable=False, index=True),
    Column("url", String(400), nullable=False),
    Column("reached", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("next_at", BigInteger, nullable=False),
)
"""An address at which a requester is told of its events. `reached` is the last index of the log that it was told of,
`next_at` the second from which it may be tried."""

configuration = Table(
    "broker_configuration",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("digests", LargeBinary, nullable=False),
)
"""One row: the configuration that the log last recorded as loaded."""
