"""`broker materials list`: what became of each matter's papers, with what the routes of this configuration reach."""

from typing import Annotated, Any

import typer
from rich.table import Table

from broker.commands.console import AsJson, ConfigFile, failing_clearly, show
from broker.settings import read_settings
from connectors.directory import Directory
from policies.catalogue import Catalogue
from policies.materials import Register, register
from policies.refusals import Code, Refused
from policies.vocabulary import Matter

app = typer.Typer(help="The register of materials.", no_args_is_help=True)


@app.callback()
def _nouns() -> None:
    """Keep `list` a verb of its own; an application of one command would swallow it."""


@app.command("list")
def list_all(
    config: ConfigFile,
    matter: Annotated[str, typer.Option("--matter", help="Only this matter; without it, all.")] = "",
    as_json: AsJson = False,
) -> None:
    """Every paper of every matter: kept, replaced by an item, replaced by a promise, or abolished."""
    with failing_clearly():
        settings = read_settings(config)
        catalogue = Catalogue.load(settings.catalogue)
        routed = Directory.load(settings.routes, catalogue.items, settings.route_secrets).items()
        if matter and matter not in catalogue.matters:
            raise Refused(Code.UNKNOWN_MATTER)
        chosen = [one for one in catalogue.matters.values() if matter in {"", one.id}]
    added_up = [(one, register(one, routed)) for one in chosen]
    members = {
        "matters": [_members(one, papers, routed) for one, papers in added_up],
        "before": sum(papers.before for _, papers in added_up),
        "now": sum(papers.now for _, papers in added_up),
    }
    show(members, as_json=as_json, table=_papers(*added_up[0]) if matter else _table(added_up))


def _members(matter: Matter, papers: Register, routed: frozenset[str]) -> dict[str, Any]:
    return {
        "matter": matter.id,
        "name_zh": matter.name_zh,
        "name_en": matter.name_en,
        "before": papers.before,
        "now": papers.now,
        "promised": papers.promised,
        "zero_material": papers.zero_material,
        "materials": [
            {
                "name_zh": material.name_zh,
                "name_en": material.name_en,
                "state": material.state,
                "item": material.item,
                "routed": material.item in routed,
                "to_bring": material in papers.to_bring,
            }
            for material in matter.materials
        ],
    }


def _table(added_up: list[tuple[Matter, Register]]) -> Table:
    table = Table("matter", "事项", "papers", "still to bring", "zero-material")
    for matter, papers in added_up:
        progress = f"{papers.before} -> {papers.now}" + (f" (+{papers.promised} promised)" if papers.promised else "")
        still = "、".join(material.name_zh for material in papers.to_bring)
        table.add_row(matter.id, matter.name_zh, progress, still, "yes" if papers.zero_material else "no")
    return table


def _papers(matter: Matter, papers: Register) -> Table:
    table = Table(
        "material", "材料", "state", "item", "to bring", title=f"{matter.id}: {papers.before} -> {papers.now}"
    )
    for material in matter.materials:
        wanted = "yes" if material in papers.to_bring else "no"
        table.add_row(material.name_en, material.name_zh, material.state, material.item, wanted)
    return table
