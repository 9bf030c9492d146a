"""JSON as every reader of JSON accepts it."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from runner.util.plain import HOSTILE, INSTEAD

_HALF = re.compile("[\ud800-\udfff]")


def dumps(value: Any, *, indent: int = 1) -> str:
    """Data as indented JSON in ASCII, with ``finite`` figures."""
    return escaped(json.dumps(finite(value), indent=indent, allow_nan=False))


def finite(value: Any) -> Any:
    """The data with what JSON cannot say replaced.

    NaN and infinities are None, keys are strings, and what is not known is its ``str``.
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return whole(str(value))
    if isinstance(value, dict):
        return {whole(str(key)): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value if value is None or isinstance(value, int) else whole(str(value))


def whole(text: str) -> str:
    """The text with halves of surrogate pairs replaced, which UTF-8 cannot say."""
    return text if text.isascii() else _HALF.sub(INSTEAD, text)


def escaped(text: str) -> str:
    """A JSON text with an escape for each character that could steer a terminal.

    Such characters can only be inside of strings, so the data stay the same.
    """
    if HOSTILE.search(text) is None:
        return text
    return HOSTILE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
