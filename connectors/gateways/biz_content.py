"""The body style `biz_content`: every parameter twice, once alone and once in a JSON string; the reply is in clear."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from connectors.contract import Question
from connectors.gateways.envelope_forms import BizContent
from connectors.requests import Sealed
from connectors.secret_files import Secret


class BizContentEnvelope:
    def __init__(self, form: BizContent, key: Secret) -> None:
        self._form = form
        self._key = key

    def seal(self, content: Mapping[str, Any], question: Question, now_ms: int) -> Sealed:  # noqa: ARG002 - the Envelope's shape
        own = {
            "app_id": self._form.app_id,
            "format": "json",
            "timestamp": str(now_ms),
            self._form.member: json.dumps(content, ensure_ascii=False, separators=(",", ":")),
        }
        members = {name: str(value) for name, value in content.items()} | own
        members["sign"] = signature(self._key.text, members)
        return Sealed("application/x-www-form-urlencoded", {}, urlencode(members).encode())

    def open(self, body: bytes, question: Question, now_ms: int) -> bytes:  # noqa: ARG002 - the Envelope's shape
        return body


def signature(key: str, members: Mapping[str, str]) -> str:
    """hex(HMAC-SHA256(key, `a=1&b=2`)), every member but `sign`, sorted by name."""
    text = "&".join(f"{name}={members[name]}" for name in sorted(members) if name != "sign")
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
