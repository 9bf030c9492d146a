"""Finds the Python interpreters of this machine."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from runner.util import folders, versions


def pythons() -> dict[str, Path]:
    """Return the Pythons here by minor version (``3.11``). Starts nothing.

    This program's own comes first, then uv's, pyenv's and those on PATH; the newest patch release where there are
    several. A shim of pyenv does not count: its Python may be missing.
    """
    own = Path(sys.base_prefix) / "bin" / "python3"
    found = {f"{sys.version_info.major}.{sys.version_info.minor}": own} if own.exists() else {}
    home = folders.home() or Path("/nonexistent")
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    managed = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python")
    pyenv = Path(os.environ.get("PYENV_ROOT") or home / ".pyenv")
    for pattern in ("cpython-3.*", "3.*"):
        installed = _entries(managed if pattern.startswith("cpython") else pyenv / "versions", pattern)
        for folder in sorted(installed, key=_release, reverse=True):
            _note_python(found, folder / "bin" / "python3")
    for place in os.environ.get("PATH", "").split(os.pathsep):
        if place and Path(place) != pyenv / "shims":
            for path in _entries(Path(place), "python3.*"):
                _note_python(found, path)
    return found


def _entries(folder: Path, pattern: str) -> list[Path]:
    try:
        return list(folder.glob(pattern))
    except OSError:  # PATH and PYENV_ROOT may name folders of another user
        return []


def _note_python(found: dict[str, Path], path: Path) -> None:
    name = path.name if path.name != "python3" else path.parent.parent.name
    version = re.fullmatch(r"(?:python|cpython-)?(3\.\d+)(?:[.-].*)?", name)
    if version and not name.endswith(("-config", "t")) and os.access(path, os.X_OK):
        found.setdefault(version[1], path)


def _release(folder: Path) -> versions.Key:
    return versions.order(folder.name.removeprefix("cpython-").partition("-")[0])
