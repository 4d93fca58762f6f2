"""One broker process among several that ask one gateway: given its configuration, routes, secrets and seconds.

Prints how often each outcome came, as one JSON object.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from pathlib import Path

from broker.connector_memory import StoredMemory
from broker.keys import read_keys
from broker.settings import read_settings
from broker.wiring import open_storage, wall_clock
from connectors.directory import Directory
from connectors.routes import read_routes
from tests.connectors.asking import ITEMS, question
from tests.connectors.gateway_routes import ITEM

PAUSE = 0.03


async def main(config: Path, routes: Path, secrets: Path, seconds: float) -> None:
    settings = read_settings(config)
    keys = read_keys(settings.secrets, settings.log_origin)
    database, storage = open_storage(settings, keys)
    memory = StoredMemory(storage, keys.subjects.wrapping, wall_clock)
    directory = Directory.open(read_routes(routes, ITEMS, secrets), memory)
    seen: Counter[str] = Counter()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answers = await asyncio.gather(*(directory.ask(question(ITEM, ("balance",))) for _ in range(2)))
        seen.update(f"{answer.outcome} {answer.raw_code}" for answer in answers)
        await asyncio.sleep(PAUSE)
    await directory.aclose()
    await asyncio.to_thread(storage.ledger.close)
    database.close()
    sys.stdout.write(json.dumps(seen) + "\n")


if __name__ == "__main__":
    given = sys.argv[1:]
    asyncio.run(main(Path(given[0]), Path(given[1]), Path(given[2]), float(given[3])))
