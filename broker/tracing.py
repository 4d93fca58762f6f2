"""Traces of exchanges by OpenTelemetry: one trace for each, its ten steps as spans. Needs the extra `tracing`.

In a span stand words of closed lists and nothing else: requester, matter, items with their outcomes, a refusal's code.
No person, case, desk, exchange or call: whoever holds the traces can hold them against nothing. A caller's own
`traceparent` is not read: sixteen bytes of somebody else's choosing have room for a number, and whether we trace is
ours to say.
"""

import asyncio
import secrets
import time
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Status, StatusCode, Tracer, set_span_in_context

from broker.steps import STEPS, UNHEARD, Walk
from broker.tracing_settings import TracingSettings
from policies.refusals import Refused

SEND_SECONDS: Final = 3
"""A place for traces that hangs holds up the end of the program for no longer."""


class Tracing:
    """Owns the thread that sends traces; what cannot be sent is dropped, and nobody waits for it."""

    def __init__(self, settings: TracingSettings, process: str, exporter: SpanExporter | None = None) -> None:
        self._share = settings.share
        sending = exporter or OTLPSpanExporter(endpoint=settings.endpoint, headers={}, timeout=SEND_SECONDS)
        resource = Resource({"service.name": "consent-broker", "service.instance.id": process})
        self._provider = TracerProvider(ALWAYS_ON, resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(sending))
        self._tracer = self._provider.get_tracer("broker")
        self._chance = secrets.SystemRandom()

    def begin(self) -> Walk:
        """An exchange begins: step 1."""
        if self._share < 1 and self._chance.random() >= self._share:
            return UNHEARD
        return TracedWalk(self._tracer)

    def close(self) -> None:
        self._provider.shutdown()


class TracedWalk:
    """Notes when each step began; the spans are made of that at its end."""

    __slots__ = ("_began", "_matter", "_requester", "_tracer")

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._began: list[tuple[int, int]] = [(1, time.time_ns())]
        self._requester = self._matter = ""

    def at(self, step: int) -> None:
        if step > self._began[-1][0]:
            self._began.append((step, time.time_ns()))

    def of(self, requester: str) -> None:
        self._requester = requester

    def about(self, matter: str) -> None:
        self._matter = matter

    def over(self, task: "asyncio.Task[Any]") -> None:
        ended = max(time.time_ns(), self._began[-1][1])
        root = self._tracer.start_span("exchange", Context(), start_time=self._began[0][1], attributes=self._words())
        status = _failed(task)
        inside = set_span_in_context(root, Context())
        ends = [began for _, began in self._began[1:]] + [ended]
        for (step, began), end in zip(self._began, ends, strict=True):
            span = self._tracer.start_span(f"{step} {STEPS[step - 1]}", inside, start_time=began)
            span.end(end)
        if status:
            root.set_attribute("broker.code", status)
            root.set_status(Status(StatusCode.ERROR, status))
        else:
            results = task.result().body["results"]
            root.set_attribute("broker.items", [str(result["item"]) for result in results])
            root.set_attribute("broker.outcomes", [str(result["outcome"]) for result in results])
        root.end(ended)

    def _words(self) -> dict[str, str]:
        words = {"broker.requester": self._requester, "broker.matter": self._matter}
        return {name: word for name, word in words.items() if word}


def _failed(task: "asyncio.Task[Any]") -> str:
    """A refusal's code, or the type of what nobody foresaw: its text may quote values. Empty where it was answered."""
    if task.cancelled():
        return "cancelled"
    error = task.exception()
    if isinstance(error, Refused):
        return str(error.refusal.code)
    return type(error).__name__ if error is not None else ""
