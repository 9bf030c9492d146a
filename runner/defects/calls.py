"""The functions of Keras that its layers, losses and activations call.

``bench/calls.py`` writes the table, ``calls.json``.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

_DEPTH = 3
"""A layer calls an activation, which calls a function."""


@cache
def _table() -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(Path(__file__).with_name("calls.json").read_text("utf-8"))
    return found


@cache
def called(name: str) -> frozenset[str]:
    """The public functions that a public name calls, directly or through others.

    >>> "ops.conv_transpose" in called("layers.Conv2DTranspose")
    True
    """
    found: set[str] = set()
    level = {name}
    for _ in range(_DEPTH):
        level = {target for one in level for target in _table().get(one, [])} - found - {name}
        found |= level
    return frozenset(found)
