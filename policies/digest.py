"""One digest over a set of files, so that a log entry can say which catalogue or rules decided."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def files_digest(folder: Path, paths: Iterable[Path]) -> str:
    """Hex SHA-256 over the files in order of their path below `folder` (POSIX spelling, by code point).

    Each file counts as `<length of path>:<path>,<length of content>:<content>,` in UTF-8 bytes (netstrings), so that no
    two different sets of files can look alike.
    """
    whole = hashlib.sha256()
    for name, path in sorted((path.relative_to(folder).as_posix(), path) for path in paths):
        for part in (name.encode(), path.read_bytes()):
            whole.update(b"%d:%s," % (len(part), part))
    return whole.hexdigest()
