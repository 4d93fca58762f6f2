"""Where others' test vectors lie: $BROKER_VECTORS, else `shared/vectors` beside the project. Never copied into it."""

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "vectors"


def vectors(*parts: str) -> Path:
    """Give the path of a vector file or folder. Absent: a loud skip, or a failure where $BROKER_VECTORS is set."""
    named = os.environ.get("BROKER_VECTORS")
    path = (Path(named) if named else _BESIDE).joinpath(*parts)
    if not path.exists():
        absent = f"NOT TESTED AGAINST OTHERS' VECTORS: {'/'.join(parts)} is absent; set BROKER_VECTORS"
        if named:
            pytest.fail(absent)
        pytest.skip(absent)
    return path
