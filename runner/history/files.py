"""Opens the file of a history, and names in one line what is wrong with it.

The journal is SQLite's own rollback journal, not the write-ahead log: the log needs memory that processes share, which
a network disk does not have; a reader of it must be able to write; and a file that is copied without its log lacks the
last runs. Writers are few and short here, so that they can wait for each other.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from runner.errors import NotMeasuredError, UsageError
from runner.history import schema
from runner.util import folders, plain

WAIT_S = 30.0
"""How long a command waits for another one that writes."""

NAME = "history.sqlite"


class FileError(UsageError):
    """A history that cannot be used as it is, and what to do about it."""


class LockedError(NotMeasuredError):
    """Another program holds the file for longer than a command waits."""


def default() -> Path:
    """The history in the user's data folder."""
    return folders.state_dir() / NAME


@contextmanager
def named(path: Path, doing: str = "read") -> Iterator[None]:
    """Turn SQLite's errors into one line about the file.

    Raises FileError, and LockedError.

    ``doing``: ``read`` or ``written``.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _in_words(path, doing, error) from None
    except OSError as error:
        raise FileError(f"{path}: cannot be {doing}: {error.strerror}") from None


def _in_words(path: Path, doing: str, error: sqlite3.Error) -> FileError | LockedError:
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return LockedError(f"{path}: another program has been writing to it for {WAIT_S:g} s; try again later")
    if name.startswith("SQLITE_NOTADB"):
        return _not_a_history(path)
    if name.startswith("SQLITE_FULL"):
        return FileError(f"{path}: the disk is full, and nothing was changed; make room, then try again")
    if name == "SQLITE_READONLY_ROLLBACK":
        return FileError(f"{path}: a killed program left it half written; a command that may write to it repairs it")
    if name.startswith("SQLITE_READONLY"):
        return FileError(f"{path}: cannot be written: read-only; name another file with --history")
    if name.startswith("SQLITE_CANTOPEN"):
        return FileError(f"{path}: cannot be {doing}, it or its folder; name another file with --history")
    if name.startswith("SQLITE_CORRUPT"):
        return damaged(path, str(error))
    if name.startswith("SQLITE_IOERR"):
        return FileError(f"{path}: cannot be {doing}: the disk reports an error or is full; nothing was changed")
    return damaged(path, str(error))


def damaged(path: Path, how: str) -> FileError:
    """The error about a file whose content is not what was written."""
    found = " ".join(plain.printable(how).split())
    return FileError(
        f"{path}: a damaged history ({found}); it is left as it is: name another file with --history, "
        "or move this one away and import the results again"
    )


def _not_a_history(path: Path) -> FileError:
    return FileError(f"{path}: not a history of this program; name another file with --history")


def connect(path: Path) -> sqlite3.Connection:
    """Open a history to read and write; where there is none, make one.

    A file of an older version is migrated, and a copy of it kept next to it. Raises FileError for a file that is
    damaged, of a newer version, not a history or not writable, and LockedError.
    """
    with named(path, "written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        _refuse_others(path)
        if not path.exists():
            _make(path)
        if not os.access(path, os.W_OK):
            raise FileError(f"{path}: cannot be written: read-only; name another file with --history")
        connection = _opened(path, "rw")
        try:
            version = _version(connection, path)
            _check(connection, path)
            if version < schema.VERSION:
                _migrate(connection, path)
            connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            connection.close()
            raise
        return connection


def reader(path: Path) -> sqlite3.Connection:
    """Open a history to read it alone. Nothing is written, not even next to it.

    A file of an older version is migrated in memory. Raises FileError for a missing or unusable file, and LockedError.
    """
    _refuse_others(path)
    if not path.exists():
        raise FileError(f"{path}: no such history; `runner history add DIR` begins one")
    with named(path):
        connection = _opened(path, "ro")
        try:
            version = _version(connection, path)
            if version < schema.VERSION:
                copy = sqlite3.connect(":memory:", isolation_level=None)
                connection.backup(copy)
                connection.close()
                connection = copy
                schema.migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection


def _refuse_others(path: Path) -> None:
    """Raises FileError for what is there and not a file.

    Opening a pipe would wait for ever.
    """
    if path.is_dir():
        raise FileError(f"{path}: is a folder; name a file with --history")
    if path.is_symlink() and not path.exists():
        raise FileError(f"{path}: a link to {path.readlink()}, which is not there; name a file with --history")
    if path.exists() and not path.is_file():
        raise FileError(f"{path}: a device, pipe or socket, not a file; name another one with --history")


def _opened(path: Path, mode: str) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(address, uri=True, timeout=WAIT_S, isolation_level=None)
    try:
        connection.execute("PRAGMA temp_store = MEMORY")
    except BaseException:
        connection.close()
        raise
    return connection


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the file's tables.

    Raises FileError for a file of others, or of a newer program.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    version = schema.version(connection)
    if application != schema.APPLICATION:
        raise _not_a_history(path)
    if version > schema.VERSION:
        newer = f"schema {version}, this one reads up to {schema.VERSION}"
        raise FileError(f"{path}: written by a newer program ({newer}); upgrade this one")
    return version


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Raises FileError for a file that SQLite finds damaged."""
    found = [str(line) for (line,) in connection.execute("PRAGMA quick_check(1)")]
    if found != ["ok"]:
        raise damaged(path, found[0])


def _make(path: Path) -> None:
    """Make an empty history.

    It has its name only when it is whole; another program's own may come first.
    """
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with closing(sqlite3.connect(part, isolation_level=None)) as connection:
            schema.create(connection)
        try:
            os.link(part, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            if not path.exists():
                part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring an older file up to date, all or nothing.

    The old one stays next to it, as ``NAME.v1``.
    """
    with transaction(connection):  # nobody else writes meanwhile
        version = schema.version(connection)
        if version == schema.VERSION:  # another program was first
            return
        part = path.with_name(f".{secrets.token_hex(8)}.part")
        try:
            with closing(_opened(path, "ro")) as source, closing(sqlite3.connect(part)) as copy:
                source.backup(copy)
            part.replace(path.with_name(f"{path.name}.v{version}"))
        finally:
            part.unlink(missing_ok=True)
        schema.migrate(connection)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """What is done within is written together, or not at all. Raises sqlite3.Error."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # a full disk has ended the transaction by itself
            connection.execute("ROLLBACK")
        raise
