"""Where the program is put together: from settings to a running broker, and down again in order."""

import asyncio
import contextlib
import importlib
import json
import signal
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, insert, select, update

from audit.anchor import AnchorFile
from audit.batch import Transaction, found, read_head
from audit.events import ConfigurationLoaded
from audit.ledger import Ledger, Safeguards
from broker import ceremonies, login, requesters, schema, sign_ins, tables, waiting
from broker.admission import Versions
from broker.backup_record import check_restored
from broker.backup_watch import BackupWatch
from broker.carrying_on import CarryingOn
from broker.configuring import Digests, check_approved
from broker.connector_memory import StoredMemory
from broker.database import Database, create_database, open_database
from broker.exchange import ExchangePath
from broker.figures.cases import Ground
from broker.figures.counting import Counting, count_on
from broker.interruption import close_failed, close_interrupted, running_processes
from broker.keys import Keys, make_keys, read_keys
from broker.openid import OpenidProvider
from broker.overload import Places
from broker.processes import ProcessLock
from broker.requesters import RequesterKeys
from broker.settings import Settings
from broker.staff import sessions as staff_sessions
from broker.status_lists import StatusLists
from broker.steps import Listener, Nobody
from broker.storage import Storage
from broker.telemetry import Telemetry
from broker.telling import Telling
from broker.timestamping import Timestamping
from broker.witnessing import Witnessing
from connectors.directory import Directory
from connectors.routes import read_routes
from consent.subjects import DeviceKeys
from policies.catalogue import Catalogue
from policies.decision import Rules
from policies.strict_yaml import ConfigurationError

HOUSEKEEPING: Final = 60
"""Seconds between clearing of spent token ids and ended sessions."""
PAUSE: Final = 0.05
"""Seconds between two pieces of the log that are counted, so that others have their turn."""
RETURN_PATH: Final = "/sign-in/return"
"""Where the identity provider sends people back to: what is registered there."""
STAFF_RETURN_PATH: Final = "/staff/return"
"""The same for auditors, stewards and administrators, on the host that is theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """The running program's parts, each made once and handed to whoever needs it."""

    settings: Settings
    keys: Keys
    database: Database
    storage: Storage
    catalogue: Catalogue
    rules: Rules
    directory: Directory
    requester_keys: RequesterKeys
    path: ExchangePath
    status_lists: StatusLists
    telling: Telling
    process: ProcessLock
    telemetry: Telemetry
    now: Callable[[], float]
    """Seconds since 1970: the later of the wall clock and the ledger's last time."""
    clock: Callable[[], int]
    """The wall clock alone, microseconds: only to tell whether it is right."""
    listener: Listener
    """Who hears of each exchange's steps."""
    backups: BackupWatch
    witnessing: Witnessing | None
    timestamping: Timestamping | None
    provider: OpenidProvider | None
    """The identity provider, where the settings name one."""
    staff_provider: OpenidProvider | None
    """The same, leading back to the staff's host."""

    @property
    def counting(self) -> Counting:
        """By what the figures are counted."""
        figures = self.settings.figures
        return Counting(Ground(self.catalogue.matters, figures.places), figures.smallest)

    @property
    def outside(self) -> tuple[Witnessing | Timestamping, ...]:
        """What asks others to seal the log, as far as the settings name them."""
        return tuple(part for part in (self.witnessing, self.timestamping) if part is not None)


def wall_clock() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000


def initialise(settings: Settings) -> None:
    """Make keys, tables and the empty log. Never overwrites: FileExistsError."""
    database = create_database(settings)
    try:
        make_keys(settings.secrets)
        keys = read_keys(settings.secrets, settings.log_origin)
        with database.long_turn() as connection:
            schema.upgrade(connection)
            found(connection, keys.log)
    finally:
        database.close()


def open_storage(settings: Settings, keys: Keys, clock: Callable[[], int] = wall_clock) -> tuple[Database, Storage]:
    """The database and the one door, for the server and for commands alike."""
    database = open_database(settings)
    anchor = AnchorFile(settings.anchor)
    safeguards = Safeguards(anchor, settings.clock_limit, database.reopen, _abandon)
    try:
        with database.reader.begin() as connection:
            check_restored(connection, anchor.read())
            signer = keys.log.named(read_head(connection).origin)  # an accepted fork has moved it on from the settings
        ledger = Ledger(database.turn, signer, clock, safeguards=safeguards)
    except BaseException:
        database.close()
        raise
    return database, Storage(ledger, database.reader)


def current_vkey(settings: Settings, keys: Keys) -> str:
    """The log's verifier key under the origin that it has now."""
    database = open_database(settings)
    try:
        with database.reader.begin() as connection:
            return keys.log.named(read_head(connection).origin).vkey
    finally:
        database.close()


def build(settings: Settings, telemetry: Telemetry, clock: Callable[[], int] = wall_clock) -> Broker:
    """Everything read, checked and connected, and what dead processes left behind closed. Raises ConfigurationError."""
    catalogue = Catalogue.load(settings.catalogue)
    rules = Rules.load(settings.rules)
    routes = read_routes(settings.routes, catalogue.items, settings.route_secrets)
    keys = read_keys(settings.secrets, settings.log_origin)
    database, storage = open_storage(settings, keys, clock)
    keys = replace(keys, log=storage.ledger.signer)
    process = database.process_lock()
    memory = StoredMemory(storage, keys.subjects.wrapping, clock)
    directory = Directory.open(routes, memory, workdays=settings.workdays, watch=telemetry.observe)

    def now() -> float:
        return max(clock(), storage.ledger.last_time) / 1_000_000

    requester_keys = RequesterKeys(database.reader)
    path = ExchangePath(
        storage=storage,
        keys=requester_keys,
        subjects=keys.subjects,
        catalogue=catalogue,
        rules=rules,
        directory=directory,
        devices=DeviceKeys(),
        versions=Versions(rules.digest, catalogue.digest, process.id),
        places=Places(settings.load.exchanges),
        issuer=settings.issuer,
        now=now,
        stop_after=settings.timestamps.stop_after if settings.timestamps is not None else 0,
        agreements_required=settings.agreements_required,
    )
    loaded = ConfigurationLoaded(
        catalogue_version=catalogue.version,
        catalogue=catalogue.digest,
        rules=rules.digest,
        routes=directory.digest,
        workdays=settings.workdays.digest,
    )
    if settings.second_person:
        _check_approved(database, storage, loaded)
    storage.ledger.record(lambda transaction: _record_loaded(transaction, loaded)).result()
    _close_left_behind(database, storage, process)
    return Broker(
        settings=settings,
        keys=keys,
        database=database,
        storage=storage,
        catalogue=catalogue,
        rules=rules,
        directory=directory,
        requester_keys=requester_keys,
        path=path,
        status_lists=StatusLists(settings.issuer, keys.issuer, storage, now),
        telling=Telling(settings.issuer, keys.issuer, settings.hook_networks, storage, now),
        process=process,
        telemetry=telemetry,
        now=now,
        clock=clock,
        listener=_open_listener(settings, process.id),
        backups=BackupWatch(settings.backup, storage, telemetry, now),
        witnessing=Witnessing(settings.witnesses, storage, telemetry) if settings.witnesses is not None else None,
        timestamping=(
            Timestamping(settings.timestamps, storage, telemetry, now) if settings.timestamps is not None else None
        ),
        provider=_provider(settings, settings.citizens + RETURN_PATH, now),
        staff_provider=_provider(settings, settings.staff + STAFF_RETURN_PATH, now),
    )


def _open_listener(settings: Settings, process: str) -> Listener:
    if settings.tracing is None:
        return Nobody()
    tracing = importlib.import_module("broker.tracing")  # an extra; found installed by read_settings
    listener: Listener = tracing.Tracing(settings.tracing, process)
    return listener


def _provider(settings: Settings, leads_back_to: str, now: Callable[[], float]) -> OpenidProvider | None:
    return OpenidProvider(settings.openid, leads_back_to, now) if settings.openid is not None else None


def _close_left_behind(database: Database, storage: Storage, process: ProcessLock) -> None:
    with database.reader.begin() as connection:
        running = running_processes(connection)
    dead = process.dead(running)
    storage.ledger.record(lambda transaction: close_interrupted(transaction, dead)).result()


def _abandon(_: str) -> None:
    # The log is not the one we knew. Ending in order would still answer calls; there is nothing left to answer with.
    signal.raise_signal(signal.SIGTERM)


async def keep_house(broker: Broker) -> None:
    """Clear what has ended, close what the ledger failed, for ever, once a minute."""
    while True:
        await asyncio.sleep(HOUSEKEEPING)
        with contextlib.suppress(Exception):  # a ledger in trouble says so in /readyz; clearing can wait
            await broker.storage.record(_clear_ended)
            await broker.storage.record(lambda transaction: _close_failed(transaction, broker))


async def keep_figures(broker: Broker) -> None:
    """Count what the log holds, for ever, once a minute."""
    while True:
        await asyncio.sleep(HOUSEKEEPING)
        with contextlib.suppress(Exception):  # they stay as they are until the ledger is well again
            while await asyncio.to_thread(count_on, broker.storage, broker.counting):  # noqa: ASYNC110 - it is work
                await asyncio.sleep(PAUSE)


@contextlib.asynccontextmanager
async def in_background(broker: Broker) -> AsyncIterator[None]:
    """Keep house, tell requesters and have the log sealed for as long as the block lasts; all has ended when left."""
    late = CarryingOn(broker.path).run(broker.telemetry)
    own = (keep_house(broker), keep_figures(broker), broker.backups.run())
    running = (*own, broker.telling.run(broker.telemetry), late, *(part.run() for part in broker.outside))
    tasks = [asyncio.create_task(one) for one in running]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def take_down(broker: Broker) -> None:
    """End in order: exchanges under way, then connectors, then the ledger, then the lock that says we live."""
    await broker.path.settled()
    await broker.directory.aclose()
    await asyncio.to_thread(broker.listener.close)
    for provider in (broker.provider, broker.staff_provider):
        if provider is not None:
            await provider.aclose()
    await asyncio.to_thread(broker.storage.ledger.close)
    # A read whose task was cancelled goes on in its thread: its connection must be back before the pool is closed
    await asyncio.get_running_loop().shutdown_default_executor()
    broker.database.close()
    broker.process.release()


def log_size(connection: Connection) -> int:
    return read_head(connection).frontier.size


def _close_failed(transaction: Transaction, broker: Broker) -> None:
    close_failed(transaction, broker.process.id, broker.path.under_way)


def _clear_ended(transaction: Transaction) -> None:
    requesters.forget_spent(transaction)
    login.forget_ended(transaction)
    sign_ins.forget_ended(transaction)
    staff_sessions.forget_ended(transaction)
    ceremonies.forget_ended(transaction)
    waiting.clear(transaction)


def _check_approved(database: Database, storage: Storage, loaded: ConfigurationLoaded) -> None:
    digests = Digests(loaded.catalogue, loaded.rules, loaded.routes, loaded.workdays)
    try:
        with storage.reader.begin() as connection:
            known = connection.execute(select(tables.configuration.c.digests)).scalar_one_or_none()
            check_approved(connection, digests, known.decode() if known is not None else None)
    except ConfigurationError:
        storage.ledger.close()
        database.close()
        raise


def _record_loaded(transaction: Transaction, loaded: ConfigurationLoaded) -> None:
    digests = json.dumps([loaded.catalogue, loaded.rules, loaded.routes, loaded.workdays]).encode()
    known = transaction.connection.execute(select(tables.configuration.c.digests)).scalar_one_or_none()
    if known == digests:
        return
    statement = insert(tables.configuration).values(id=1) if known is None else update(tables.configuration)
    transaction.connection.execute(statement.values(digests=digests))
    transaction.append(loaded)
