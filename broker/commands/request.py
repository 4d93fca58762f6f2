"""`broker request`: a fund centre's client from the terminal.

    broker request file FILING.json | wait ID | exchange PULL.json | collect EXCHANGE | renew ID | cancel ID
        --issuer URL --requester ID --key PEM

Whom a request is about is read from a file or stdin (`-`), never from the command line: process lists are public.
`wait ID --json | exchange -` pulls what was granted.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from secrets import token_urlsafe
from typing import Annotated, Any, BinaryIO, Final, NoReturn

import aiohttp
import typer
from rich.markup import escape

from audit import verify
from broker import qr
from broker.client import Reply, RequesterClient
from broker.commands.console import AsJson, show, stop, talk
from broker.commands.exits import ExitCode, exit_of
from broker.result_table import result_table
from broker.signing import SigningKey
from consent import jws
from consent.jws import read_object
from policies.identifiers import read_identifier
from policies.refusals import Refused
from policies.vocabulary import Outcome

app = typer.Typer(help="A fund centre's client: ask a person, wait, pull what was granted.", no_args_is_help=True)

Issuer = Annotated[str, typer.Option(help="The broker's address, as its tokens name it.")]
RequesterId = Annotated[str, typer.Option("--requester", help="Your own id at the broker.")]
KeyFile = Annotated[Path, typer.Option(help="Your private key (PEM).", exists=True, dir_okay=False)]
Picture = Annotated[Path | None, typer.Option("--qr", metavar="FILE.svg", help="Draw the link's QR code there.")]
Document = Annotated[typer.FileBinaryRead, typer.Argument(help="A JSON file, or - for stdin.")]
RequestId = Annotated[str, typer.Argument(metavar="ID", help="The authorization request's id.")]

LONG_POLL: Final = 25
_TIMEOUT: Final = aiohttp.ClientTimeout(total=90)
_UNDECIDED: Final = frozenset({"pending", "opened"})


@app.command("file")
def file(
    filing: Document,
    issuer: Issuer,
    requester: RequesterId,
    key: KeyFile,
    picture: Picture = None,
    as_json: AsJson = False,
) -> None:
    """Ask a person. The document: matter, case, subject {name, id_number}, items, operator, uses, valid_for, mode.

    Where somebody acts for her, also acting {name, id_number}, evidence_sha256, witness {name, id_number}.
    """
    members = _read(filing)
    _show_ticket(_call(lambda client: client.file(**members), issuer, requester, key), picture, as_json=as_json)


@app.command("wait")
def wait(
    request: RequestId,
    issuer: Issuer,
    requester: RequesterId,
    key: KeyFile,
    seconds: Annotated[int, typer.Option(min=0, help="How long to wait at most.")] = LONG_POLL,
    as_json: AsJson = False,
) -> None:
    """Wait for the person's answer. 0 only if granted; 4 if it was declined or has ended, 6 if there is none yet."""
    wanted = _id(request)
    standing = _call(lambda client: _decided(client, wanted, seconds), issuer, requester, key)
    show(standing, as_json=as_json)
    if standing["status"] in _UNDECIDED:
        raise stop("no answer yet; wait again", ExitCode.UNAVAILABLE)
    if standing["status"] != "granted":
        raise stop(f"{standing['status']}: there is nothing to pull", ExitCode.REFUSED)


@app.command("exchange")
def exchange(
    pull: Document,
    issuer: Issuer,
    requester: RequesterId,
    key: KeyFile,
    operator: Annotated[str, typer.Option(help="Staff number of whoever asks, where the document has none.")] = "",
    vkey: Annotated[str, typer.Option("--verify", metavar="VKEY", help="Verify the receipt with this key.")] = "",
    as_json: AsJson = False,
) -> None:
    """Pull what was granted. The document: consents, matter, case, items, operator; or what `wait --json` printed."""
    _check_vkey(vkey)  # before a use is spent
    members = _pull_members(_read(pull), operator)
    answer = _call(lambda client: client.exchange(**members), issuer, requester, key)
    show(answer, as_json=as_json, table=result_table(answer))
    uses = ", ".join(f"{use['party']}: use {use['use']}, {use['left']} left" for use in answer["uses"])
    talk.print(f"exchange {answer['exchange']}; {uses}", markup=False, soft_wrap=True)
    _verify(answer, members["exchange"], vkey)


@app.command("collect")
def collect(
    exchange_id: Annotated[str, typer.Argument(metavar="EXCHANGE", help="The exchange's id.")],
    issuer: Issuer,
    requester: RequesterId,
    key: KeyFile,
    seconds: Annotated[int, typer.Option(min=0, max=LONG_POLL, help="How long to wait at most.")] = LONG_POLL,
    vkey: Annotated[str, typer.Option("--verify", metavar="VKEY", help="Verify the receipt with this key.")] = "",
    as_json: AsJson = False,
) -> None:
    """Collect what was pending in an exchange. 0 if all is there; 6 while something is pending."""
    _check_vkey(vkey)
    wanted = _id(exchange_id)
    answer = _call(lambda client: client.collect(wanted, wait=seconds), issuer, requester, key)
    show(answer, as_json=as_json, table=result_table(answer))
    _verify(answer, wanted, vkey)
    if any(result["outcome"] == Outcome.PENDING for result in answer["results"]):
        raise stop("something is still pending; collect again", ExitCode.UNAVAILABLE)


@app.command("renew")
def renew(
    request: RequestId,
    issuer: Issuer,
    requester: RequesterId,
    key: KeyFile,
    picture: Picture = None,
    as_json: AsJson = False,
) -> None:
    """A new link for the person; the old one is dead."""
    wanted = _id(request)
    _show_ticket(_call(lambda client: client.change(wanted, "renew"), issuer, requester, key), picture, as_json=as_json)


@app.command("cancel")
def cancel(request: RequestId, issuer: Issuer, requester: RequesterId, key: KeyFile, as_json: AsJson = False) -> None:
    """Take a request back before it is answered."""
    wanted = _id(request)
    show(_call(lambda client: client.change(wanted, "cancel"), issuer, requester, key), as_json=as_json)


def _show_ticket(ticket: dict[str, Any], picture: Path | None, *, as_json: bool) -> None:
    """What was given out, and its QR code: to the file if one is named, to the terminal if somebody sits there."""
    show(ticket, as_json=as_json)
    if picture is not None:
        picture.write_text(qr.svg(ticket["consent_url"]), encoding="utf-8")
    elif talk.is_terminal:
        talk.print(qr.for_terminal(ticket["consent_url"]), markup=False, highlight=False)


def _call(ask: Callable[[RequesterClient], Awaitable[Reply]], issuer: str, requester: str, key: Path) -> dict[str, Any]:
    """The answer's members; a problem or no answer becomes a sentence on stderr and its exit code."""
    try:
        signing = SigningKey.load(key)
    except (ValueError, TypeError):
        raise stop(f"{key}: not an unencrypted P-256 or Ed25519 private key in PEM", ExitCode.USAGE) from None
    try:
        reply = asyncio.run(_answer(ask, issuer.rstrip("/"), requester, signing))
    except aiohttp.InvalidURL:
        raise stop("--issuer: not an address", ExitCode.USAGE) from None
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise stop(f"no answer from the broker: {type(error).__name__}", ExitCode.UNAVAILABLE) from None
    code = exit_of(reply.status)
    if code is not ExitCode.OK:
        # a problem's words never hold a personal value
        words = " ".join(str(reply.members.get(name, "")) for name in ("code", "title", "detail"))
        raise stop(escape(f"{reply.status} {words}".rstrip()), code)
    return dict(reply.members)


async def _answer(
    ask: Callable[[RequesterClient], Awaitable[Reply]], issuer: str, requester: str, key: SigningKey
) -> Reply:
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as http:
        return await ask(RequesterClient(http, issuer, requester, key))


async def _decided(client: RequesterClient, request: str, seconds: int) -> Reply:
    until = time.monotonic() + seconds
    while True:
        reply = await client.read(request, wait=max(0, min(LONG_POLL, round(until - time.monotonic()))))
        if reply.members.get("status") not in _UNDECIDED or time.monotonic() >= until:
            return reply


def _read(document: BinaryIO) -> dict[str, Any]:
    def refuse() -> NoReturn:
        raise stop("the document is not one JSON object", ExitCode.USAGE)

    return read_object(document.read(), refuse)


def _pull_members(given: Mapping[str, Any], operator: str) -> dict[str, Any]:
    """The exchange's members. Of what `wait` printed, the consent says for which matter and case it is."""
    members = dict(given)
    if "consent" in given:
        try:
            _, unverified = jws.read_token(str(given["consent"]), jws.CONSENT, "consent+jwt")
        except Refused:
            raise stop("consent: not a consent token", ExitCode.USAGE) from None
        members = {name: unverified.get(name) for name in ("matter", "case")} | {"consents": [given["consent"]]}
    if operator:
        members.setdefault("operator", {"id": operator})
    members.setdefault("exchange", f"x-{token_urlsafe(15)}")
    return members


def _check_vkey(vkey: str) -> None:
    try:
        if vkey:
            verify.parse_vkey(vkey)
    except verify.VerificationError as error:
        raise stop(f"--verify: {escape(str(error))}", ExitCode.USAGE) from None


def _verify(answer: Mapping[str, Any], exchange_id: str, vkey: str) -> None:
    if not vkey:
        talk.print("The receipt was not verified; give --verify VKEY, a key that you got from elsewhere.")
        return
    try:
        receipt = verify.verify_receipt(answer["receipt"], vkey, answer["results"])
    except verify.VerificationError as error:
        raise stop(escape(str(error)), ExitCode.VERIFICATION_FAILED) from None
    if receipt.entry.body.get("exchange") != exchange_id:
        raise stop("the receipt is of another exchange", ExitCode.VERIFICATION_FAILED)
    talk.print(str(receipt), markup=False, soft_wrap=True)


def _id(text: str) -> str:
    try:
        return read_identifier(text, range(1, 65))
    except ValueError as error:
        raise stop(f"ID: {error}", ExitCode.USAGE) from None
