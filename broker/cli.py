"""The command line: `broker NOUN VERB`. Exit codes are those of broker/commands/exits.py."""

import typer

from broker.commands import audit, demo, keys, migrate, releases, request, requesters, serving, subjects, witness

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
app.add_typer(audit.app, name="audit")
app.add_typer(subjects.app, name="subjects")
app.add_typer(witness.app, name="witness")
app.add_typer(request.app, name="request")
app.command("demo")(demo.demo)


def main() -> None:
    app()
