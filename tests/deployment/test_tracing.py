"""One exchange, one trace, ten steps; sent to a real collector, with no personal value in any byte of it."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from broker.settings import read_settings
from broker.steps import STEPS, UNHEARD
from broker.tracing import Tracing
from broker.tracing_settings import TracingSettings
from connectors.departments.fleet import Fleet
from connectors.departments.people import XU
from policies.strict_yaml import ConfigurationError
from tests.deployment.collector import Collector, collector
from tests.world import ITEMS, MATTER, OPERATOR, open_world

NAMES = [f"{number} {name}" for number, name in enumerate(STEPS, 1)]
REFUSED_AT_MATCH = [*NAMES[:4], NAMES[5]]
"""What 3 to 5 refuse is recorded by 6."""
WORDS = {"broker.requester", "broker.matter", "broker.items", "broker.outcomes", "broker.code"}
CASE = "YZ-2026-CANARY"
THEIRS = "0af7651916cd43dd8448eb211c80319c"


async def exchanges(folder: Path, fleet: Fleet, sent: Collector) -> list[str]:
    """One that is answered and one that is refused; what must not be found."""
    tracing = TracingSettings(sent.endpoint, 1.0)
    async with open_world(folder, fleet, change=lambda settings: replace(settings, tracing=tracing)) as world:
        centre, phone = await world.centre(), await world.phone(XU)
        consent = await world.grant(centre, phone, case=CASE)
        world.http.headers["traceparent"] = f"00-{THEIRS}-b7ad6b7169203331-01"
        answered = await world.pull(centre, consent, case=CASE, exchange="x-canary-exchange")
        assert answered.status == 200
        refused = await world.pull(centre, consent, case="YZ-2026-OTHER-CANARY")
        assert refused.code == "case_mismatch"
        calls = [entry["body"]["call"] for entry in world.entries() if "call" in entry["body"]]
        values = [value for result in answered.members["results"] for value in leaves(result.get("records"))]
    assert calls
    assert values
    kept = [consent, answered.members["receipt"]["proof"], *calls, *values, XU.name, XU.id_number, CASE, THEIRS]
    return [*kept, "OTHER-CANARY", "canary-exchange", *OPERATOR.values()]


def leaves(value: Any) -> list[str]:
    """Texts long enough to be somebody's."""
    if isinstance(value, dict):
        return [leaf for one in value.values() for leaf in leaves(one)]
    if isinstance(value, list):
        return [leaf for one in value for leaf in leaves(one)]
    return [value] if isinstance(value, str) and len(value) > 5 else []


async def test_a_collector_is_sent_the_ten_steps_and_nothing_personal(tmp_path: Path, fleet: Fleet) -> None:
    with collector() as sent:
        hidden = await exchanges(tmp_path, fleet, sent)
    spans = sent.spans()
    roots = sorted((span for span in spans if not span.parent_span_id), key=lambda span: span.start_time_unix_nano)
    assert [root.name for root in roots] == ["exchange", "exchange"]
    words = [{word.key: word.value for word in root.attributes} for root in roots]
    assert words[0]["broker.requester"].string_value == "yz-hpf"
    assert words[0]["broker.matter"].string_value == MATTER
    assert {value.string_value for value in words[0]["broker.items"].array_value.values} == set(ITEMS)
    assert words[1]["broker.code"].string_value == "case_mismatch"
    assert "broker.matter" not in words[1]
    for root, names in zip(roots, (NAMES, REFUSED_AT_MATCH), strict=True):
        steps = [span for span in spans if span.parent_span_id == root.span_id]
        steps.sort(key=lambda span: span.start_time_unix_nano)
        assert [span.name for span in steps] == names
        assert {span.trace_id for span in steps} == {root.trace_id}
        assert steps[0].start_time_unix_nano == root.start_time_unix_nano
        assert steps[-1].end_time_unix_nano == root.end_time_unix_nano
        assert all(span.end_time_unix_nano >= span.start_time_unix_nano for span in steps)
        assert not root.links
    assert {word.key for span in spans for word in span.attributes} <= WORDS
    everything = sent.everything()
    assert THEIRS not in [span.trace_id.hex() for span in spans]
    assert not [value for value in hidden if value.encode() in everything]
    assert not [value for value in hidden if json.dumps(value).strip('"').encode() in everything]


async def test_an_error_is_told_by_its_type_alone() -> None:
    kept = InMemorySpanExporter()
    tracing = Tracing(TracingSettings("http://127.0.0.1:1/v1/traces", 1.0), "p", kept)

    async def fail() -> None:
        raise RuntimeError(XU.id_number)

    walk = tracing.begin()
    task = asyncio.ensure_future(fail())
    await asyncio.wait([task])
    walk.at(2)
    walk.at(1)
    walk.over(task)
    tracing.close()
    root, first, second = sorted(kept.get_finished_spans(), key=lambda span: (span.parent is not None, span.name))
    assert (first.name, second.name) == ("1 read", "2 requester")
    assert root.attributes == {"broker.code": "RuntimeError"}
    assert XU.id_number not in "".join(span.to_json() for span in (root, first, second))


async def test_a_share_of_them_and_none_by_default(tmp_path: Path, fleet: Fleet) -> None:
    tracing = Tracing(TracingSettings("http://127.0.0.1:1/v1/traces", 0.5), "p", InMemorySpanExporter())
    heard = [tracing.begin() is not UNHEARD for _ in range(400)]
    tracing.close()
    assert 100 < sum(heard) < 300
    async with open_world(tmp_path, fleet) as world:
        assert world.broker.listener.begin() is UNHEARD


async def test_a_collector_that_is_away_holds_nobody_up(tmp_path: Path, fleet: Fleet) -> None:
    away = TracingSettings("http://127.0.0.1:1/v1/traces", 1.0)
    async with open_world(tmp_path, fleet, change=lambda settings: replace(settings, tracing=away)) as world:
        centre, phone = await world.centre(), await world.phone(XU)
        assert (await world.pull(centre, await world.grant(centre, phone))).status == 200


@pytest.mark.parametrize(
    "block",
    [
        "{endpoint: 'http://collector.example/v1/traces'}",
        "{endpoint: 'https://collector.example'}",
        "{endpoint: 'https://me:secret@collector.example/v1/traces'}",
        "{endpoint: 'https://collector.example/v1/traces', share: 0}",
        "{endpoint: 'https://collector.example/v1/traces', share: 1.5}",
        "{share: 1}",
    ],
)
def test_an_unsafe_place_is_refused(tmp_path: Path, block: str) -> None:
    file = tmp_path / "broker.yaml"
    file.write_text(f"issuer: http://127.0.0.1:1\ntracing: {block}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"broker\.yaml:2: "):
        read_settings(file)
