"""Locks between processes: a file that one of them holds, or several share.

``flock`` on an open file: the system releases it when the holder ends, also when it is killed. The file stays. Its
content names the holder for those who wait.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shlex
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

_FIRST_WAIT_S = 0.01
_LONGEST_WAIT_S = 0.2
_TRIES_FOR_A_NAME = 5
"""A holder that has just taken the lock writes its name a moment later."""
_LONGEST_NAME = 200
_UNSUPPORTED = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL}
"""What network file systems without locks answer. EBADF: they want a file that is open for writing."""
_READ_ONLY = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def held(
    path: Path,
    waiting: Callable[[str], None],
    *,
    shared: bool = False,
    unlocked: Callable[[str], None] | None = None,
    check: Callable[[], None] = lambda: None,
) -> Iterator[bool]:
    """Hold a lock for as long as the context lasts. Yields whether it is really held.

    ``waiting`` gets the holder's description, once, before this waits. ``shared``: any number may hold it together,
    while nobody holds it alone. ``unlocked`` gets the reason where the file system has no locks, and the work goes on
    without one (None: ``waiting`` gets it). ``check`` is called before every attempt, several times a second, and may
    raise to end the wait: a thread that no signal reaches has no other way out. In the main thread Ctrl-C ends the
    wait at once. Threads of one process exclude each other like processes.

    The file's folder must exist. Raises OSError where the file can be neither made nor opened.
    """
    descriptor, writable, locked = _taken(path, waiting, unlocked or waiting, check, shared=shared)
    try:
        named = _name(descriptor) if locked and writable else b""
        try:
            yield locked
        finally:
            # of several that share a lock, each removes only its own name
            if named and _content(descriptor) == named:
                with suppress(OSError):
                    os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)  # and with it the lock: nobody else has the descriptor, as it is closed on exec


def holder(path: Path) -> str:
    """The description of a lock's holder, or of its last one; else empty."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    try:
        return _described(_content(descriptor))
    finally:
        os.close(descriptor)


def _taken(
    path: Path,
    waiting: Callable[[str], None],
    unlocked: Callable[[str], None],
    check: Callable[[], None],
    *,
    shared: bool,
) -> tuple[int, bool, bool]:
    """The lock's open file, whether it can be written, and whether it is locked."""
    while True:
        descriptor, writable = _opened(path)
        try:
            locked = _locked(descriptor, writable, waiting, unlocked, check, shared=shared)
            there = path.stat(follow_symlinks=False)
        except FileNotFoundError:
            there = None
        except BaseException:
            os.close(descriptor)
            raise
        if there is not None and os.path.samestat(there, os.fstat(descriptor)):
            return descriptor, writable, locked
        os.close(descriptor)  # the file was removed during the wait: the next one here would lock another


def _opened(path: Path) -> tuple[int, bool]:
    """The lock's file, made where it is missing, and whether it is open for writing.

    Somebody else's file in a shared folder may be readable alone; that is enough for a lock. A link is not followed.
    """
    flags = os.O_NOFOLLOW | os.O_NONBLOCK  # a FIFO in its place must not stop the program
    try:
        return os.open(path, flags | os.O_RDWR | os.O_CREAT, 0o666), True
    except OSError as error:
        if error.errno not in _READ_ONLY:
            raise
    return os.open(path, flags | os.O_RDONLY), False


def _locked(
    descriptor: int,
    writable: bool,
    waiting: Callable[[str], None],
    unlocked: Callable[[str], None],
    check: Callable[[], None],
    *,
    shared: bool,
) -> bool:
    """Take the lock, after a wait where others hold it.

    Returns False where the file system has no locks. It asks again and again instead of blocking: a signal that comes
    just before a blocking call does not end it.
    """
    how = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB
    tries, pause, told = 0, _FIRST_WAIT_S, False
    while True:
        check()
        try:
            fcntl.flock(descriptor, how)
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno not in _UNSUPPORTED and not (error.errno == errno.EBADF and not writable):
                raise
            unlocked(error.strerror or str(error))
            return False
        else:
            return True
        tries += 1
        name = _described(_content(descriptor))
        if not told and (name or tries >= _TRIES_FOR_A_NAME):
            waiting(name or "another process")
            told = True
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_WAIT_S)


def _name(descriptor: int) -> bytes:
    """Write down who holds the lock. Returns what was written.

    On a full disk that is nothing; the lock holds all the same.
    """
    who = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "command": shlex.join(["runner", *sys.argv[1:2]]),
        "since": datetime.now(UTC).isoformat(sep=" ", timespec="seconds").removesuffix("+00:00") + " UTC",
    }
    content = json.dumps(who).encode() + b"\n"
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, content, 0)
        return content
    return b""


def _content(descriptor: int) -> bytes:
    with suppress(OSError):
        return os.pread(descriptor, 1 << 16, 0)
    return b""


def _described(content: bytes) -> str:
    """The holder in words, or an empty string.

    ``process 17 (runner matrix, since 2026-08-14 10:02:11 UTC)``; ``process 17 on atlas (...)`` on another host.
    """
    try:
        who = json.loads(content)
        where = "" if who["host"] == socket.gethostname() else f" on {who['host']}"
        text = f"process {who['pid']}{where} ({who['command']}, since {who['since']})"
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    # another program's text goes to a terminal
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 3] + "..."
