"""What a command's exit code says (protocol, Commands)."""

from enum import IntEnum
from http import HTTPStatus


class ExitCode(IntEnum):
    OK = 0
    USAGE = 2
    NOT_FOUND = 3
    REFUSED = 4
    VERIFICATION_FAILED = 5
    UNAVAILABLE = 6


def exit_of(status: int) -> ExitCode:
    """What a broker's HTTP answer means for the command that asked."""
    if status < HTTPStatus.BAD_REQUEST:
        return ExitCode.OK
    if status == HTTPStatus.NOT_FOUND:
        return ExitCode.NOT_FOUND
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ExitCode.UNAVAILABLE
    return ExitCode.REFUSED
