"""One process that answers for all departments with what they answered before: it costs next to nothing.

python -m bench.recorded ANSWERS --store DIR [--end-with-stdin]. Where the programs, the departments and the load share
a few cores, honest departments cost more than an exchange may; these leave the cores to what is measured.
"""

import argparse
import asyncio
import base64
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias, cast

import httpx
import uvloop

from bench.failure import RunFailed
from bench.plain.departments import Address, Departments, Person

Answers: TypeAlias = dict[str, dict[str, bytes]]
"""By path and the id number that was asked about: the whole answer, its head included."""
CONTROL: Final = "/faults"
_LENGTH: Final = re.compile(rb"(?i)\r\ncontent-length: *([0-9]+)\r\n")
_NUMBER: Final = re.compile(rb"321099[0-9]{11}[0-9X]")


async def record(addresses: Mapping[str, Address], people: Iterable[Person]) -> dict[str, dict[str, str]]:
    """What every department answers about everybody, as `answers` is read from. Raises RunFailed."""
    kept: dict[str, dict[str, str]] = {}
    async with httpx.AsyncClient() as client:
        departments = Departments(client, addresses)
        for person in people:
            for item in addresses:
                answer = await client.send(departments.request(item, person, "B-0"))
                if answer.status_code != httpx.codes.OK:
                    raise RunFailed(f"a department did not answer while it was recorded: {answer.status_code}")
                whole = written(answer.headers["content-type"], answer.content)
                path = answer.request.url.raw_path.decode()
                kept.setdefault(path, {})[person.id_number] = base64.b64encode(whole).decode()
    return kept


def written(kind: str, body: bytes) -> bytes:
    """An answer as it goes over the wire."""
    return f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


class Memory:
    """What is answered, and how late."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self.seconds = 0.0

    def answer(self, path: str, body: bytes) -> bytes:
        """Raises KeyError for what was never asked."""
        if path == CONTROL:
            told = json.loads(body)
            self.seconds = told["seconds"] if told["fault"] == "slow" else 0.0
            return written("application/json", b"{}")
        number = _NUMBER.search(body)
        return self._answers[path][number[0].decode() if number is not None else ""]


class Answering(asyncio.Protocol):
    """One connection."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._read = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are of no class of asyncio's

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._read += data
        while (end := self._read.find(b"\r\n\r\n") + 4) >= 4:
            head = self._read[:end]
            length = _LENGTH.search(head)
            whole = end + (int(length[1]) if length is not None else 0)
            if len(self._read) < whole:
                return
            body, self._read = self._read[end:whole], self._read[whole:]
            late = self._memory.seconds
            answer = self._memory.answer(head.split(b" ", 2)[1].decode(), body)
            if late:
                asyncio.get_running_loop().call_later(late, self._transport.write, answer)
            else:
                self._transport.write(answer)


async def serve(answers: Answers) -> None:
    """On a free port of loopback, until stdin ends or somebody ends the process."""
    memory = Memory(answers)
    server = await asyncio.get_running_loop().create_server(partial(Answering, memory), "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(json.dumps({"ready": True, "port": server.sockets[0].getsockname()[1]}) + "\n")
    sys.stdout.flush()
    async with server:
        while await asyncio.to_thread(os.read, sys.stdin.fileno(), 1024):
            pass


def main() -> None:
    """Run until told to end."""
    parser = argparse.ArgumentParser(prog="python -m bench.recorded")
    parser.add_argument("answers", type=Path)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--end-with-stdin", action="store_true")
    told = json.loads(parser.parse_args().answers.read_text(encoding="utf-8"))
    uvloop.run(serve({path: _decoded(some) for path, some in told.items()}))


def _decoded(answers: Mapping[str, str]) -> dict[str, bytes]:
    return {number: base64.b64decode(answer) for number, answer in answers.items()}


if __name__ == "__main__":
    main()
