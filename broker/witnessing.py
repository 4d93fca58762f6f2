"""Asking witnesses to cosign the log's newest checkpoint, beside everything else: nothing ever waits for them.

A round reads the head and, for each witness that has not seen it, proves that it continues what that witness cosigned
last. What comes back is verified and kept in `audit_seal`, by a unit of work without entries: sealing does not grow the
log. A witness that cannot be reached stops nothing; it is an alarm. A witness that saw another history is a grave one.
"""

import asyncio
import base64
import contextlib
import time
from dataclasses import dataclass
from typing import Final

import aiohttp
from sqlalchemy import Connection

from audit import seals
from audit.batch import Transaction, read_head
from audit.cosignature import Cosignature, cosignatures
from audit.errors import NoteRefused, QuorumMissing
from audit.merkle import consistency_path
from audit.note import read_note, read_size
from audit.quorum import Policy, Witness, satisfied
from audit.tiles import node_reader
from broker.alarms import FINE, Alarm
from broker.posting import open_session, post
from broker.sealing import WitnessSettings
from broker.storage import Storage
from broker.telemetry import Telemetry

LOOK_EVERY: Final = 2.0
"""Seconds between looks whether the log has grown, or another process has gathered seals."""
ATTEMPTS: Final = 3
"""Requests a round: a witness that knows another size than we thought tells it in its answer."""
MEDIA_TYPE: Final = "text/plain"
LATE_AFTER: Final = 3
"""Rounds without a quorum until that is an alarm."""
SIZES_LOOKED_AT: Final = 16

FORK: Final = "POSSIBLE FORK"


@dataclass(frozen=True, slots=True)
class Submission:
    """The newest checkpoint, and the proof from an older size of the same log."""

    old: int
    size: int
    checkpoint: bytes
    path: tuple[bytes, ...]

    def body(self) -> bytes:
        lines = "".join(f"{base64.b64encode(node).decode()}\n" for node in self.path)
        return f"old {self.old}\n{lines}\n".encode() + self.checkpoint


class AnotherHistory(Exception):
    """A witness holds a tree of ours that is not in our log: possibly the log was forked."""


class WitnessFailed(Exception):
    """A witness gave no cosignature this time; the text says why, in a few words."""


class Witnessing:
    """Owns the alarms, and the newest checkpoint that a quorum cosigned. Lives on the server's event loop."""

    def __init__(self, settings: WitnessSettings, storage: Storage, telemetry: Telemetry) -> None:
        self._policy: Policy = settings.policy
        self._every = settings.every
        self._storage = storage
        self._telemetry = telemetry
        self._alarms = {name: Alarm(telemetry.log, f"witness {name}") for name in settings.policy.witnesses}
        self._quorum = Alarm(telemetry.log, "quorum of witnesses")
        self._covered = 0
        """The size of the newest checkpoint that a quorum cosigned."""
        self._cosigned = b""
        self._behind_since: float | None = time.monotonic()
        self._asked_at = float("-inf")

    async def run(self) -> None:
        """Look, ask, keep, for ever; a round that fails is told and the next one comes."""
        async with open_session() as session:
            while True:
                try:
                    await self._round(session)
                except Exception as error:  # noqa: BLE001 - the loop must outlive whatever a round meets
                    self._quorum.set(f"not asked: {type(error).__name__}")
                await asyncio.sleep(min(LOOK_EVERY, self._every))

    def checkpoint(self, newest: bytes) -> bytes:
        """What to hand out: the newest checkpoint with a quorum, or while that is missing, the newest there is."""
        return self._cosigned if self._cosigned and not self._is_late() else newest

    def alarms(self) -> dict[str, str]:
        """The state of the quorum, and of each witness that is not fine."""
        wrong = {f"witness {name}": alarm.state for name, alarm in self._alarms.items() if alarm.state != FINE}
        return {"witnesses": self._quorum.state, **wrong}

    def measure(self) -> None:
        """Set the gauges."""
        age = 0.0 if self._behind_since is None else time.monotonic() - self._behind_since
        self._telemetry.quorum_age.set(age)
        self._telemetry.possible_fork.set(sum(alarm.state.startswith(FORK) for alarm in self._alarms.values()))

    async def _round(self, session: aiohttp.ClientSession) -> None:
        size = await self._storage.read(lambda connection: read_head(connection).frontier.size)
        if size > self._covered and time.monotonic() - self._asked_at >= self._every:
            self._asked_at = time.monotonic()
            await asyncio.gather(*(self._ask(session, one) for one in self._policy.witnesses.values()))
        covered, cosigned = await self._storage.read(self._newest_quorum)
        self._take_note(size, covered, cosigned)

    async def _ask(self, session: aiohttp.ClientSession, witness: Witness) -> None:
        alarm = self._alarms[witness.name]
        try:
            await self._submit(session, witness)
        except AnotherHistory as error:
            alarm.set(f"{FORK}: {error}", grave=True)
        except WitnessFailed as error:
            alarm.set(str(error))
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            alarm.set(f"not reached: {type(error).__name__}")
        else:
            alarm.set(FINE)

    async def _submit(self, session: aiohttp.ClientSession, witness: Witness) -> None:
        kept = old = await self._storage.read(lambda connection: _newest_size(connection, witness))
        for _ in range(ATTEMPTS):
            submission = await self._prepare(old)
            if submission.size == kept:
                return  # another process of ours has shown it all there is
            status, body = await post(session, f"{witness.url}/add-checkpoint", submission.body(), MEDIA_TYPE)
            match status:
                case 200:
                    await self._keep(submission, witness, _verified(submission, body, witness))
                    return
                case 409:
                    old = await self._known_size(body)
                case 422:
                    raise AnotherHistory(f"it holds another tree of {old} entries")
                case _:
                    raise WitnessFailed(f"answered {status}")
        raise WitnessFailed("told another size each time")

    async def _prepare(self, old: int) -> Submission:
        def read(connection: Connection) -> Submission:
            head = read_head(connection)
            size = head.frontier.size
            path = consistency_path(old, size, node_reader(connection, size)) if old else ()
            return Submission(old, size, head.checkpoint, path)

        return await self._storage.read(read)

    async def _known_size(self, body: bytes) -> int:
        """What a witness says it cosigned last. Raises AnotherHistory where our log never had that many entries."""
        try:
            known = read_size(body.decode("ascii").removesuffix("\n"))
        except (UnicodeDecodeError, NoteRefused) as error:
            raise WitnessFailed("told no size with its conflict") from error
        # Read anew: another process of ours may have shown it more than the head that was read before
        size = await self._storage.read(lambda connection: read_head(connection).frontier.size)
        if known > size:
            raise AnotherHistory(f"it cosigned {known} entries, this log has {size}")
        return known

    async def _keep(self, submission: Submission, witness: Witness, cosignature: Cosignature) -> None:
        note = submission.checkpoint + f"{cosignature.line}\n".encode()
        time_sealed = cosignature.time * 1_000_000
        seal = seals.Seal(submission.size, seals.WITNESS, witness.key.unique_name, note, time_sealed)

        def work(transaction: Transaction) -> None:
            seals.keep(transaction.connection, seal)

        await self._storage.record(work)

    def _newest_quorum(self, connection: Connection) -> tuple[int, bytes]:
        origin = read_head(connection).origin
        for size in seals.cosigned_sizes(connection, SIZES_LOOKED_AT):
            if size <= self._covered:
                break
            note = seals.cosigned(connection, origin, size)
            with contextlib.suppress(QuorumMissing, NoteRefused):
                if note and satisfied(self._policy, note):
                    return size, note
        return self._covered, self._cosigned

    def _take_note(self, size: int, covered: int, cosigned: bytes) -> None:
        if covered >= size:
            self._behind_since = None
        elif covered > self._covered or self._behind_since is None:
            self._behind_since = time.monotonic()
        self._covered, self._cosigned = covered, cosigned
        forked = [name for name, alarm in self._alarms.items() if alarm.state.startswith(FORK)]
        if forked:
            self._quorum.set(f"{FORK}: {', '.join(forked)}", grave=True)
        elif self._is_late():
            self._quorum.set(f"missing above {covered} entries")
        elif covered:
            self._quorum.set(FINE)

    def _is_late(self) -> bool:
        behind = self._behind_since
        return behind is not None and time.monotonic() - behind > LATE_AFTER * self._every


def _newest_size(connection: Connection, witness: Witness) -> int:
    return seals.newest_size(connection, seals.WITNESS, witness.key.unique_name)


def _verified(submission: Submission, body: bytes, witness: Witness) -> Cosignature:
    """This witness's newest cosignature; lines of keys unknown here are ignored. Raises WitnessFailed."""
    try:
        found = cosignatures(read_note(submission.checkpoint + body), witness.key)
    except NoteRefused as error:
        raise WitnessFailed("its cosignature does not verify") from error
    if not found:
        raise WitnessFailed("its answer holds no cosignature of its key")
    return max(found, key=lambda one: one.time)
