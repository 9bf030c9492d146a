"""Remembers when images were last used, which the engine does not."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from runner.util import folders


def _folder() -> Path:
    return folders.cache_dir() / "images"


def mark(content: str) -> None:
    """Note that the image with this content digest is used now.

    A cache that cannot be written is not a failure.
    """
    with suppress(OSError):
        _folder().mkdir(parents=True, exist_ok=True)
        (_folder() / content).touch()


def last_used(content: str) -> float | None:
    """Seconds since the epoch, or None where this machine has not used it."""
    try:
        return (_folder() / content).stat().st_mtime
    except OSError:
        return None


def forget(content: str) -> None:
    """Note that the image is gone."""
    with suppress(OSError):
        (_folder() / content).unlink()
