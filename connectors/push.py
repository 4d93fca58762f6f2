"""A department that takes a question and posts its answer to us later: signed, fresh, under our own number.

What it posts is believed only after its signature: over the time it names and the exact bytes, by the secret or the
key it was registered with. Whose ticket it answers is for the broker to find; a post without one is refused.
"""

import base64
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from connectors.contract import Answer, Question, Ticket
from connectors.gateways.credentials import Credentials
from connectors.memory import Memory
from connectors.paths import MISSING, look, path
from connectors.patience import Patience, left_pending
from connectors.reading import AnswerForm, Status, read_aside, read_reply
from connectors.records import Reply, answer
from connectors.requests import RequestForm, check_request, outgoing
from connectors.route import Place, check_records
from connectors.secret_files import Secret, read_secret
from connectors.status_checks import check_codes
from connectors.templates import values
from connectors.transport import OverHttp, Sending, check_members, check_transport
from connectors.trouble import DepartmentError
from connectors.values import as_text
from policies.vocabulary import Item

TIME_HEADER: Final = "X-Department-Time"
SIGNATURE_HEADER: Final = "X-Department-Signature"
FARTHEST: Final = 300
"""Seconds that a post's time may lie from ours."""
_LONGEST: Final = 100


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the department signs: HMAC-SHA256 with a shared secret, or its own P-256 (DER) or Ed25519 key (PEM)."""

    kind: Literal["hmac", "key"]
    secret: str
    """The file of the shared secret, or of the department's public key."""


class PushedForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the department posts: where our number stands, its own number of this answer, and the answer."""

    signature: Signature
    question_at: Annotated[str, msgspec.Meta(min_length=1)]
    number_at: Annotated[str, msgspec.Meta(min_length=1)]
    answer: AnswerForm


class PushRoute(OverHttp, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="push"):
    """One way to a department's item that answers by itself, in JSON."""

    submit: RequestForm
    taken: Status
    """What it says at once when it has taken the question."""
    pushed: PushedForm
    late: Patience = Patience()


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a department posted, its signature verified: under which number of ours, and its own number of it."""

    question: str
    number: str
    body: bytes = field(repr=False)


PushMaker: TypeAlias = Callable[[Memory, Callable[[], datetime]], "PushConnector"]


def check_push(route: PushRoute, item: Item, place: Place, secrets_folder: Path) -> PushMaker:
    """Return what makes the connector. Raises ConfigurationError for whatever does not add up."""
    check_records(route.records, item, place.at("records"))
    check_request(route.submit, item, place.at("submit"))
    check_members(route.authentication, route.submit, place.at("submit"))
    check_codes(route.taken, place.at("taken", "codes"))
    check_codes(route.pushed.answer.status, place.at("pushed", "answer", "status", "codes"))
    if route.pushed.answer.format != "json" or route.pushed.answer.charset != "utf-8":
        raise place.at("pushed", "answer").error("what a department posts to us is JSON in UTF-8")
    signature = place.at("pushed", "signature")
    theirs = read_secret(secrets_folder, route.pushed.signature.secret, signature.at("secret"))
    if route.pushed.signature.kind == "key" and _public_key(theirs) is None:
        raise signature.at("secret").error("this is no P-256 or Ed25519 public key in PEM")
    connect = check_transport(route, place, secrets_folder)
    return lambda memory, now: PushConnector(route, item, theirs, connect(memory, now), now)


class PushConnector:
    """Asks over one pool of connections, and reads what was posted."""

    calls_again = False

    def __init__(
        self, route: PushRoute, item: Item, theirs: Secret, transport: Sending, now: Callable[[], datetime]
    ) -> None:
        self.route = route.name
        self.item = item.id
        self.department = item.department
        self._form = route
        self._theirs = theirs
        self._now = now
        self._transport = transport

    async def fetch(self, question: Question) -> Answer:
        """Hand the question in. Raises DepartmentError, OSError or TimeoutError where it was not taken."""
        await self._transport.shown(partial(self._hand_in, question))
        return self._not_yet(question)

    async def carry_on(self, question: Question, ticket: Ticket) -> Answer:
        """Nothing to look at: the department comes to us, or is given up."""
        del ticket
        return self._not_yet(question)

    async def aclose(self) -> None:
        await self._transport.aclose()

    def read_posted(self, unverified_headers: Mapping[str, str], unverified_body: bytes) -> Pushed | None:
        """What this department posted; None where it did not sign it, or not lately."""
        time = unverified_headers.get(TIME_HEADER.lower(), "")
        signature = unverified_headers.get(SIGNATURE_HEADER.lower(), "")
        if not time.isascii() or not time.isdigit() or len(time) > _LONGEST:
            return None
        if abs(self._now().timestamp() - int(time)) > FARTHEST:
            return None
        if not self._signed(time.encode() + b"\n" + unverified_body, signature):
            return None
        return self.pushed_in(unverified_body)

    def answer_in(self, pushed: Pushed, question: Question) -> Answer:
        """The answer that was posted. Raises DepartmentError where it is not to be trusted."""
        reply = read_reply(self._form.pushed.answer, pushed.body, self._now())
        return answer(self._form.records, question, self.route, reply)

    def pushed_in(self, body: bytes) -> Pushed | None:
        """Under which numbers this body, its signature verified, answers; None where it names none."""
        try:
            tree = msgspec.json.decode(body)
        except msgspec.DecodeError:
            return None
        pushed = Pushed(_text(tree, self._form.pushed.question_at), _text(tree, self._form.pushed.number_at), body)
        return pushed if 0 < len(pushed.question) <= _LONGEST and 0 < len(pushed.number) <= _LONGEST else None

    async def _hand_in(self, question: Question, shown: Credentials) -> Reply:
        submit = self._form.submit
        request = outgoing(submit, values(question, self._transport.now_ms()), shown.members)
        _, body = await self._transport.send(submit.method, request, shown)
        taken = _envelope(self._form.taken)
        return await read_aside(lambda: read_reply(taken, body, self._now()), len(body))

    def _signed(self, signed: bytes, signature: str) -> bool:
        try:
            given = base64.b64decode(signature, validate=True)
        except ValueError:
            return False
        theirs = self._theirs
        if self._form.pushed.signature.kind == "hmac":
            return hmac.compare_digest(given, hmac.digest(theirs.text.encode(), signed, "sha256"))
        key = _public_key(theirs)
        try:
            if isinstance(key, EllipticCurvePublicKey):
                key.verify(given, signed, ECDSA(SHA256()))
            elif key is not None:
                key.verify(given, signed)
        except InvalidSignature:
            return False
        return key is not None

    def _not_yet(self, question: Question) -> Answer:
        return left_pending(self.route, self._form.late, question.call, self._now(), comes_to_us=True)


def _public_key(secret: Secret) -> EllipticCurvePublicKey | Ed25519PublicKey | None:
    try:
        key = load_pem_public_key(secret.text.encode())
    except ValueError:
        return None
    if isinstance(key, EllipticCurvePublicKey):
        return key if isinstance(key.curve, SECP256R1) else None
    return key if isinstance(key, Ed25519PublicKey) else None


def _envelope(status: Status) -> AnswerForm:
    return AnswerForm(format="json", status=status, list_at="")


def _text(tree: Any, dotted: str) -> str:
    found = look(tree, path(dotted))
    try:
        return (as_text(found) or "").strip() if found is not MISSING else ""
    except DepartmentError:
        return ""
