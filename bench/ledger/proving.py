"""How long proofs take, of an entry's inclusion and that an older tree continues: made from the store, and verified."""

import base64
import random
import statistics
import time
from typing import Final

from sqlalchemy import Connection

from audit import verify
from audit.merkle import root_at
from audit.proofs import consistency, receipts
from audit.tiles import node_reader

PROOFS: Final = 200


def proof_times(connection: Connection, size: int, vkey: str) -> dict[str, float]:
    """Medians in milliseconds over proofs of random entries and older trees. Raises VerificationError."""
    chance = random.Random(size)
    made, checked, continued, compared = [], [], [], []
    for _ in range(PROOFS):
        began = time.perf_counter()
        receipt = receipts(connection, [index := chance.randrange(size)])[index]
        made.append(time.perf_counter() - began)
        members = {"entry": base64.b64encode(receipt.entry).decode(), "proof": receipt.proof}
        began = time.perf_counter()
        checkpoint = verify.verify_receipt(members, vkey).checkpoint
        checked.append(time.perf_counter() - began)
        began = time.perf_counter()
        proof = consistency(connection, chance.randrange(1, size + 1))
        continued.append(time.perf_counter() - began)
        old_root = root_at(proof.old, node_reader(connection, size))
        began = time.perf_counter()
        verify.verify_consistency(proof.path, old_size=proof.old, old_root=old_root, size=size, root=checkpoint.root)
        compared.append(time.perf_counter() - began)
    times = {"inclusion made": made, "inclusion verified": checked}
    times |= {"consistency made": continued, "consistency verified": compared}
    return {name: statistics.median(seconds) * 1000 for name, seconds in times.items()}
