"""Writes the images of this project, and what a clean-up removed, as text. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from runner.executors import container
from runner.images.manage import GB, Listed, Removed
from runner.util import jsontext

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


def to_json(images: Iterable[Listed]) -> str:
    """Write the images for programs."""
    return jsontext.dumps([asdict(image) for image in images])


def listed(images: Sequence[Listed], kept: Iterable[Mapping[str, Any]], now: float) -> list[str]:
    """Write a line per image and per kept container, and a line that sums up.

    ``kept`` are containers as the engine lists them, ``now`` is in seconds since the epoch.
    """
    lines = [
        f"{one.size_bytes / GB:6.2f} GB {one.unique_bytes / GB:6.2f} GB  {_used(one, now):>9}  {one.environment}"
        for one in images
    ]
    lines += [
        f"kept container {entry['Names'][0].lstrip('/')} of {container.cell_of(entry)}; `prune` removes it"
        for entry in kept
    ]
    unique = sum(image.unique_bytes for image in images) / GB
    return [*lines, f"{len(images)} images (size, not shared, last use); {unique:.2f} GB are not shared by any two"]


def pruned(containers: Iterable[str], removed: Removed) -> list[str]:
    """Write what a clean-up removed.

    ``containers`` are the cells whose kept containers are gone.
    """
    return [
        *(f"removed  the kept container of {cell}" for cell in containers),
        *(f"removed  {name}" for name in removed.environments),
        *(f"in use   {name}" for name in removed.in_use),
        f"{len(removed.environments)} images removed; the build cache gave back {removed.freed_bytes / GB:.2f} GB",
    ]


def _used(image: Listed, now: float) -> str:
    """Write when an image was last used: ``3 d ago``, ``just now``, ``never``."""
    if image.last_used is None:
        return "never"
    seconds = max(0.0, now - image.last_used)
    return next((f"{seconds / size:.0f} {unit} ago" for size, unit in _UNITS if seconds >= size), "just now")
