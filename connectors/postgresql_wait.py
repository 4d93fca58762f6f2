"""PostgreSQL connections that wait no longer than they may: a silent server must not keep one of our threads."""

from collections.abc import Generator
from typing import Any

try:
    import psycopg
except ImportError:  # the extra `postgresql` is not installed; SQLAlchemy says so when such a URL is opened
    psycopg = None  # type: ignore[assignment]


def connect_within(seconds: float, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """Return a connection of which every wait ends after so many seconds: with QueryCanceled, and closed."""

    class Limited(psycopg.Connection[Any]):
        def wait(self, gen: Generator[Any, Any, Any], interval: float = 0.1, timeout: float | None = None) -> Any:
            try:
                return super().wait(gen, interval, min(seconds, timeout or seconds))
            except psycopg.errors._WaitTimeout:  # noqa: SLF001 - it has no other name, and tells nothing else
                self.pgconn.finish()
                raise psycopg.errors.QueryCanceled("no answer in time") from None

    return Limited.connect(*arguments, **named)
