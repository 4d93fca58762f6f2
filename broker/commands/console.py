"""How commands speak: data on stdout, as text or one JSON object, and talk on stderr; failures become exit codes."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlalchemy import Column
from sqlalchemy.exc import DBAPIError

from audit.errors import AuditError, LedgerUnavailable, NotInLog
from broker.backups.errors import BackupDamaged, BackupError, BackupMissing, BackupRefused
from broker.commands.exits import ExitCode
from broker.database import Database
from broker.keys import read_keys
from broker.problems import PROBLEMS
from broker.settings import Settings, read_settings
from broker.storage import Storage
from broker.wiring import open_storage
from policies.refusals import Code, Refused
from policies.strict_yaml import ConfigurationError

ConfigFile = Annotated[Path, typer.Option("--config", help="The broker's configuration file.", exists=True)]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]

_OF_BACKUPS: Final[Mapping[type[BackupError], ExitCode]] = {
    BackupRefused: ExitCode.REFUSED,
    BackupMissing: ExitCode.NOT_FOUND,
    BackupDamaged: ExitCode.VERIFICATION_FAILED,
}

talk = Console(stderr=True, highlight=False)


def show(members: dict[str, Any], *, as_json: bool, table: Table | None = None) -> None:
    """The command's data, once, on stdout."""
    if as_json:
        sys.stdout.write(json.dumps(members, ensure_ascii=False) + "\n")
    elif table is not None:
        Console(highlight=False).print(table)
    else:
        for name, value in members.items():
            sys.stdout.write(f"{name}: {value}\n")


@contextmanager
def progress(doing: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr that moves with (done, in all), where stderr is a terminal."""
    with Progress(console=talk, disable=not talk.is_terminal, transient=True) as bar:
        task = bar.add_task(doing, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def failing_clearly() -> Iterator[None]:
    """Turn what can go wrong into one sentence on stderr and its exit code."""
    try:
        yield
    except ConfigurationError as error:
        raise stop(str(error), ExitCode.USAGE) from error
    except Refused as error:
        code = ExitCode.NOT_FOUND if error.refusal.code is Code.NOT_FOUND else ExitCode.REFUSED
        raise stop(f"{error.refusal.code}: {PROBLEMS[error.refusal.code].en.cause}", code) from error
    except BackupError as error:
        raise stop(str(error), _OF_BACKUPS[type(error)]) from error
    except FileExistsError as error:
        raise stop(f"{error.filename or error}: exists already; nothing was changed", ExitCode.REFUSED) from error
    except OSError as error:
        raise stop(f"{error.filename or 'a file'}: {error.strerror}", ExitCode.UNAVAILABLE) from error
    except NotInLog as error:
        raise stop(str(error), ExitCode.NOT_FOUND) from error
    except LedgerUnavailable as error:
        raise stop(f"ledger_unavailable: {error}", ExitCode.UNAVAILABLE) from error
    except AuditError as error:
        raise stop(str(error), ExitCode.REFUSED) from error
    except DBAPIError as error:  # its second line may quote values
        first = str(error.orig).partition("\n")[0]
        raise stop(f"the database failed: {first}", ExitCode.UNAVAILABLE) from error


def stop(text: str, code: ExitCode) -> typer.Exit:
    talk.print(f"[red]✗[/red] {text}", soft_wrap=True)
    return typer.Exit(code)


def read_words(text: str, column: Column[str]) -> str:
    """Words for people's eyes that the column can hold; SQLite would take more, PostgreSQL refuses."""
    longest = getattr(column.type, "length", 0)
    if len(text) > longest or not text.isprintable():
        raise typer.BadParameter(f"at most {longest} printable characters")
    return text


@contextmanager
def storage_of(config: Path) -> Iterator[tuple[Settings, Storage]]:
    """The one door, beside a running server if there is one; closed in order."""
    with house_of(config) as (settings, _, storage):
        yield settings, storage


@contextmanager
def house_of(config: Path) -> Iterator[tuple[Settings, Database, Storage]]:
    """The database and the one door."""
    settings = read_settings(config)
    database, storage = open_storage(settings, read_keys(settings.secrets, settings.log_origin))
    try:
        yield settings, database, storage
    finally:
        storage.ledger.close()
        database.close()
