"""The page names only files that are there, and the settings it gives are read as it says."""

import re
from pathlib import Path

from broker.settings import read_settings

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "broker" / "deployment"
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")


def test_every_file_it_names_is_there() -> None:
    named = set(re.findall(r"(?:broker|tests|bench)/[\w/.-]+\.(?:py|md|txt|sql)", PAGE))
    assert len(named) > 5
    assert not [name for name in named if not (ROOT / name).exists()]
    beside = re.findall(r"^\| (`.+?`(?:, `.+?`)*) \| [^|]+ \|$", PAGE, re.MULTILINE)
    files = [name for cell in beside for name in re.findall(r"`(.+?)`", cell)]
    assert len(files) == 7
    assert not [name for name in files if not (FOLDER / name).exists()]


def test_the_main_page_leads_here() -> None:
    assert "broker/deployment/README.md" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_its_settings_are_settings(tmp_path: Path) -> None:
    lines = re.findall(r"`((?:listen|tracing): \{[^`]+\})`", PAGE)
    assert len(lines) == 2
    file = tmp_path / "broker.yaml"
    file.write_text("\n".join(["issuer: https://broker.example", *lines]) + "\n", encoding="utf-8")
    settings = read_settings(file)
    assert settings.leave_seconds == 10
    assert settings.tracing is not None


def test_its_address_of_three_servers_is_taken(tmp_path: Path) -> None:
    addresses = re.findall(r"postgresql://[^`\"\s]+", PAGE)
    assert len(addresses) == 2
    for address in addresses:
        file = tmp_path / "broker.yaml"
        file.write_text(f"issuer: https://broker.example\ndatabase: {address}\n", encoding="utf-8")
        read_settings(file)
