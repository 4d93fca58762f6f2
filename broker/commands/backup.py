"""`broker backup PLACE`, `broker backup drill PLACE` and `broker restore FILE`."""

import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from broker.backup_limits import HOUR
from broker.backup_record import DONE, LOST
from broker.backups import drilling, making, restoring
from broker.backups.making import Running
from broker.backups.sealed_secrets import read_recipient
from broker.commands.console import AsJson, ConfigFile, failing_clearly, house_of, progress, show, talk
from broker.wiring import wall_clock

MAKE = "make"
HOW = {
    "sqlite": "SQLite: the online backup, in one read transaction of the broker's own",
    "postgresql": "PostgreSQL: every table by COPY, in one repeatable-read snapshot (pg_dump is not used)",
}


class MakingByDefault(TyperGroup):
    """`broker backup PLACE`, without a verb, makes one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        verb = args and args[0] not in self.commands and args[0] != "--help"
        return super().parse_args(ctx, [MAKE, *args] if verb else args)


app = typer.Typer(cls=MakingByDefault, help="Take a backup while the broker runs; rehearse restoring it.")

Place = Annotated[Path, typer.Argument(help="A folder, or a new file; drills of a folder read *.broker-backup.tar.")]
Key = Annotated[str, typer.Option("--key", help="The log's verifier key as you pinned it; by default log.key's own.")]


@app.command(MAKE)
def make(
    place: Place,
    config: ConfigFile,
    recipient: Annotated[
        Path | None, typer.Option(help="An X25519 public key (PEM) to seal the secrets to; else they are left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """`broker backup PLACE`: one file with database, configuration and checkpoint, signed by the log's key."""
    with failing_clearly(), ending_in_order(), running(config) as broker, progress("copying") as advance:
        key = read_recipient(recipient) if recipient is not None else None
        made = making.make(broker, making.Wish(place, key, advance))
    manifest = made.manifest
    talk.print(HOW[manifest.store], soft_wrap=True)
    if manifest.elsewhere:
        talk.print("NOT in this backup; keep a copy of each somewhere else:")
        for name in manifest.elsewhere:
            talk.print(f"  {name}", markup=False, soft_wrap=True)
    members: dict[str, Any] = {"file": str(made.file), "backup": manifest.backup, "made_at": manifest.made_at}
    members |= {"bytes": made.bytes, "entries": manifest.size, "store": manifest.store, "elsewhere": manifest.elsewhere}
    show(members | {"secrets": "sealed" if manifest.sealed_to else "left out"}, as_json=as_json)


@app.command("drill")
def drill(
    place: Annotated[Path, typer.Argument(exists=True, help="A backup, or a folder: then the newest in it.")],
    config: ConfigFile,
    key: Key = "",
    scratch: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Where to restore; by default the system's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Restore it in scratch, verify its log and hold it against the running one. Leaves nothing behind."""
    with failing_clearly(), ending_in_order(), running(config) as broker, progress("reading") as advance:
        folder = scratch if scratch is not None else Path(tempfile.gettempdir())
        done = drilling.drill(broker, drilling.Wish(place=place, pinned=key, scratch=folder, progress=advance))
        limit = broker.settings.backup.backup
    if done.newer:
        talk.print(f"[red]![/red] a later backup, {done.newer}, was made and is not here", soft_wrap=True)
    if limit and done.age > limit:
        talk.print(f"[red]![/red] it is {done.age / HOUR:.0f} hours old, more than {limit / HOUR:.0f}", soft_wrap=True)
    manifest = done.manifest
    members: dict[str, Any] = {"file": str(done.file), "backup": manifest.backup, "made_at": manifest.made_at}
    members |= {"verified_by": done.vkey, "age_hours": round(done.age / HOUR, 1)}
    members |= {"entries": manifest.size, "entries_since": done.entries_since, "newer_missing": done.newer}
    show(members | {"seconds": round(done.seconds, 1)}, as_json=as_json)


def restore(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The backup.")],
    config: Annotated[Path, typer.Option("--config", help="The configuration file; put back where it is missing.")],
    key: Key = "",
    unseal: Annotated[
        Path | None, typer.Option(exists=True, help="The private key (PEM) that the secrets are sealed to.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Over a database: SQLite's is put aside, PostgreSQL's goes.")
    ] = False,
    newest: Annotated[
        bool, typer.Option("--newest", help="Nothing was recorded after it, you know; where no anchor can tell.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup back. The broker must be down; what is not whole and signed is refused before anything changes."""
    with failing_clearly(), ending_in_order(), progress("reading") as advance:
        wish = restoring.Wish(
            file=file, config=config, pinned=key, unseal=unseal, force=force, newest=newest, progress=advance
        )
        done = restoring.restore(wish)
    _say(done)
    members: dict[str, Any] = {"backup": done.manifest.backup, "made_at": done.manifest.made_at}
    members |= {"entries": done.manifest.size, "lost": done.lost, "newest": done.outcome == DONE}
    members |= {"put_back": done.put_back, "differing": done.differing}
    show(members | {"aside": str(done.aside) if done.aside is not None else None}, as_json=as_json)


def _say(done: restoring.Restored) -> None:
    for name in done.differing:
        talk.print(f"left as it is, not as in the backup: {name}", markup=False, soft_wrap=True)
    if done.aside is not None:
        talk.print(
            f"What was there is in {done.aside}: people's records; remove it when it has served.", soft_wrap=True
        )
    if done.manifest.store == "postgresql":
        talk.print("Rights on the tables are not in a backup: run postgresql_grants.sql again.", soft_wrap=True)
    if done.outcome == DONE:
        talk.print("Nothing is missing: it is the newest log there was. `broker serve` goes on from it.")
        return
    lost = f"{done.lost} entries are LOST" if done.outcome == LOST else "No anchor tells what is LOST"
    talk.print(
        f"[red]![/red] {lost}, with the withdrawals and erasures among them. The broker will not start. To go on, in "
        "the open and with releases stopped: `broker audit accept-fork --reason TEXT`",
        soft_wrap=True,
    )


@contextmanager
def running(config: Path) -> Iterator[Running]:
    with house_of(config) as (settings, database, storage):
        yield Running(config, settings, database, storage, wall_clock)


@contextmanager
def ending_in_order() -> Iterator[None]:
    """A polite kill clears away what was begun, as Ctrl-C does."""

    def end(number: int, _: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
