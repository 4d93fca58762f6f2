"""The setting `load:`, and the connections that the system lets a process have."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from broker.founding import CONFIGURATION, found_broker
from broker.listening import DESCRIPTORS
from broker.settings import read_settings
from policies.strict_yaml import ConfigurationError
from tests.faults.serving import ROOT

LOWERED = """
import resource
from broker.listening import take_descriptors
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
take_descriptors()
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize("given", ["exchanges: 3", "exchanges: 10001", "slow_seconds: 0.4", "slow_seconds: 61", "x: 1"])
def test_a_limit_that_limits_nothing_refuses_to_start(tmp_path: Path, given: str) -> None:
    found_broker(tmp_path / "broker", issuer="http://127.0.0.1:8400")
    file = tmp_path / "broker" / CONFIGURATION
    lines = file.read_text(encoding="utf-8").count("\n")
    with file.open("a", encoding="utf-8") as stream:
        stream.write(f"load:\n  {given}\n")
    with pytest.raises(ConfigurationError) as told:
        read_settings(file)
    assert str(told.value).startswith(f"{file}:{lines + 2}:")
    file.write_text(file.read_text(encoding="utf-8").replace(given, "exchanges: 12"), encoding="utf-8")
    assert (read_settings(file).load.exchanges, read_settings(file).load.slow_seconds) == (12, 5.0)


def test_a_process_takes_the_connections_it_may_have() -> None:
    run = subprocess.run([sys.executable, "-c", LOWERED], cwd=ROOT, capture_output=True, text=True, check=True)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert int(run.stdout) == (DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS))
