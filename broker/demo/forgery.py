"""A forger at work: a copy of the database in which one row of the log names another clerk."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import create_engine

from audit.tiles import export


def export_altered(database: Path, index: int, words: tuple[bytes, bytes], folder: Path, vkey: str) -> None:
    """Copy the database, replace the first of `words` by the second in entry `index`, and export the copy to `folder`.

    The forger may write every table but does not hold the log's key. Raises ValueError where the entry lacks the word.
    """
    copy = folder.with_suffix(".db")
    _alter(database, copy, index, words)
    engine = create_engine(f"sqlite:///{copy}")
    try:
        with engine.begin() as connection:
            export(connection, folder, vkey)
    finally:
        engine.dispose()


def _alter(database: Path, copy: Path, index: int, words: tuple[bytes, bytes]) -> None:
    with (
        closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
        body = bytes(target.execute("SELECT body FROM audit_entry WHERE idx = ?", (index,)).fetchone()[0])
        if words[0] not in body:
            raise ValueError(f"entry {index} has nothing to alter")
        for (trigger,) in target.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            target.execute(f"DROP TRIGGER {trigger}")
        target.execute("UPDATE audit_entry SET body = ? WHERE idx = ?", (body.replace(*words), index))
        target.commit()
