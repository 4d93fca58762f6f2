"""This room's tables: people, their devices and passkeys, what they were asked and what they granted."""

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

passkey = Table(
    "consent_passkey",
    metadata,
    Column("id", String(43), primary_key=True),
    Column("subject_ref", String(32), nullable=False, index=True),
    Column("credential", LargeBinary, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("assurance", Integer, nullable=False),
    Column("label", String(64), nullable=False),
    Column("registered_at", BigInteger, nullable=False),
    Column("removed_at", BigInteger),
)
"""A WebAuthn credential. `id` is the base64url SHA-256 of its own id, which may be a kilobyte; `public_key` is a COSE
key; `assurance` how surely the person was identified when it was registered."""

evidence = Table(
    "consent_evidence",
    metadata,
    Column("iss", String(43), primary_key=True),
    Column("jti", String(40), primary_key=True),
    Column("passkey", String(43), nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("assertion", LargeBinary, nullable=False),
)
"""A passkey's assertion over the text that a consent signs, as JSON, with the key that verifies it: both outlive the
passkey. The SHA-256 of `assertion` stands in the log."""

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
    Column("subject_ref", String(32), index=True),
    Column("status", String(12), nullable=False),
    Column("filed_at", BigInteger, nullable=False),
    Column("name_check", LargeBinary(32)),
    Column("notice_lang", String(8)),
    Column("notice_text", LargeBinary),
    Column("composition", LargeBinary),
    Column("consent_iss", String(43)),
    Column("consent_jti", String(40)),
    Column("actor_ref", String(32), index=True),
    Column("actor_check", LargeBinary(32)),
    Column("witness_ref", String(32), index=True),
    Column("witness_check", LargeBinary(32)),
    Column("witnessed_at", BigInteger),
    Column("evidence_sha256", String(64)),
    Column("subject_kind", String(12), nullable=False, server_default="person"),
    Column("bundle", String(40), index=True),
    Index("consent_request_case", "requester", "case"),
)
"""What a requester asks one person. The ticket in the QR code is known by its hash only. `composition` is the last
payload given out to be signed; a new one voids the former. `actor` is who signs for the subject, `witness` the second
person of an assisted authorization. A part of a bundle has no link of its own. Times are seconds since 1970."""

bundle = Table(
    "consent_bundle",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("ticket_hash", LargeBinary(32), nullable=False, unique=True),
    Column("ticket_expires", BigInteger, nullable=False),
    Column("user_code", String(9), nullable=False),
    Column("requester", String(64), nullable=False),
    Column("bundle", String(64), nullable=False),
    Column("version", String(16), nullable=False),
    Column("case", String(64), nullable=False),
    Column("mode", String(16), nullable=False),
    Column("operator_desk", String(64), nullable=False),
    Column("left_out", LargeBinary, nullable=False),
    Column("filed_at", BigInteger, nullable=False),
)
"""Several requests shown under one link. `requester` is where it began; `left_out` the JSON list of parts of the
catalogue's bundle that could not be asked, each with why."""

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
    Column("actor_ref", String(32), index=True),
    Column("subject_kind", String(12), nullable=False, server_default="person"),
    UniqueConstraint("jti", name="consent_grant_jti"),
)
"""A signed consent and where it stands: active, paused or withdrawn; used up and expired follow from the numbers.
`actor_ref` is who signed for the subject, empty where she signed herself."""

status = Table(
    "consent_status",
    metadata,
    Column("list", Integer, primary_key=True, autoincrement=False),
    Column("idx", Integer, primary_key=True, autoincrement=False),
    Column("request", String(40), nullable=False, unique=True),
)
"""A place in a public status list, taken when its request first had something to sign. What stands there is the
grant's own state, never kept here."""

awaited = Table(
    "consent_awaited",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("iss", String(43), primary_key=True),
    Column("jti", String(40), primary_key=True),
    Column("subject_ref", String(32), nullable=False, index=True),
    Index("consent_awaited_grant", "iss", "jti"),
)
"""A consent that a late answer rests on, from when it is waited for; of a joint item there are two. `subject_ref` is
whose consent it is."""

kept = Table(
    "consent_kept",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("subject_ref", String(32), nullable=False, index=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("forget_at", BigInteger, nullable=False, index=True),
)
"""A late answer until it is collected, under its person's own key. It goes with any consent that it rests on, with any
of their persons, and at `forget_at` (seconds since 1970) whatever happens."""

inquiry = Table(
    "consent_inquiry",
    metadata,
    Column("number", String(16), primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("subject_ref", String(32), nullable=False, index=True),
    Column("about", BigInteger, nullable=False),
    Column("requester", String(64), nullable=False),
    Column("department", String(64), nullable=False),
    Column("item", String(64), nullable=False),
    Column("status", String(12), nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("due_on", String(10), nullable=False),
    Column("answered_at", BigInteger),
    Column("text", LargeBinary),
    Column("answer", LargeBinary),
    Index("consent_inquiry_status", "status", "due_on"),
)
"""A person's question to the auditors, or her correction to a department, about the log's entry `about`. `text` and
`answer` are sealed under her own key; `due_on` is a day of Beijing's. Erasing her empties both and closes it."""
