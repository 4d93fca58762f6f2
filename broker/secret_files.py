"""Secrets in files of their own, which only their owner may read."""

import os
from pathlib import Path

from policies.strict_yaml import ConfigurationError


def write_secret(file: Path, content: bytes) -> None:
    """A new file that only its owner can read."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)


def read_secret(file: Path) -> bytes:
    """Raises ConfigurationError where the file is missing, or others than its owner may read it."""
    try:
        if file.stat().st_mode & 0o077:
            raise ConfigurationError(f"{file}:1: others may read this secret; chmod 600 it")
        return file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{file}:1: cannot be read: {error.strerror}") from error
