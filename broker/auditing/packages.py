"""A signed evidence package: what the log has of a call, a case or a person, in one archive that verifies alone.

entries/N.json        the exact bytes of each entry
proofs/N.tlog-proof   that it is in the log, all as of one checkpoint
checkpoint            that checkpoint
notices/REQUEST.txt   the words that were shown          consents/JTI.jwt     the signed consents
evidence/JTI.json     passkeys' words beside them        keys/                the public keys to all of it
manifest.jwt          the list of all files with their digests, signed by the broker's key

There is one way to write it, so `audit/verify.py --package` finds every changed byte. What a package leaves out it
cannot show: that takes the whole log.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection

from audit import events
from audit.batch import read_head
from audit.proofs import receipts
from broker.auditing.package_words import README_EN, README_ZH
from broker.keys import Keys
from consent import asking, evidence, grants
from consent.subjects import find_device

FORMAT: Final = "consent-broker/evidence/1"
TYPE: Final = "evidence-manifest+jwt"
AT_MOST: Final = 2000
"""Entries: some megabytes. Whoever needs more takes the whole log."""
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)
"""A date before any of ours, for an archive's own dates say nothing."""
_UNIX: Final = 3
_PLAIN_FILE: Final = 0o600 << 16


@dataclass(slots=True)
class _Parts:
    """An archive in the making."""

    files: dict[str, bytes] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def put(self, name: str, octets: bytes | None) -> None:
        if octets is None:
            self.missing.append(name)
        else:
            self.files[name] = octets


def package(
    connection: Connection, keys: Keys, indexes: Sequence[int], about: Mapping[str, Any], taken: Mapping[str, Any]
) -> bytes:
    """The archive. `about` is what it is of; `taken` who took it, when and why, for the signed list."""
    parts = _Parts()
    parts.put("checkpoint", read_head(connection).checkpoint)
    for index, receipt in receipts(connection, indexes).items():
        parts.put(f"entries/{index:09}.json", receipt.entry)
        parts.put(f"proofs/{index:09}.tlog-proof", receipt.proof.encode())
        _put_evidence(connection, parts, json.loads(receipt.entry))
    parts.put("keys/log.vkey", f"{keys.log.vkey}\n".encode())
    parts.put("keys/issuer.jwk.json", _json(dict(keys.issuer.public.jwk)))
    parts.put("README.zh-CN.txt", README_ZH.encode())
    parts.put("README.en.txt", README_EN.encode())
    digests = {name: hashlib.sha256(octets).hexdigest() for name, octets in sorted(parts.files.items())}
    listed = {"format": FORMAT, "about": dict(about), **taken, "missing": parts.missing, "files": digests}
    parts.put("manifest.jwt", keys.issuer.token(TYPE, listed).encode())
    return _archive(parts.files)


def _put_evidence(connection: Connection, parts: _Parts, entry: Mapping[str, Any]) -> None:
    """Of a grant's entry: the words, the token, the device's key and, where there was one, a passkey's word."""
    if entry["event"] != events.ConsentGranted.NAME:
        return
    body = entry["body"]
    iss, jti = body["consent"]["iss"], body["consent"]["jti"]
    asked, held = asking.find(connection, body["request"]), grants.find_granted(connection, iss, jti)
    text = asked.notice_text if asked is not None else None
    device = find_device(connection, iss)
    parts.put(f"notices/{body['request']}.txt", text.encode() if text is not None else None)
    parts.put(f"consents/{jti}.jwt", held.token.encode() if held is not None else None)
    parts.put(f"keys/device-{iss}.jwk.json", _json(json.loads(device.jwk)) if device is not None else None)
    if body["evidence_sha256"]:
        parts.put(f"evidence/{jti}.json", evidence.find(connection, iss, jti))


def _archive(files: Mapping[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            plain = zipfile.ZipInfo(name, _MOMENT)
            plain.create_system, plain.external_attr = _UNIX, _PLAIN_FILE
            archive.writestr(plain, files[name])
    return whole.getvalue()


def _json(members: Mapping[str, Any]) -> bytes:
    return json.dumps(members, sort_keys=True).encode()
