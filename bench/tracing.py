"""A disk that is slow, as strace makes it: every fsync returns later. Rates are compared with tracing alone."""

import shutil
import subprocess
from typing import Final

TRACED: Final = ("strace", "-f", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=fsync,fdatasync")
"""Written before a command: it runs traced, and only these calls stop."""


def slowed(milliseconds: float) -> tuple[str, ...]:
    """The same, and each of these calls returns so much later."""
    return (*TRACED, "-e", f"inject=fsync,fdatasync:delay_exit={int(milliseconds * 1000)}")


def whats_missing() -> str:
    """Why nothing can be traced here; empty where it can."""
    if shutil.which("strace") is None:
        return "there is no strace"
    tried = subprocess.run([*slowed(0), "true"], capture_output=True, text=True, check=False)
    return f"strace cannot trace: {tried.stderr.strip()}" if tried.returncode else ""
