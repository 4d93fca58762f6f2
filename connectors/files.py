"""A department that exchanges files: a request file with its marker now, a response file with its marker some night.

Lines of cells separated by `|`, usually in GBK. A batch's number stands in its files' names and is never given twice;
no person stands in a name. A response counts only once its marker is there and agrees with it; of its lines only those
under our own number of the question are read.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from connectors.contract import Answer, Question, Ticket
from connectors.drops import Drop, FolderDrop
from connectors.memory import Memory
from connectors.patience import Patience, left_pending
from connectors.reading import read_aside
from connectors.records import Reply, answer
from connectors.route import Place, Route, check_records
from connectors.secret_files import read_secret
from connectors.sftp import SftpDrop, SftpKeys, SftpServer, check_keys
from connectors.status_checks import check_meanings
from connectors.templates import fill, number_of, placeholders, values
from connectors.trouble import DepartmentError, garbled
from connectors.values import moment
from policies.vocabulary import Item, Outcome

_CHINA: Final = timezone(timedelta(hours=8))
_FORBIDDEN: Final = ("|", "\r", "\n")
FileName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{0,40}\{batch\}[A-Za-z0-9_-]{0,20}\.[A-Za-z0-9]{1,8}$")]
Charset = Literal["gb18030", "utf-8"]
Marker = Literal["md5", "ok"]


class Folder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two folders of this machine, by absolute path: what we leave, and what is left for us."""

    outbox: str
    inbox: str


class RequestFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line for one question; `{batch}` in the name is the day and the batch's number."""

    name: FileName
    cells: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    header: tuple[str, ...] = ()


class ResponseFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The cells of each line by name: our number of the question, a status, and the records' sources."""

    name: FileName
    columns: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    question: str
    status: str
    success: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    codes: Mapping[str, Outcome] = msgspec.field(default_factory=dict)
    header: bool = False
    as_of: str = ""
    """The column with the time at which a line was true; empty where a response names none."""


class FilesRoute(Route, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="files"):
    """One way to a department's item by files, in exactly one of two places."""

    folder: Folder | None = None
    sftp: SftpServer | None = None
    charset: Charset = "gb18030"
    marker: Marker = "md5"
    """`md5`: a file beside it, `.md5`, holds its digest in hex; `ok`: `.ok` holds the number of its lines."""
    request: RequestFile
    response: ResponseFile
    late: Patience = Patience(poll_seconds=600)


FilesMaker: TypeAlias = Callable[[Memory, Callable[[], datetime]], "FilesConnector"]


def check_files(route: FilesRoute, item: Item, place: Place, secrets_folder: Path) -> FilesMaker:
    """Return what makes the connector. Raises ConfigurationError for whatever does not add up."""
    check_records(route.records, item, place.at("records"))
    _check_request(route.request, item, place.at("request"))
    _check_response(route, place.at("response"))
    keys = _check_place(route, place, secrets_folder)
    return lambda memory, now: FilesConnector(route, _drop(route, keys), memory, now)


def _check_place(route: FilesRoute, place: Place, secrets_folder: Path) -> SftpKeys | None:
    """Return the keys of an SFTP server."""
    if (route.folder is None) == (route.sftp is None):
        raise place.error("files are exchanged in exactly one place: folder or sftp")
    if route.folder is not None:
        for name in ("outbox", "inbox"):
            if not getattr(route.folder, name).startswith("/"):
                raise place.at("folder", name).error("a folder is named by its absolute path")
        return None
    assert route.sftp is not None
    at = place.at("sftp")
    own = read_secret(secrets_folder, route.sftp.key, at.at("key"))
    keys = SftpKeys(own, read_secret(secrets_folder, route.sftp.host_key, at.at("host_key")))
    check_keys(keys, at)
    return keys


def _check_request(form: RequestFile, item: Item, place: Place) -> None:
    used = placeholders(list(form.cells), item, place.at("cells"))
    if (number := number_of(item)) not in used:
        raise place.at("cells").error(f"the line never names {{{number}}}: whose records would come back?")
    if "call" not in used:
        raise place.at("cells").error("the line never names {call}: which answer would be ours?")
    for name in item.parameters:
        if f"param.{name}" not in used:
            raise place.error(f"parameter {name!r} is not sent: the department would return more than was agreed")


def _check_response(route: FilesRoute, place: Place) -> None:
    form, records = route.response, route.records
    if len(set(form.columns)) != len(form.columns):
        raise place.at("columns").error("a column stands twice")
    sources = [column.source for column in records.fields.values()]
    for name in (form.question, form.status, *filter(None, (form.as_of,)), *sources, *records.beside):
        if name not in form.columns:
            raise place.at("columns").error(f"there is no column {name!r}")
    for code in form.codes.keys() & set(form.success):
        raise place.at("codes", code).error(f"code {code!r} cannot mean {form.codes[code].value!r}")
    check_meanings(form.codes, place.at("codes"))


class FilesConnector:
    """Leaves a file for each question, and looks for its response whenever it is asked to."""

    def __init__(self, route: FilesRoute, drop: Drop, memory: Memory, now: Callable[[], datetime]) -> None:
        self.route = route.name
        self.calls_again = route.sftp is not None  # else it has left its answer in a folder of ours
        self._form = route
        self._memory = memory
        self._now = now
        self._drop = drop

    async def fetch(self, question: Question) -> Answer:
        """Leave the request. Raises DepartmentError, OSError or TimeoutError where it could not be left."""
        content = self._request(question)
        day = self._now().astimezone(_CHINA).strftime("%Y%m%d")
        batch = f"{day}{await self._memory.number(self.route, day):06d}"
        name = self._form.request.name.format(batch=batch)
        await self._drop.leave(name, content)
        await self._drop.leave(*marker_of(self._form.marker, name, content))  # last: it says that the file is whole
        return left_pending(self.route, self._form.late, batch, self._now())

    async def carry_on(self, question: Question, ticket: Ticket) -> Answer:
        """Read the response, if its marker is there; a damaged one is all that will come under this number."""
        try:
            reply = await self._found(question, self._form.response.name.format(batch=ticket.state))
        except DepartmentError as trouble:
            if trouble.outcome is not Outcome.GARBLED:
                raise
            now = self._now()
            return Answer(outcome=Outcome.GARBLED, route=self.route, as_of=now, raw_code=trouble.code, ended=True)
        if reply is None:
            return left_pending(self.route, self._form.late, ticket.state, self._now())
        return answer(self._form.records, question, self.route, reply)

    async def aclose(self) -> None:
        await self._drop.aclose()

    async def _found(self, question: Question, name: str) -> Reply | None:
        marker = await self._drop.find(f"{name}.{self._form.marker}")
        content = await self._drop.find(name) if marker is not None else None
        if marker is None or content is None:
            return None
        if marker_of(self._form.marker, name, content)[1].strip() != marker.strip().lower():
            raise garbled("marker_disagrees")
        return await read_aside(lambda: self._reply(content, question), len(content))

    def _request(self, question: Question) -> bytes:
        filling = values(question, int(self._now().timestamp() * 1000))
        missing = {f"param.{name}": "" for name in question.item.parameters}
        cells = fill(list(self._form.request.cells), {**missing, **filling})
        if any(sign in cell for cell in cells for sign in _FORBIDDEN):
            raise DepartmentError(Outcome.BAD_REQUEST, "not_writable_in_a_line")
        lines = [line for line in (self._form.request.header, cells) if line]
        try:
            return "".join("|".join(line) + "\r\n" for line in lines).encode(self._form.charset)
        except UnicodeEncodeError:
            raise DepartmentError(Outcome.BAD_REQUEST, "not_writable_in_a_line") from None

    def _reply(self, content: bytes, question: Question) -> Reply:
        form = self._form.response
        rows = [row for row in read_lines(self._form, content) if row[form.question] == question.call]
        if not rows:
            raise garbled("question_missing")
        codes = {row[form.status] for row in rows}
        code = codes.pop()
        if codes:
            raise garbled("contradicting_codes")
        meaning = None if code in form.success else form.codes.get(code, Outcome.GARBLED)
        if meaning not in {None, Outcome.NO_RECORD}:
            raise DepartmentError(meaning or Outcome.GARBLED, code)
        found = [] if meaning is Outcome.NO_RECORD else rows
        times = [moment(row[form.as_of]) for row in found] if form.as_of else []
        return Reply(found, min(times, default=self._now()), raw_code=code)


def read_lines(route: FilesRoute, content: bytes) -> Sequence[Mapping[str, str]]:
    """The lines of a response, their cells by name."""
    form = route.response
    try:
        lines = content.decode(route.charset).removeprefix("\ufeff").splitlines()
    except UnicodeDecodeError:
        raise garbled("charset") from None
    cells = [line.split("|") for line in lines[1 if form.header else 0 :] if line.strip()]
    if any(len(line) != len(form.columns) for line in cells):
        raise garbled("cells")
    return [dict(zip(form.columns, line, strict=True)) for line in cells]


def marker_of(kind: Marker, name: str, content: bytes) -> tuple[str, bytes]:
    """A marker's name and content, which say that a file is whole."""
    if kind == "md5":
        return f"{name}.md5", hashlib.md5(content, usedforsecurity=False).hexdigest().encode()
    return f"{name}.ok", str(len(content.splitlines())).encode()


def _drop(route: FilesRoute, keys: SftpKeys | None) -> Drop:
    if route.folder is not None:
        return FolderDrop(Path(route.folder.outbox), Path(route.folder.inbox), route.concurrency)
    assert route.sftp is not None
    assert keys is not None
    return SftpDrop(route.sftp, keys)
