"""When images were last used: the engine does not keep that, and eviction takes the least recently used first."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path


def _folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("keras-version-matrix")) / "images"


def mark(content: str) -> None:
    """The image with this content digest is being used now. A cache that cannot be written is no failure."""
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
    """The image is gone."""
    with suppress(OSError):
        (_folder() / content).unlink()


def age(seconds: float | None, now: float | None = None) -> str:
    """``3 days ago`` for people; ``never`` for None.

    >>> age(0.0, now=7300.0)
    '2 hours ago'
    """
    if seconds is None:
        return "never"
    passed = max(0.0, (time.time() if now is None else now) - seconds)
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = int(passed // length)
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
