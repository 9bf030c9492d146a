"""Where the data that ships with the program lies.

In a checkout ``matrix/`` and ``images/`` are next to the package; the wheel carries copies in ``runner/_data``.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import threading
from functools import cache
from pathlib import Path

import platformdirs

from runner.errors import UnavailableError, UsageError


def matrix_dir() -> Path:
    """The folder of matrix.toml, compat.toml and the other tables, and of locks/."""
    return _data_dir("matrix")


def images_dir() -> Path:
    """The folder of the Dockerfile templates and rendered/."""
    return _data_dir("images")


def payload_dir() -> Path:
    """The folder of the payload: the package that is copied into cells."""
    return Path(__file__).resolve().parents[1] / "probe"


@cache
def _data_dir(name: str) -> Path:
    package = Path(__file__).resolve().parents[1]
    packed = package / "_data" / name
    return packed if packed.is_dir() else package.parent / name


def uv_program() -> str:
    """Where uv is: the one installed with this program, else the one on PATH.

    Raises UnavailableError where there is none.
    """
    with _ONE_AT_A_TIME:  # the first use of sysconfig, which uv's finder makes, is not safe in threads
        return _uv_program()


_ONE_AT_A_TIME = threading.Lock()


@cache
def _uv_program() -> str:
    try:
        import uv

        return os.fsdecode(uv.find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
        if found:
            return found
    raise UnavailableError("uv is not installed: pip install uv")


APP = "keras-version-matrix"


def cache_dir() -> Path:
    """Where data, host environments and locks made on the way are kept."""
    if os.environ.get("XDG_CACHE_HOME", "").strip() or home() is not None:
        return Path(platformdirs.user_cache_dir(APP))
    return _substitute() / "cache"


def machine_lock() -> Path:
    """The file by which the runs of all users of this machine take turns.

    See ``runner.measure.turns``.
    """
    shared = Path("/tmp")  # noqa: S108 - TMPDIR is a user's own; a name that somebody else has taken is only a lock
    return (shared if shared.is_dir() else Path(tempfile.gettempdir())) / f"{APP}.lock"


def state_dir() -> Path:
    """Where calibrations and what was last used are kept."""
    if os.environ.get("XDG_DATA_HOME", "").strip() or home() is not None:
        return Path(platformdirs.user_data_dir(APP))
    return _substitute() / "data"


def home() -> Path | None:
    """The user's home, or None for a user id without one, as a container has."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def _substitute() -> Path:
    """A folder below the temporary one in place of a home that is not there.

    Raises UsageError where somebody else made it, or may write into it.
    """
    folder = Path(tempfile.gettempdir()) / f"{APP}-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}; this user has no home: {_NAME_ONE}") from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise UsageError(f"{folder}: not a folder of this user alone, who has no home: {_NAME_ONE}")
    return folder


_NAME_ONE = "set HOME, or XDG_CACHE_HOME and XDG_DATA_HOME"
