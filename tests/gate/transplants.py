"""Wycheproof's mutations carried over to tokens of ours: their header, signature or form in place of the good one."""

import json
import re
from collections.abc import Mapping

from broker.signing import SigningKey
from consent.keys import to_base64url
from tests.consent.wycheproof import Case, header_of, jws_cases, raw_cases
from tests.forging import forge, header_for, sign_text
from tests.gate.carriers import Carrier
from tests.gate.scene import Scene

_FOREIGN = re.compile(r"[^A-Za-z0-9_-]")


def headers(scene: Scene, carrier: Carrier) -> Mapping[str, str]:
    """Every header of theirs under our `kid` and `typ`, truly signed; without a signature where theirs has none."""
    key, tokens = carrier.key(scene), {}
    for case in jws_cases():
        header = {**header_of(case.text), "kid": key.public.kid, "typ": carrier.typ}
        token = forge(key, header, carrier.claims(scene))
        unsigned = case.text.count(".") == 2 and case.text.endswith(".")
        tokens[json.dumps([header, unsigned])] = f"{token.rpartition('.')[0]}." if unsigned else token
    return tokens


def good_header(described: str, alg: str) -> bool:
    """Whether a transplanted header, as `headers` names it, is after all the protocol's own."""
    header, unsigned = json.loads(described)
    return header.keys() == {"alg", "kid", "typ"} and header["alg"] == alg and not unsigned


def signatures(scene: Scene, carrier: Carrier) -> Mapping[str, str]:
    """Every signature of theirs under a header and payload of ours."""
    signed = carrier.make(scene).rpartition(".")[0]
    texts = {case.text.split(".")[2] for case in jws_cases() if case.text.count(".") >= 2}
    return {text: f"{signed}.{text}" for text in texts}


def raw_signatures(file: str, scene: Scene, carrier: Carrier) -> Mapping[str, str]:
    """Every raw signature of theirs, valid over its own message or not, under a header and payload of ours."""
    signed = carrier.make(scene).rpartition(".")[0]
    return {str(case.id): f"{signed}.{to_base64url(case.signature)}" for case in raw_cases(file)}


def forms(scene: Scene, carrier: Carrier) -> Mapping[int, str]:
    """By case id, their change of form made to a good token of ours; signed over what was changed, where it can be."""
    key = carrier.key(scene)
    good = forge(key, header_for(key, carrier.typ), carrier.claims(scene))
    cases = jws_cases()
    # A group's first valid case is what its other cases were made from
    originals = {id(case.key): case for case in reversed(cases) if case.valid}
    return {
        case.id: good if case is original else _changed(case, original, key, good)
        for case in cases
        if (original := originals.get(id(case.key))) is not None
    }


def _changed(case: Case, original: Case, key: SigningKey, good: str) -> str:
    ours, theirs = good.split("."), original.text.split(".")
    if case.text.startswith("{"):
        return _json_serialization(case.text, ours, theirs)
    parts = [_part(part, place, ours, theirs) for place, part in enumerate(case.text.split("."))]
    resigned = len(parts) == 3 and _FOREIGN.search(parts[0] + parts[1]) and not _FOREIGN.search(parts[2])
    return sign_text(key, f"{parts[0]}.{parts[1]}") if resigned else ".".join(parts)


def _part(part: str, place: int, ours: list[str], theirs: list[str]) -> str:
    if part in theirs:
        return ours[theirs.index(part)]  # perhaps not in its place: a part was left out
    if not part or place >= len(ours):
        return part
    inserted = "".join(_FOREIGN.findall(part))
    if not inserted:
        return ("A" if ours[place][0] != "A" else "B") + ours[place][1:]
    at = min(part.index(inserted[0]), len(ours[place]))
    return ours[place][:at] + inserted + ours[place][at:]


def _json_serialization(text: str, ours: list[str], theirs: list[str]) -> str:
    for mine, their in zip(ours, theirs, strict=True):
        text = text.replace(f'"{their}"', f'"{mine}"')
    return text
