"""`broker departments test`: recorded answers through the routes' real reading; `link`: for who answers by hand."""

import time
from typing import Annotated, Any

import msgspec
import typer

from broker.commands.console import AsJson, ConfigFile, failing_clearly, show, stop, talk
from broker.commands.exits import ExitCode
from broker.department_links import LONGEST, Clerk, new_link
from broker.keys import read_keys
from broker.settings import Settings, read_settings
from connectors.directory import Directory
from connectors.dry_run import Rehearsal, rehearse, routes_of, sample_of
from connectors.route import Route
from policies.catalogue import Catalogue
from policies.vocabulary import Item

app = typer.Typer(help="Departments, the routes to them, and their people who answer by hand.", no_args_is_help=True)

HOUR = 3600


@app.command("test")
def dry_run(
    config: ConfigFile,
    item: Annotated[str, typer.Argument(help="The catalogue's id of the item.")],
    as_json: AsJson = False,
) -> None:
    """Say what would be sent and what would leave. Exit 0 only if each route does what its sample says."""
    with failing_clearly():
        settings = read_settings(config)
        catalogue = Catalogue.load(settings.catalogue)
        Directory.load(settings.routes, catalogue.items, settings.route_secrets)  # refuses what would not start
        if item not in catalogue.items:
            raise stop(f"the catalogue has no item {item!r}", ExitCode.NOT_FOUND)
        routes = routes_of(settings.routes, item)
        told = [_told(route, catalogue.items[item], settings) for route in routes]
    if not told:
        raise stop(f"no route for {item}: it is never asked for", ExitCode.NOT_FOUND)
    right = all(one["ok"] for one in told)
    show({"item": item, "ok": right, "routes": told}, as_json=as_json)
    for one in told:
        talk.print(f"[green]✓[/green] {one['route']}" if one["ok"] else f"[red]✗[/red] {one['route']}: {one['why']}")
    if not right:
        raise typer.Exit(ExitCode.VERIFICATION_FAILED)


@app.command("link")
def link(
    config: ConfigFile,
    department: Annotated[str, typer.Argument(help="The department's id in the catalogue.")],
    staff: Annotated[str, typer.Option(help="The staff number that the log will show.")],
    hours: Annotated[int, typer.Option(min=1, max=LONGEST // HOUR, help="How long the link is good.")] = 8,
    as_json: AsJson = False,
) -> None:
    """Make a link for one person. Whoever holds it answers in her name: hand it to her alone."""
    with failing_clearly():
        settings = read_settings(config)
        if department not in Catalogue.load(settings.catalogue).departments:
            raise typer.BadParameter("the catalogue has no such department")
        key = read_keys(settings.secrets, settings.log_origin).issuer
    try:
        token = new_link(key, settings.issuer, Clerk(department, staff), int(time.time()), hours * HOUR)
    except ValueError as error:
        raise typer.BadParameter(f"--staff: {error}") from None
    talk.print("Whoever holds this link answers in this person's name.")
    show({"link": f"{settings.issuer}/departments/{department}/enter?link={token}"}, as_json=as_json)


def _told(route: Route, item: Item, settings: Settings) -> dict[str, Any]:
    file = sample_of(settings.routes, route.name)
    if not file.is_file():
        return {"route": route.name, "ok": False, "why": f"no recorded sample at {file}"}
    return _members(rehearse(route, item, file))


def _members(rehearsal: Rehearsal) -> dict[str, Any]:
    return {
        "route": rehearsal.route,
        "ok": not rehearsal.differences,
        "why": f"not as recorded: {', '.join(rehearsal.differences)}" if rehearsal.differences else "",
        "sent": dict(rehearsal.sent),
        "leaves": msgspec.to_builtins(rehearsal.leaves),
    }
