"""Where the browser and the accessibility rules are; what is missing skips loudly, and fails where it must not be."""

import os
import shutil
from importlib import metadata
from pathlib import Path

import pytest

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

PATIENCE = 30_000
"""Milliseconds until a page has what is waited for; a busy machine may need some of them."""


def find_chromium() -> Path:
    """The distribution's own Chromium. Absent: a loud skip."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("NOT TESTED IN A BROWSER: there is no chromium on this machine; apt-get install chromium")
    return Path(found)


def accessibility_rules() -> str:
    """axe-core's source. Absent: a loud skip, or a failure where CI is set, for the browser is there."""
    files = metadata.files("axe-playwright-python") or []
    for file in files:
        if file.name == "axe.min.js":
            return Path(str(file.locate())).read_text(encoding="utf-8")
    absent = "NOT TESTED FOR ACCESSIBILITY: axe.min.js is not where axe-playwright-python had it"
    if os.environ.get("CI") == "true":
        pytest.fail(absent)
    pytest.skip(absent)
