"""`broker figures rebuild|show|case`: the public figures, counted anew from the log, and one case's four zeros."""

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table
from sqlalchemy import select

from broker import tables
from broker.commands.console import AsJson, ConfigFile, failing_clearly, progress, show, storage_of
from broker.figures import publishing
from broker.figures.cases import Ground, zeros_of
from broker.figures.counting import Counting, begin_anew, case_of, count_on
from broker.figures.publishing import Figure
from broker.settings import Settings
from broker.storage import Storage
from broker.wiring import log_size
from policies.catalogue import Catalogue
from policies.refusals import Code, Refused

app = typer.Typer(help="What the work comes to, in numbers.", no_args_is_help=True)


@app.command("rebuild")
def rebuild(config: ConfigFile, as_json: AsJson = False) -> None:
    """Forget everything that was counted and count the whole log, piece by piece, while the broker may be running."""
    with failing_clearly(), storage_of(config) as (settings, storage), progress("counting") as advance:
        counting = _counting(settings, Catalogue.load(settings.catalogue))
        begin_anew(storage, counting)
        while count_on(storage, counting):
            advance(*_reached(storage))
        with storage.reader.begin() as connection:
            months = publishing.read(connection).months
        reached, size = _reached(storage)
    show({"entries": size, "counted": reached, "months": list(months)}, as_json=as_json)


@app.command("show")
def show_all(
    config: ConfigFile,
    month: Annotated[str, typer.Option("--month", help="Such as 2026-11; without it, all months added up.")] = "",
    as_json: AsJson = False,
) -> None:
    """The figures as everybody may see them."""
    with failing_clearly(), storage_of(config) as (settings, storage):
        with storage.reader.begin() as connection:
            report = publishing.read(connection, month)
        if month and month not in report.months:
            raise Refused(Code.NOT_FOUND)
        members = {"months": list(report.months), "figures": [asdict(one) for one in report.figures]}
        show(members, as_json=as_json, table=_table(report.figures, settings))


@app.command("case")
def one_case(
    config: ConfigFile,
    requester: Annotated[str, typer.Argument(help="The requester's id.")],
    case: Annotated[str, typer.Argument(help="Its case.")],
    matter: Annotated[str, typer.Argument(help="The matter's id.")],
    as_json: AsJson = False,
) -> None:
    """The four zeros of one case as it stands, each `zero` or the reason why not. Names nobody."""
    with failing_clearly(), storage_of(config) as (settings, storage):
        catalogue = Catalogue.load(settings.catalogue)
        with storage.reader.begin() as connection:
            life = case_of(connection, f"{requester}/{case}/{matter}")
        if life is None:
            raise Refused(Code.NOT_FOUND)
        zeros = asdict(zeros_of(life, catalogue.matters.get(matter)))
        show(zeros | {"decided": life.decided}, as_json=as_json)


def _counting(settings: Settings, catalogue: Catalogue) -> Counting:
    return Counting(Ground(catalogue.matters, settings.figures.places), settings.figures.smallest)


def _reached(storage: Storage) -> tuple[int, int]:
    """How many entries are counted, and how many there are."""
    with storage.reader.begin() as connection:
        reached: int = connection.execute(select(tables.figures_state.c.reached)).scalar_one()
        return reached + 1, log_size(connection)


def _table(figures: Any, settings: Settings) -> Table:
    catalogue = Catalogue.load(settings.catalogue)
    table = Table("table", "row", "行", "number", "sum")
    for one in sorted(figures, key=lambda one: (one.table, -one.size, one.row)):
        chinese, english = publishing.name_of(one, catalogue, settings.figures.places)
        table.add_row(one.table, english, chinese, _number(one, settings), "" if one.total is None else str(one.total))
    return table


def _number(one: Figure, settings: Settings) -> str:
    if one.state != "shown":
        return f"<{settings.figures.smallest}" if one.state == "small" else "not shown"
    return f"{'≥' if one.at_least else ''}{'' if one.count is None else one.count}"
