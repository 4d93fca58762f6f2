"""Killed in the midst of a backup or a restore: `python -m tests.backup.interrupting CONFIG WHAT PATH`.

For each number on standard input a child does it from the beginning and dies by SIGKILL before it touches a file of the
place that it changes for the so many-th time; under `restore-tables`, before it fills the so many-th table. What came
of it is a word on a line: `killed`, or `done`.
"""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from broker.backups import making, restoring
from broker.backups.archive import Archive
from broker.keys import read_keys
from broker.settings import read_settings
from broker.wiring import open_storage, wall_clock

TOUCHES = {"open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "sqlite3.connect"}


def main() -> None:
    config, what, path = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    act = make if what == "make" else restore
    look(config)  # what is read for the first time here is not read in each child again
    for line in sys.stdin:
        child = os.fork()
        if not child:
            die_at(int(line), "" if what == "restore-tables" else str(path if what == "make" else config.parent))
            act(config, path)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write("done\n" if status == 0 else "killed\n" if os.WTERMSIG(status) else "failed\n")
        sys.stdout.flush()


def die_at(number: int, folder: str) -> None:
    """Count from here on: what is done below the folder, or without one the tables that are read."""
    left = number

    def count() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in TOUCHES and folder in str(arguments[0]):
            count()

    if folder:
        sys.addaudithook(hook)
        return
    unpacked = Archive.unpacked

    def counted(self: Archive, name: str) -> Iterator[bytes]:
        count()
        return unpacked(self, name)

    Archive.unpacked = counted  # type: ignore[method-assign]


def look(config: Path) -> None:
    settings = read_settings(config)
    database, storage = open_storage(settings, read_keys(settings.secrets, settings.log_origin))
    storage.ledger.close()
    database.close()


def make(config: Path, place: Path) -> None:
    settings = read_settings(config)
    database, storage = open_storage(settings, read_keys(settings.secrets, settings.log_origin))
    running = making.Running(config, settings, database, storage, wall_clock)
    making.make(running, making.Wish(place, None, lambda _done, _total: None))
    storage.ledger.close()
    database.close()


def restore(config: Path, file: Path) -> None:
    wish = restoring.Wish(
        file=file, config=config, pinned="", unseal=None, force=True, newest=False, progress=lambda _d, _t: None
    )
    restoring.restore(wish)


if __name__ == "__main__":
    main()
