"""Files: one atomic write, one digest, one way to read what a user names."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import secrets
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from runner.errors import UsageError


def source(path: Path) -> str:
    """The text of a file the user names. Raises UsageError."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


def given(path: Path) -> bytes:
    """The bytes of a file that the user names; ``-`` is standard input.

    Raises UsageError.
    """
    try:
        return sys.stdin.buffer.read() if path == Path("-") else path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


def write(path: Path, content: str | bytes) -> None:
    """Write a file that the user names, whole or not at all. Raises UsageError."""
    try:
        write_atomically(path, content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None


def create(path: Path, text: str) -> None:
    """Write a new file that the user names, whole or not at all.

    Raises UsageError where it is there already.
    """
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        write_atomically(part, text.encode())
        try:
            os.link(part, path)  # unlike a rename, it never replaces a file
        finally:
            part.unlink()
    except FileExistsError:
        raise UsageError(f"{path}: is there already; it is not overwritten") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None


def content(path: Path) -> bytes:
    """The bytes of a regular file.

    Raises OSError, also for a folder and for a FIFO or a device, whose end may never come.
    """
    with io.FileIO(os.open(path, os.O_RDONLY | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        return file.readall()


_sync = [True]


def without_sync() -> None:
    """From now on, leave it to the system when this process's files reach the disk.

    For files that another machine fetches and keeps. A power loss loses them.
    """
    _sync[:] = [False]


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part.

    When this returns, a power loss loses neither the content nor the name. Who may read the file is for the umask to
    say. Raises OSError, which names the file.
    """
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        _make_folder(path.parent)
        with io.FileIO(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "w") as file:
            left = memoryview(content)
            while left:
                left = left[file.write(left) :]
            if _sync[0]:
                os.fsync(file.fileno())
        part.replace(path)
        _sync_folder(path.parent)
    except BaseException as error:
        with suppress(OSError):
            part.unlink()
        if isinstance(error, OSError):
            error.filename, error.filename2 = str(path), None
        raise


def _make_folder(folder: Path) -> None:
    """Make a folder and what is missing above it, all of it on the disk."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
        _sync_folder(one.parent)


def _sync_folder(folder: Path) -> None:
    """Write a folder's names to the disk, where its file system can."""
    if not _sync[0]:
        return
    with suppress(PermissionError):  # a folder that may be entered and not read
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EROFS):
                raise
        finally:
            os.close(descriptor)


def digest(value: Any) -> str:
    """Hex digest of anything that JSON can say, independent of the order of keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
