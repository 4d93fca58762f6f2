"""`broker demo`: the story of Mr Xu on real servers, then the servers for whoever wants to look, until Ctrl-C."""

import asyncio
import json
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import typer
from rich.markup import escape

from broker.commands.console import AsJson, failing_clearly, talk
from broker.demo.report import NotAsItShouldBe, Report
from broker.demo.stage import Stage
from broker.demo.story import tell
from broker.founding import CONFIGURATION
from connectors.departments.people import XU

INTERRUPTED: Final = 130
"""128 and SIGINT, as shells have it: the story was not told to its end."""
_CANCEL_SECONDS: Final = 0.05
_WORTH_OPENING: Final = (
    "/v1/catalogue",
    "/log/checkpoint",
    "/.well-known/consent-broker",
    "/problems/consent_withdrawn",
)


def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the story.")] = False,
    as_json: AsJson = False,
    keep: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Leave everything in this new or empty folder.")
    ] = None,
) -> None:
    """Mr Xu's signature opens four departments' records; every refusal and the log are tried. 0 only if all is well."""
    report = Report(talk)

    def conclude() -> None:
        talk.print(report.summary())
        if keep is not None:
            _say_what_is_kept(keep)
        if as_json:
            sys.stdout.write(json.dumps(report.members(), ensure_ascii=False) + "\n")
            sys.stdout.flush()

    with failing_clearly(), TemporaryDirectory(prefix="broker-demo-") as temporary:
        folder = _empty(keep if keep is not None else Path(temporary) / "broker")
        try:
            asyncio.run(_play(report, folder, Path(temporary) / "altered", conclude, serve_on=not once))
        except (asyncio.CancelledError, KeyboardInterrupt):
            raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(0 if report.ok else 1)


async def _play(report: Report, folder: Path, altered: Path, conclude: Callable[[], None], *, serve_on: bool) -> None:
    """The story, its conclusion, and what is still to be seen; ends all child processes however it ends."""
    _end_on_signals()
    async with AsyncExitStack() as stack:
        stage = None
        try:
            stage = await tell(report, folder, altered, stack, for_people=serve_on)
        except NotAsItShouldBe as error:
            # A Ctrl-C that reached the departments before us is no failure of the story; it cancels us here
            await asyncio.sleep(_CANCEL_SECONDS)
            talk.print(f"\n[bold red]✗ {escape(str(error))}[/bold red]", soft_wrap=True)
        conclude()
        if stage is not None and serve_on:
            _invite(stage)
            await _until_cancelled()


def _empty(folder: Path) -> Path:
    """The folder to play in, made where it is new. Raises FileExistsError where it is not empty."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise FileExistsError(folder)
    except (PermissionError, NotADirectoryError) as error:
        raise typer.BadParameter(f"{folder}: {error.strerror}") from None
    return folder.resolve()


def _end_on_signals() -> None:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)


async def _until_cancelled() -> None:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        talk.print("结束 Ending.")


def _invite(stage: Stage) -> None:
    talk.print("\n[bold]还在运行，按 Ctrl-C 结束 Still running; Ctrl-C ends it. 可以打开 Worth opening:[/bold]")
    for path in _WORTH_OPENING:
        talk.print(f"  {stage.settings.issuer}{path}", soft_wrap=True)
    if stage.provider:
        talk.print(
            f"  {stage.settings.issuer}/me  登录用测试身份提供方 sign in at the TEST identity provider {stage.provider}"
            f"（点“{XU.name}” tap {XU.name}）",
            soft_wrap=True,
        )


def _say_what_is_kept(keep: Path) -> None:
    talk.print(
        f"\n留在 Kept in {keep}: {CONFIGURATION}, broker.db, secrets/, broker.log, departments/ (stores and routes),\n"
        "  requesters/*.pem (两家中心的私钥 both centres' private keys, for `broker request`), export/ (the log)\n"
        f"  broker serve --config {keep / CONFIGURATION}\n"
        f"  python audit/verify.py {keep / 'export'} --key $(cat {keep / 'export' / 'log.vkey'})",
        markup=False,
        soft_wrap=True,
    )
