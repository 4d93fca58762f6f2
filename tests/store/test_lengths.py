"""PostgreSQL holds a column's length where SQLite does not: what may be said must fit, and what does not is refused."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from broker.cli import app
from broker.commands.exits import ExitCode
from broker.founding import CONFIGURATION, found_broker
from connectors.departments.people import XU
from policies.identifiers import read_label
from tests.world import OPERATOR, World

LONGEST = 64


def test_a_label_is_bounded() -> None:
    assert read_label("窗" * LONGEST)
    with pytest.raises(ValueError, match="label"):
        read_label("窗" * (LONGEST + 1))


async def test_the_longest_words_a_requester_may_file_fit(each_world: World) -> None:
    centre, phone = await each_world.centre(), await each_world.phone(XU)
    operator = OPERATOR | {"id": "c" * LONGEST, "desk": "窗" * LONGEST}
    consent = await each_world.grant(centre, phone, case="K" * LONGEST, operator=operator)
    reply = await each_world.pull(centre, consent, case="K" * LONGEST, operator=operator)
    assert reply.status == 200, reply.members
    each_world.check_log()


@pytest.mark.parametrize("reason", ["长" * 201, "a\0b"])
def test_a_reason_that_does_not_fit_is_refused(tmp_path: Path, store: str, reason: str) -> None:
    found_broker(tmp_path, issuer="http://127.0.0.1:8400", database=store)
    words = ["releases", "stop", "--config", str(tmp_path / CONFIGURATION), "--reason"]
    refused = CliRunner().invoke(app, [*words, reason])
    assert (refused.exit_code, "at most 200 printable" in refused.output) == (ExitCode.USAGE, True)
    assert CliRunner().invoke(app, [*words, "长" * 200]).exit_code == ExitCode.OK
