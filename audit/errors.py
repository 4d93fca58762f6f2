"""What the ledger and its proofs can refuse, under one exception base.

AuditError
 ├─ MerkleError         ValueError: a size, index or hash that no tree of that shape has
 ├─ CheckpointError     ValueError: a name or root that no checkpoint can carry
 ├─ TilePathError       ValueError: not the path of a tile
 ├─ NoteRefused         ValueError: a signed note that is malformed, or a verifier key that does not hold
 │   └─ SignatureRefused  no trusted key signed it, or one signed wrongly
 ├─ PolicyRefused       ValueError: a line of a tlog-policy file that does not hold
 ├─ QuorumMissing       too few of a policy's witnesses signed
 ├─ TimestampRefused    ValueError: not a time stamp of this checkpoint from an authority that is trusted
 ├─ SearchRefused       ValueError: a search that is not well formed
 ├─ NotInLog            LookupError: a tile, bundle or node beyond the log's size
 ├─ LogDamaged          a row that must be there is missing or misshapen
 ├─ ExportRefused       the folder cannot take an export
 ├─ LogForked           the database's log does not extend what was known before
 ├─ EntryTooLarge       ValueError: the entry would not fit an entry bundle
 └─ LedgerUnavailable   nothing can be recorded now, so nothing may leave
     ├─ LedgerBusy      the queue is full; ask again
     └─ ClockBehind     the wall clock lies behind the log's last time
"""


class AuditError(Exception):
    """Anything this room refuses."""


class MerkleError(AuditError, ValueError):
    """A size, index or hash that no tree of that shape has."""


class CheckpointError(AuditError, ValueError):
    """A name or root that no checkpoint can carry."""


class TilePathError(AuditError, ValueError):
    """Not the path of a tile of hashes; `part` is the first bad one: level, number or width."""

    def __init__(self, part: str) -> None:
        super().__init__(f"the tile path's {part} is not of the form of C2SP tlog-tiles")
        self.part = part


class NoteRefused(AuditError, ValueError):
    """A signed note that is malformed, or a signature or verifier key that does not hold."""


class SignatureRefused(NoteRefused):
    """A well-formed note that no trusted key signed, or on which a trusted key's signature is wrong."""


class PolicyRefused(AuditError, ValueError):
    """A line of a tlog-policy file that does not hold."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.reason = reason
        self.line = line


class QuorumMissing(AuditError):
    """Too few of a policy's witnesses signed this checkpoint."""


class TimestampRefused(AuditError, ValueError):
    """Not a time stamp of this checkpoint from an authority that is trusted."""


class SearchRefused(AuditError, ValueError):
    """Not a search; `part` is what is wrong with it: cursor, month or limit."""

    def __init__(self, part: str, why: str) -> None:
        super().__init__(f"{part}: {why}")
        self.part = part


class NotInLog(AuditError, LookupError):
    """A tile, bundle or node beyond the log's size."""


class LogDamaged(AuditError):
    """A row that must be there is missing or misshapen: the database was changed behind the ledger."""


class LogForked(AuditError):
    """The database's log does not extend what was known before: a restored backup, or worse. Waiting does not help."""


class ExportRefused(AuditError):
    """The folder cannot take an export."""


class EntryTooLarge(AuditError, ValueError):
    """The entry would not fit an entry bundle; its event's name and its length in bytes."""

    def __init__(self, event: str, length: int) -> None:
        super().__init__(f"an entry {event} of {length} bytes is too large for the log")


class LedgerUnavailable(AuditError):
    """Nothing can be recorded now, so nothing may leave."""


class LedgerBusy(LedgerUnavailable):
    """The writer's queue is full; the caller may ask again."""


class ClockBehind(LedgerUnavailable):
    """The wall clock lies further behind the log's last time than is allowed."""
