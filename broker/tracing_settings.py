"""The block `tracing:` of the settings: where traces of exchanges go, and of how many."""

import importlib.util
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import msgspec

from broker.loopback import is_loopback
from policies.strict_yaml import Located


class TracingFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    endpoint: str
    """Where OTLP over HTTP is taken, with its path: http://127.0.0.1:4318/v1/traces."""
    share: float = 1.0
    """Of all exchanges, by chance."""


@dataclass(frozen=True, slots=True)
class TracingSettings:
    endpoint: str
    share: float


def read_tracing(given: TracingFile | None, located: Located) -> TracingSettings | None:
    """None where there is no such block. Raises ConfigurationError."""
    if given is None:
        return None
    parts = urlsplit(given.endpoint)
    if parts.scheme not in _SCHEMES or not parts.hostname or not parts.path or "@" in parts.netloc:
        raise located.error("endpoint must be an address like https://collector.example/v1/traces", *_KEY, "endpoint")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise located.error("plain http only on this machine; use https", *_KEY, "endpoint")
    if importlib.util.find_spec("opentelemetry.sdk") is None:
        raise located.error("install consent-broker[tracing] to send traces", *_KEY)
    if not 0 < given.share <= 1:
        raise located.error("share: more than 0, at most 1", *_KEY, "share")
    return TracingSettings(given.endpoint, given.share)


_SCHEMES: Final = frozenset({"http", "https"})
_KEY: Final = ("tracing",)
