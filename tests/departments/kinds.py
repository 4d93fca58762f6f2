"""The rows of the table: one running department of each kind, told every fault. A new kind adds one row.

A kind that answers late has two: how it is asked, and how it is carried on with after it left a question pending.
"""

from collections.abc import Iterable, Mapping

from policies.vocabulary import Outcome
from tests.departments.by_hand import manual
from tests.departments.exchange_databases import on_mariadb, on_postgresql, sqlite_file
from tests.departments.file_departments import in_folder, on_sftp
from tests.departments.http_departments import JSON_HEAD, XML_HEAD, at_once, further
from tests.departments.running import Kind
from tests.departments.table_databases import tables_in_file, tables_on_mariadb, tables_on_postgresql

WIRE = ("refused", "reset mid-body", "hang at connect", "hang in body", "one byte a second", "truncated")
STATUSES = ("5xx", "429")
TLS = ("expired certificate", "wrong certificate")
XML = ("XML bomb", "external entity")
RECORDS = ("wrong person", "duplicates", "stale")
"""Faults of what is told about a person; the whole answer is well."""
CONTENT = ("wrong schema", *RECORDS)
EVERY = (*WIRE, *STATUSES, *TLS, *XML, *CONTENT, "100 MB")

BIG = (frozenset({Outcome.GARBLED, Outcome.TIMEOUT}), True)
DOWN = (frozenset({Outcome.DEPARTMENT_DOWN}), True)
UNOPENED = (frozenset({Outcome.GARBLED}), False)
NOTHING = (frozenset({Outcome.PENDING}), False)


def because(reason: str, faults: Iterable[str]) -> dict[str, str]:
    return dict.fromkeys(faults, reason)


NO_TLS = because("it is reached in clear here", TLS)
NO_XML = because("it sends rows, no XML", XML)
NO_LINE = because("it is a file on this machine: there is no line", {*WIRE, *TLS, "429"} - {"refused"})
NO_LINE_TO_TABLES = {name: why for name, why in NO_LINE.items() if name != "hang in body"} | {
    "truncated": "a file that was cut is shown by `sql, SQLite`; this one the department's own worker holds open"
}
DATABASE_TLS = because("its TLS is the driver's, set in its URL; the front door cannot stand within it", TLS)
ONLY_A_TICKET = because("what comes back is that it has the question: no record, nobody named", RECORDS)
NOTHING_BACK = because("a file is left, and nothing comes back yet", {*CONTENT, "100 MB", "truncated"})
NO_STATUS = because("a folder has no status", STATUSES)
NO_DATE = because("a pinned host key has no date", {"expired certificate"})
COMES_TO_US = because(
    "it posts to us: what hangs or never ends is for our own door (tests/faults/test_bad_http, late/test_arrivals)",
    {*WIRE, *STATUSES, *TLS, "100 MB"} - {"truncated"},
)
NOBODY_IS_ASKED = "the question waits on our own page: nothing goes out, nothing comes back"
TYPED_ONCE = "a person types one record, once, from the register that she has before her"

DATABASES = {
    # SQLite has one code for every mistake in a statement
    "SQLite": {"wrong schema": DOWN},
    # at connecting its client library tells no code, only words in the server's language
    "PostgreSQL": {"100 MB": BIG, "truncated": DOWN, "reset mid-body": DOWN, "429": DOWN},
    "MariaDB": {"100 MB": BIG, "truncated": DOWN, "reset mid-body": DOWN},
}
TICKET = further("ticket_platform", JSON_HEAD, tls=True)
PUSHING = further("pushing_office", JSON_HEAD, tls=False)

KINDS: Mapping[str, Kind] = {
    "http, JSON over TLS": Kind(
        "real_estate_registration",
        Outcome.FOUND,
        at_once("property_registry", "real_estate_registration", tls=True),
    ),
    "http, XML": Kind(
        "marriage_check_single",
        Outcome.MATCH,
        at_once("civil_affairs", "marriage_check_single", tls=False),
        without=NO_TLS,
        short=frozenset({"5xx", "truncated", *XML, *RECORDS}),
    ),
    "soap": Kind(
        "marriage_check_single",
        Outcome.MATCH,
        further("civil_affairs_soap", XML_HEAD, tls=True),
        short=frozenset({"5xx", "truncated", "expired certificate", "wrong person", *XML}),
    ),
    "sql, SQLite": Kind(
        "deed_tax",
        Outcome.FOUND,
        sqlite_file,
        unlike=DATABASES["SQLite"] | {"truncated": UNOPENED},
        without={name: why for name, why in NO_LINE.items() if name not in {"hang in body", "truncated"}} | NO_XML,
    ),
    "sql, PostgreSQL": Kind(
        "deed_tax",
        Outcome.FOUND,
        on_postgresql,
        unlike=DATABASES["PostgreSQL"],
        without=DATABASE_TLS | NO_XML,
        short=frozenset({"hang in body", "429", "wrong schema", "100 MB"}),
    ),
    "sql, MariaDB": Kind(
        "deed_tax",
        Outcome.FOUND,
        on_mariadb,
        unlike=DATABASES["MariaDB"],
        without=DATABASE_TLS | NO_XML,
        short=frozenset({"reset mid-body", "hang at connect", "429", "truncated", "wrong schema"}),
    ),
    "ticket, asked": Kind(
        "real_estate_registration",
        Outcome.PENDING,
        TICKET,
        without=ONLY_A_TICKET,
        short=frozenset({"429", "truncated", "wrong schema"}),
    ),
    "ticket, carried on": Kind(
        "real_estate_registration",
        Outcome.FOUND,
        TICKET,
        carried_on=True,
        short=frozenset({"refused", "hang in body", "5xx", "100 MB", *CONTENT}),
    ),
    "push, asked": Kind(
        "hpf_remote_account",
        Outcome.PENDING,
        PUSHING,
        without=NO_TLS | ONLY_A_TICKET,
        short=frozenset({"refused", "5xx", "wrong schema"}),
    ),
    "push, carried on": Kind(
        "hpf_remote_account",
        Outcome.FOUND,
        PUSHING,
        carried_on=True,
        # what was signed otherwise than it came, or names no question, is nobody's post
        unlike=dict.fromkeys(("truncated", *XML), NOTHING),
        without=COMES_TO_US,
        short=frozenset({"truncated", *CONTENT}),
    ),
    "files in a folder, asked": Kind(
        "deed_tax",
        Outcome.PENDING,
        in_folder,
        without=NO_LINE | NO_XML | NOTHING_BACK | NO_STATUS,
    ),
    "files in a folder, carried on": Kind(
        "deed_tax",
        Outcome.FOUND,
        in_folder,
        carried_on=True,
        never_left_alone=True,
        without={name: why for name, why in NO_LINE.items() if name not in {"hang in body", "truncated"}}
        | NO_XML
        | NO_STATUS,
    ),
    "files by SFTP, asked": Kind(
        "deed_tax",
        Outcome.PENDING,
        on_sftp,
        without=NO_DATE | NO_XML | NOTHING_BACK,
        short=frozenset({"reset mid-body", "one byte a second", "5xx", "wrong certificate"}),
    ),
    "files by SFTP, carried on": Kind(
        "deed_tax",
        Outcome.FOUND,
        on_sftp,
        carried_on=True,
        without=NO_DATE | NO_XML,
        short=frozenset({"429", "truncated", "wrong schema", "100 MB"}),
    ),
    **{
        f"sql_tables, {server}, {step}": Kind(
            "deed_tax",
            Outcome.FOUND,
            start,
            carried_on=step == "carried on",
            unlike=DATABASES[server],
            without=without | NO_XML,
            short=frozenset(short) if step == "carried on" else frozenset(short[:1]),
        )
        for server, start, without, short in (
            ("SQLite", tables_in_file, NO_LINE_TO_TABLES, ("5xx", "refused", "hang in body", "wrong person", "stale")),
            # every run has both servers' two tables in tests/connectors/test_servers.py
            ("PostgreSQL", tables_on_postgresql, DATABASE_TLS, ()),
            ("MariaDB", tables_on_mariadb, DATABASE_TLS, ()),
        )
        for step in ("asked", "carried on")
    },
    "manual, asked": Kind("deed_tax", Outcome.PENDING, manual, without=because(NOBODY_IS_ASKED, EVERY)),
    "manual, carried on": Kind(
        "deed_tax",
        Outcome.FOUND,
        manual,
        carried_on=True,
        # nobody at the end of a line is in trouble: the next question is as good as the last
        unlike=dict.fromkeys(("100 MB", "truncated"), UNOPENED),
        without=because(NOBODY_IS_ASKED, {*WIRE, *STATUSES, *TLS} - {"truncated"})
        | because(TYPED_ONCE, {*XML, "duplicates", "stale"}),
    ),
}
