"""What is wrong without stopping anything: told once when it begins, once when it changes, once when it is over."""

from typing import Any, Final

FINE: Final = "ok"


class Alarm:
    """The present state of one thing, in words for an operator; each change of it is one log line."""

    def __init__(self, log: Any, subject: str, state: str = FINE) -> None:
        self._log = log
        self._subject = subject
        self.state = state

    def set(self, state: str, *, grave: bool = False) -> None:
        """`grave` is for what a person must look at now."""
        if state == self.state:
            return
        self.state = state
        tell = self._log.critical if grave else self._log.info if state == FINE else self._log.warning
        tell("alarm", subject=self._subject, state=state)
