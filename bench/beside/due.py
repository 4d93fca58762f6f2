"""Latency at a steady rate: ours and the departments alone, asked by turns in the same window."""

from dataclasses import dataclass
from typing import Final

import httpx

from bench.beside.measure import Pair
from bench.beside.rows import Row
from bench.beside.world import World
from bench.open_loop import Due, Flow, OpenLoop
from bench.plain.departments import Departments, Person
from policies.vocabulary import Person as Resident

DELAY_MS: Final = 50


@dataclass(frozen=True, slots=True)
class Latency:
    """One window. Seconds from when each call was due, sorted."""

    row: Row
    rate: float
    """Exchanges a second."""
    ours: list[float]
    alone: list[float]
    """Of all of an exchange's departments asked at once: until the last has answered."""


async def at_rate(world: World, pair: Pair, row: Row, *, rate: float, seconds: float) -> Latency:
    """So many a second of each. Raises RunFailed."""
    count = max(1, int(rate * seconds))
    requests = (await pair.prepare(row, count))[:count]
    ports = pair.sides.ours.ports
    calls = [Due(one / rate, ((ports[one % len(ports)], request),)) for one, request in enumerate(requests)]
    asked = await _departments_asked(world, row, pair.requester.phones[0].person)
    between = [Due((one + 0.5) / rate, asked) for one in range(count)]
    ours, alone = Flow(), Flow()
    with world.departments.delayed(row.delay_ms):
        await OpenLoop().run([(ours, calls), (alone, between)])
    pair.count_ours(row, [answer for answers in ours.answers for answer in answers])
    return Latency(row, rate, sorted(ours.latencies), sorted(alone.latencies))


async def _departments_asked(world: World, row: Row, about: Resident) -> tuple[tuple[int, bytes], ...]:
    """One exchange's questions, as the bytes that the generator sends itself."""
    person = Person(about.name, about.id_number)
    async with httpx.AsyncClient() as client:
        departments = Departments(client, world.departments.addresses)
        return tuple(_written(departments.request(item, person, "B-0")) for item in row.asked)


def _written(request: httpx.Request) -> tuple[int, bytes]:
    """A request's port and its bytes."""
    head = f"{request.method} {request.url.raw_path.decode()} HTTP/1.1\r\n".encode()
    fields = b"".join(name + b": " + value + b"\r\n" for name, value in request.headers.raw)
    return request.url.port or 80, head + fields + b"\r\n" + request.content
