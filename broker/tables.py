"""The program's own tables: requesters, exchanges, what is waited for, staff, sign-ins, inboxes, hooks, notes."""

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
    Column("department", String(64)),
)
"""A registered fund centre, or the department named. `matters` is the JSON list of matter ids it may ask for; `status`
active or suspended."""

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
    Column("requester", String(64), primary_key=True),
    Column("department", String(64), primary_key=True),
    Column("reason", String(200), nullable=False),
    Column("by", String(64), nullable=False),
    Column("stopped_at", BigInteger, nullable=False),
)
"""What may not be released now: one item, or everything under the empty name; to one requester, or with none to all.
Each side has a stop of its own: a department (`by` is its steward's number), or with none whoever operates this."""

outage = Table(
    "broker_outage",
    metadata,
    Column("number", String(16), primary_key=True),
    Column("item", String(64), nullable=False, index=True),
    Column("department", String(64), nullable=False),
    Column("begins", String(16), nullable=False),
    Column("ends", String(16), nullable=False),
    Column("words", String(200), nullable=False),
    Column("by", String(64), nullable=False),
)
"""When a department said that an item will not be answered, as `2026-12-01 22:00` in China standard time."""

agreement = Table(
    "broker_agreement",
    metadata,
    Column("number", String(16), primary_key=True),
    Column("department", String(64), nullable=False, index=True),
    Column("requester", String(64), nullable=False, index=True),
    Column("items", LargeBinary, nullable=False),
    Column("begins", String(10), nullable=False),
    Column("ends", String(10), nullable=False),
    Column("reference", String(100), nullable=False),
    Column("by", String(64), nullable=False),
)
"""What a department and a requester agreed on paper: a JSON list of items, the first day and the last."""

application = Table(
    "broker_application",
    metadata,
    Column("number", String(16), primary_key=True),
    Column("department", String(64), nullable=False, index=True),
    Column("requester", String(64), nullable=False),
    Column("item", String(64), nullable=False),
    Column("members", LargeBinary, nullable=False),
    Column("unconditional", Integer, nullable=False),
    Column("status", String(12), nullable=False),
    Column("filed_at", BigInteger, nullable=False),
    Column("due_on", String(10), nullable=False),
    Column("told", String(1000), nullable=False),
    Column("prolonged", String(200), nullable=False),
    Column("reason", String(1000), nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)
"""A requester's application for an item, `members` as JSON: what it asks and why. `due_on` is the day by which the next
step is due, empty where no clock runs; `told` what was said to be missing, `prolonged` who consented to more time."""

staff = Table(
    "broker_staff",
    metadata,
    Column("number", String(64), primary_key=True),
    Column("name", String(60), nullable=False),
    Column("role", String(12), nullable=False),
    Column("department", String(64), nullable=False),
    Column("lookup", LargeBinary(32), nullable=False, index=True),
    Column("status", String(12), nullable=False),
    Column("proposed_by", String(64), nullable=False),
    Column("entry", BigInteger, nullable=False),
)
"""Named people with one role each: `proposed`, `active`, `leaving` (removal proposed) or `removed`. `lookup` is a keyed
hash of the id number, `entry` the log's entry that made the row active: a row unknown to the log opens nothing."""

staff_session = Table(
    "broker_staff_session",
    metadata,
    Column("id_hash", LargeBinary(32), primary_key=True),
    Column("number", String(64), nullable=False, index=True),
    Column("assurance", Integer, nullable=False),
    Column("signed_in_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
)
"""Ends after a quarter of an hour without a call, and with the working day."""

search = Table(
    "broker_search",
    metadata,
    Column("id_hash", LargeBinary(32), primary_key=True),
    Column("session", LargeBinary(32), nullable=False, index=True),
    Column("subject_ref", String(32), nullable=False),
    Column("reason", String(200), nullable=False),
)
"""Whom an auditor looks for, by an id that only the session knows that it was given to; gone with that session."""

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

sign_in = Table(
    "broker_sign_in",
    metadata,
    Column("state_hash", LargeBinary(32), primary_key=True),
    Column("browser_hash", LargeBinary(32), nullable=False),
    Column("back", String(100), nullable=False),
    Column("lang", String(8), nullable=False),
    Column("session_hash", LargeBinary(32)),
    Column("level", Integer, nullable=False),
    Column("authenticated_after", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
)
"""A sign-in that a person began at the identity provider: from which browser, and to which page it leads back. Of a
step-up also the session that it is to raise and the least level. State and browser are known by their hashes only."""

ceremony = Table(
    "broker_ceremony",
    metadata,
    Column("name", LargeBinary(32), primary_key=True),
    Column("expires", BigInteger, nullable=False),
)
"""A passkey's challenge that was given out and not answered yet. `name` hashes it with what it is for and whom."""

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

configuration_change = Table(
    "broker_configuration_change",
    metadata,
    Column("digests", LargeBinary(400), primary_key=True),
    Column("stage", String(12), nullable=False),
    Column("proposed_by", String(64), nullable=False),
    Column("decided_by", String(64), nullable=False),
    Column("entry", BigInteger, nullable=False),
)
"""A configuration that somebody proposed, by its digests as JSON. The log's `entry` alone says what was approved."""

waiting = Table(
    "broker_waiting",
    metadata,
    Column("requester", String(64), primary_key=True),
    Column("exchange", String(64), primary_key=True),
    Column("party", String(16), primary_key=True),
    Column("item", String(64), primary_key=True),
    Column("id", String(40), nullable=False, unique=True),
    Column("call", String(40), nullable=False),
    Column("admitted", BigInteger, nullable=False),
    Column("released", BigInteger, nullable=False),
    Column("iss", String(43), nullable=False),
    Column("jti", String(40), nullable=False),
    Column("fields", LargeBinary, nullable=False),
    Column("operator", String(64), nullable=False),
    Column("desk", String(64), nullable=False),
    Column("department", String(64), nullable=False, index=True),
    Column("question", String(60), nullable=False, unique=True),
    Column("route", String(40), nullable=False),
    Column("state", String(200), nullable=False),
    Column("next_at", BigInteger, nullable=False, index=True),
    Column("give_up_at", BigInteger, nullable=False),
    Column("leased_until", BigInteger, nullable=False),
    Column("answered_at", BigInteger),
    Column("pushed", String(100)),
    Column("pushed_sha256", LargeBinary(32)),
    Column("collected_at", BigInteger),
    Column("collected", Integer, nullable=False),
    Column("answers_at", BigInteger),
)
"""An item that its department has not answered yet, or whose answer is kept (consent_kept, same `id`). `released` is
the index of the last release that said so; `question` the number under which the department was asked, `state` its
route's own words, `answers_at` by when it means to answer, where that is known. `pushed` is a department's own number
of the answer that it posted. Times are seconds since 1970."""

batch_number = Table(
    "broker_batch_number",
    metadata,
    Column("route", String(40), primary_key=True),
    Column("day", String(8), primary_key=True),
    Column("number", Integer, nullable=False),
)
"""The last number that a day's batch files of a route have had."""

inbox = Table(
    "broker_inbox",
    metadata,
    Column("subject_ref", String(32), primary_key=True),
    Column("seen", BigInteger, nullable=False),
)
"""Up to which index of the log a person has seen her notices. The notices themselves are the log's own entries."""

connector_memory = Table(
    "broker_connector_memory",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("holder", String(40), nullable=False),
    Column("held_until", BigInteger, nullable=False),
)
"""What connectors remember, such as a gateway's current secrets, under a key of the broker's. Who renews it may do so
until `held_until` (microseconds); an empty `holder` is nobody."""

connector_quota = Table(
    "broker_connector_quota",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("seconds", Integer, primary_key=True, autoincrement=False),
    Column("began", BigInteger, nullable=False),
    Column("used", Integer, nullable=False),
)
"""Calls to a department in the window of so many seconds that began then; one row per window's length."""

figures_state = Table(
    "broker_figures_state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("reached", BigInteger, nullable=False),
    Column("month", String(7), nullable=False),
    Column("ground", LargeBinary(32), nullable=False),
)
"""One row: up to which index of the log the figures are counted, in which month that is, and by which rules."""

figures_case = Table(
    "broker_figures_case",
    metadata,
    Column("case", String(200), primary_key=True),
    Column("life", LargeBinary, nullable=False),
)
"""What later entries of a case need to be counted rightly; JSON, people only as `subject_ref`."""

figures_fact = Table(
    "broker_figures_fact",
    metadata,
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("measure", String(16), nullable=False),
    Column("key", String(400), nullable=False),
    Column("case", String(200), nullable=False),
    Column("subject_ref", String(32), nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
)
"""What the entries of the running month add to it; gone when it is over and added up."""

figure = Table(
    "broker_figure",
    metadata,
    Column("month", String(7), primary_key=True),
    Column("measure", String(16), primary_key=True),
    Column("view", String(16), primary_key=True),
    Column("word", String(140), primary_key=True),
    Column("state", String(8), nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
)
"""The aggregates, month by month, as they may be shown: a number that may not be is not here either."""

problem = Table(
    "broker_problem",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("source", String(12), nullable=False),
    Column("matter", String(64), nullable=False),
    Column("step", String(40), nullable=False),
    Column("text", String(400), nullable=False),
    Column("owner", String(64), nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("due_on", String(10), nullable=False),
    Column("closed_at", BigInteger),
    Column("remedy", String(400), nullable=False),
)
"""What hurts on the way through a matter, who mends it and until when. Names no citizen and no case."""

rating = Table(
    "broker_rating",
    metadata,
    Column("id", LargeBinary(32), primary_key=True),
    Column("matter", String(64), nullable=False),
    Column("requester", String(64), nullable=False),
    Column("level", Integer, nullable=False),
    Column("reason", String(12), nullable=False),
    Column("month", String(7), nullable=False),
)
"""How a person found a decided case, once. `id` hashes her random reference with the case: it leads to nobody."""

consultation = Table(
    "broker_consultation",
    metadata,
    Column("month", String(7), primary_key=True),
    Column("channel", String(12), primary_key=True),
    Column("matter", String(64), primary_key=True),
    Column("answered", Integer, primary_key=True, autoincrement=False),
    Column("n", Integer, nullable=False),
)
"""How many questions came by which channel, apart from cases; what was asked, and by whom, is not kept."""

backup = Table(
    "broker_backup",
    metadata,
    Column("act", String(12), primary_key=True),
    Column("backup", String(40), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("outcome", String(12), nullable=False),
)
"""The last time that each thing was done with a backup, one row an act; `at` is seconds since 1970. The words are those
of broker/backup_record.py."""
