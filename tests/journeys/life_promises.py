"""What the log must say of one consent, whatever was done to it: read from the entries alone."""

from typing import Any


def check_life(entries: list[dict[str, Any]], uses: int) -> None:
    """The promises, from nothing but the log's entries about one requester's one consent."""
    admitted = {entry["index"]: entry["body"] for entry in entries if entry["event"] == "exchange.admitted"}
    ended = [entry for entry in entries if entry["event"] in ("exchange.released", "exchange.withheld")]
    withdrawn = [entry["index"] for entry in entries if entry["event"] == "consent.withdrawn"]
    spent = {body["exchange"]: body["consents"][0]["use"] for body in admitted.values()}
    assert sorted(spent.values()) == list(range(1, len(spent) + 1))
    assert len(spent) <= uses
    assert sorted(entry["body"]["admitted"] for entry in ended) == sorted(admitted)
    assert all(entry["body"]["admitted"] < entry["index"] for entry in ended)
    for index in withdrawn:
        assert max(admitted, default=-1) < index
        assert [entry for entry in ended if entry["event"] == "exchange.released" and entry["index"] > index] == []
    assert len(withdrawn) <= 1
    assert sum(entry["event"] == "consent.granted" for entry in entries) <= 1
