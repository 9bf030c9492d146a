"""Writes a page next to its results and opens it in the user's browser."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from runner.util import files
from runner.util.plain import say

PAGE = "report.html"


def at(pages: Iterable[str], folders: Sequence[Path], name: str = PAGE) -> Path:
    """Write a page into the first folder that can be written, and open it.

    Returns where it is. Where there is no folder or none can be written, the page goes to a new temporary folder.
    Without a screen nothing is opened, and the line that is printed says where the page is. Raises OSError.
    """
    content = "".join(pages).encode()
    path = _written(content, folders, name)
    opened = _opened(path)
    say(f"{'opened' if opened else 'wrote'} {path}" + ("" if opened else " (no browser could be opened)"), err=True)
    return path


def _written(content: bytes, folders: Sequence[Path], name: str) -> Path:
    for folder in folders:
        if folder.is_dir() and os.access(folder, os.W_OK):
            path = folder.resolve() / name
            try:
                files.write_atomically(path, content)
            except PermissionError:
                continue
            return path
    path = Path(tempfile.mkdtemp(prefix="keras-version-matrix-")) / name
    files.write_atomically(path, content)
    return path


def _opened(path: Path) -> bool:
    """Whether a graphical browser was asked to show the file."""
    import webbrowser

    screen = sys.platform in ("darwin", "win32") or any(os.environ.get(n) for n in ("DISPLAY", "WAYLAND_DISPLAY"))
    chosen = os.environ.get("BROWSER")
    if not (screen or chosen):
        return False
    try:
        return webbrowser.open(path.as_uri())
    except webbrowser.Error:
        return False
