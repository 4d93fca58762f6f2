"""What a command's exit code says (protocol, Commands)."""

from enum import IntEnum


class ExitCode(IntEnum):
    OK = 0
    USAGE = 2
    NOT_FOUND = 3
    REFUSED = 4
    VERIFICATION_FAILED = 5
    UNAVAILABLE = 6
