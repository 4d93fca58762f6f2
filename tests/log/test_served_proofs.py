"""GET /v1/log/proof: what it gives verifies without the server, and what it cannot give it says plainly."""

import base64
from typing import Any

import pytest

from audit.errors import MerkleError, NotInLog
from audit.proofs import consistency, inclusion, receipts
from audit.verify import open_note, parse_proof, verify_consistency, verify_inclusion, verify_receipt
from broker.exchange import receipt_members
from tests.log.growing import grow, members, refusal
from tests.world import World


def decoded(found: dict[str, Any]) -> list[bytes]:
    return [base64.b64decode(node, validate=True) for node in found["path"]]


async def test_inclusion_as_json_and_as_a_tlog_proof(world: World) -> None:
    size = await grow(world, 300)
    for index in (0, 1, 255, 256, size - 1):
        found = await members(world, f"/v1/log/proof?index={index}")
        checkpoint = open_note(found["checkpoint"].encode(), world.vkey)
        leaf = base64.b64decode(found["leaf_hash"], validate=True)
        verify_inclusion(leaf, index, decoded(found), size=checkpoint.size, root=checkpoint.root)
        proof = parse_proof(found["proof"])
        assert (proof.index, list(proof.path)) == (index, decoded(found))
        assert proof.unverified_checkpoint.decode() == found["checkpoint"]
        assert (found["index"], found["size"]) == (index, checkpoint.size) == (index, size)


async def test_inclusion_in_an_older_tree_is_for_the_checkpoint_that_the_asker_kept(world: World) -> None:
    await grow(world, 40)
    kept = await members(world, "/v1/log/proof?index=7")
    checkpoint = open_note(kept["checkpoint"].encode(), world.vkey)
    await grow(world, 300)
    again = await members(world, f"/v1/log/proof?index=7&size={checkpoint.size}")
    assert again == {name: kept[name] for name in ("index", "size", "leaf_hash", "path")}
    verify_inclusion(
        base64.b64decode(again["leaf_hash"]), 7, decoded(again), size=checkpoint.size, root=checkpoint.root
    )


async def test_consistency_from_every_size(world: World) -> None:
    kept = {}
    for count in (1, 2, 1, 5, 250, 300):
        await grow(world, count)
        found = await members(world, "/v1/log/proof?index=0")
        kept[found["size"]] = open_note(found["checkpoint"].encode(), world.vkey)
    for size, older in kept.items():
        found = await members(world, f"/v1/log/proof?from={size}")
        newer = open_note(found["checkpoint"].encode(), world.vkey)
        assert (found["from"], found["size"]) == (size, newer.size)
        verify_consistency(decoded(found), old_size=size, old_root=older.root, size=newer.size, root=newer.root)
    assert found["path"] == [], "a tree of one size continues itself"


REFUSED = [
    ("", (422, "invalid_request", "index")),
    ("size=3", (422, "invalid_request", "index")),
    ("index=1&from=1", (422, "invalid_request", "from")),
    ("from=1&size=1", (422, "invalid_request", "from")),
    ("index=1&index=1", (422, "invalid_request", "index")),
    ("index=1&other=1", (422, "invalid_request", "query")),
    ("other=1&index=x", (422, "invalid_request", "query")),
    ("index=", (422, "invalid_request", "index")),
    ("index=-1", (422, "invalid_request", "index")),
    ("index=01", (422, "invalid_request", "index")),
    ("index=%2B1", (422, "invalid_request", "index")),
    ("index=1.0", (422, "invalid_request", "index")),
    ("index=1e3", (422, "invalid_request", "index")),
    ("index=%D9%A1", (422, "invalid_request", "index")),
    ("index=1%0A", (422, "invalid_request", "index")),
    ("index=" + "9" * 5000, (422, "invalid_request", "index")),
    ("index=0&size=x", (422, "invalid_request", "size")),
    ("from=0", (422, "invalid_request", "from")),
    ("from=x", (422, "invalid_request", "from")),
    ("index=999999999999999999", (404, "not_found", "index")),
    ("index=0&size=999999999999999999", (404, "not_found", "size")),
    ("index=0&size=0", (404, "not_found", "index")),
    ("index=2&size=2", (404, "not_found", "index")),
    ("from=999999999999999999", (404, "not_found", "from")),
]


async def test_receipts_as_of_one_head(world: World) -> None:
    size = await grow(world, 300)
    wanted = [size - 1, 0, 270, 270]
    with world.broker.database.reader.begin() as connection:
        found = receipts(connection, wanted)
        assert receipts(connection, []) == {}
        for beyond in (size, 2**70, -1):
            with pytest.raises(NotInLog):
                receipts(connection, [0, beyond])
            with pytest.raises(NotInLog):
                inclusion(connection, beyond)
        for never in (0, size + 1, 2**70, -1):
            with pytest.raises((NotInLog, MerkleError)):
                consistency(connection, never)
    assert found.keys() == set(wanted)
    for index, receipt in found.items():
        verified = verify_receipt(receipt_members(receipt), world.vkey)
        assert (verified.entry.index, verified.checkpoint.size) == (index, size)


async def test_a_bad_query_names_its_first_bad_parameter(world: World) -> None:
    await grow(world, 3)
    for query, refused in REFUSED:
        assert await refusal(world, f"/v1/log/proof?{query}") == refused, query
