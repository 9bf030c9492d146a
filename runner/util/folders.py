"""Where the data that ships with the program lies.

In a checkout ``matrix/`` and ``images/`` are next to the package; the wheel carries copies in ``runner/_data``.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from functools import cache
from pathlib import Path

import platformdirs

from runner.errors import UnavailableError


def matrix_dir() -> Path:
    """The folder of matrix.toml, compat.toml and the other tables, and of locks/."""
    return _data_dir("matrix")


def images_dir() -> Path:
    """The folder of the Dockerfile templates and rendered/."""
    return _data_dir("images")


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
    return Path(platformdirs.user_cache_dir(APP))


def machine_lock() -> Path:
    """The file by which the runs of all users of this machine take turns.

    See ``runner.measure.turns``.
    """
    shared = Path("/tmp")  # noqa: S108 - TMPDIR is a user's own; a name that somebody else has taken is only a lock
    return (shared if shared.is_dir() else Path(tempfile.gettempdir())) / f"{APP}.lock"


def state_dir() -> Path:
    """Where calibrations and what was last used are kept."""
    return Path(platformdirs.user_data_dir(APP))
