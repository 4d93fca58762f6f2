"""The command line: `broker NOUN VERB`. Exit codes are those of broker/commands/exits.py."""

import typer

from broker.commands import (
    applications,
    audit,
    backup,
    demo,
    departments,
    desk,
    figures,
    improvement,
    inquiries,
    keys,
    materials,
    migrate,
    releases,
    request,
    requesters,
    serving,
    staff,
    subjects,
    walking,
    witness,
)

app = typer.Typer(
    name="broker",
    help="便利桥: shares departments' records only under the citizen's own signature, and proves every call.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("init")(serving.init)
app.command("serve")(serving.serve)
app.command("check")(serving.check)
app.command("migrate")(migrate.migrate)
app.add_typer(requesters.app, name="requesters")
app.add_typer(keys.app, name="keys")
app.add_typer(releases.app, name="releases")
app.add_typer(departments.app, name="departments")
app.add_typer(applications.app, name="applications")
app.add_typer(audit.app, name="audit")
app.add_typer(backup.app, name="backup")
app.command("restore")(backup.restore)
app.add_typer(materials.app, name="materials")
app.add_typer(staff.app, name="staff")
app.add_typer(figures.app, name="figures")
app.add_typer(subjects.app, name="subjects")
app.add_typer(inquiries.questions, name="questions")
app.add_typer(inquiries.corrections, name="corrections")
app.add_typer(improvement.problems, name="problems")
app.add_typer(improvement.consultations, name="consultations")
app.add_typer(witness.app, name="witness")
app.add_typer(request.app, name="request")
app.command("walk")(walking.walk)
app.add_typer(desk.app, name="desk")
app.command("demo")(demo.demo)


def main() -> None:
    app()
