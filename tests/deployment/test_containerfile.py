"""What can be said of the container's file without building it, for no daemon runs where tests do."""

import re
import tomllib
from pathlib import Path

from broker.deployment import ready
from tests.ports import free_port
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "broker" / "deployment"


def instructions() -> list[tuple[str, str]]:
    text = (FOLDER / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines]


def test_every_copied_file_is_there_and_every_package_is_copied() -> None:
    sources = [rest.split()[0] for word, rest in instructions() if word == "COPY" and not rest.startswith("--from")]
    assert all((ROOT / source).exists() for source in sources)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert {*sources} >= set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])


def test_what_runs_has_no_rights_and_no_tools_to_build() -> None:
    words = [word for word, _ in instructions()]
    last = len(words) - 1 - words[::-1].index("FROM")
    stage = dict(instructions()[last:])
    assert words.count("FROM") == 2
    assert stage["USER"] == "10001:10001"
    assert "pip" not in " ".join(rest for _, rest in instructions()[last:])
    assert not [rest for word, rest in instructions() if word == "ADD" or ":latest" in rest or "curl" in rest]


def test_only_what_the_file_names_is_installed() -> None:
    install = next(rest for word, rest in instructions() if word == "RUN" and "pip install" in rest)
    assert "--require-hashes" in install
    assert "index" not in install
    pinned = (FOLDER / "requirements.txt").read_text(encoding="utf-8")
    assert "://" not in pinned
    names = re.findall(r"^([a-z0-9_-]+)(?:\[[^]]*\])?==", pinned, re.MULTILINE)
    assert {"psycopg", "rfc3161-client", "opentelemetry-sdk", "uvicorn"} <= set(names)
    theirs = dict(re.findall(r"^([a-z0-9_-]+)(?:\[[^]]*\])?==(\S+)", pinned, re.MULTILINE))
    ours = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    tested = dict(re.findall(r"^([a-z0-9_-]+)(?:\[[^]]*\])?==(\S+)", ours, re.MULTILINE))
    assert theirs.items() <= tested.items(), "other versions than those that are tested: make lock"


def test_health_is_readiness(world: World) -> None:
    check = next(rest for word, rest in instructions() if word == "HEALTHCHECK")
    assert '"python", "-m", "broker.deployment.ready", "http://127.0.0.1:8400/readyz"' in check
    assert ready.main(f"{world.issuer}/readyz") == 0
    assert ready.main(f"{world.issuer}/nowhere") == 1
    assert ready.main(f"http://127.0.0.1:{free_port()}/readyz") == 1
