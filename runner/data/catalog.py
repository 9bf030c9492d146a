"""Reads ``matrix/data.toml``: the published data sets and their stand-ins."""

from __future__ import annotations

from functools import cache

import msgspec

from runner.util import folders, toml


class DataSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One data set."""

    probes: tuple[str, ...]
    url: str
    """Where it is published: the file itself, or what leads to it."""
    source: str
    """The source of these facts, and what a reader should know."""
    stand_in: str
    """What a result is named after where the data set is not available."""
    sha256: str = ""
    """Of the published file; empty where it was not verified."""
    fetched: bool = True
    """Whether a run downloads it where it can. False for what is large or needs putting together."""
    images: str = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    data: dict[str, DataSet]


@cache
def catalog() -> dict[str, DataSet]:
    """All data sets by name. Raises UsageError where the file is wrong."""
    return toml.load(folders.matrix_dir() / "data.toml", _File).data
