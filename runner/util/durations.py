"""Lengths of time as people write them: ``90s``, ``10m``, ``2h``."""

from __future__ import annotations

import math
import re

from runner.errors import UsageError

NONE = "none"
"""No limit."""

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_TIME = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)([smh])")


def seconds(text: str) -> float:
    """A length of time in seconds; ``none`` is infinity.

    >>> seconds("10m"), seconds("1.5h"), seconds("none")
    (600.0, 5400.0, inf)

    Raises UsageError for anything else, and for no time at all.
    """
    if text == NONE:
        return math.inf
    found = _TIME.fullmatch(text)
    if not found:
        raise UsageError(f"{text!r} is not a time (examples: 90s, 10m, 2h, {NONE})")
    length = float(found[1]) * _UNITS[found[2]]
    if not length:
        raise UsageError(f"{text!r} is not longer than nothing (examples: 90s, 10m, 2h, {NONE})")
    return length


_AGES = {"h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
_AGE = re.compile(r"([0-9]{1,5})([hdw])")


def age(text: str) -> float:
    """How long ago, in seconds.

    >>> age("90d") / 86400, age("12w") / 86400, age("36h") / 3600
    (90.0, 84.0, 36.0)

    Raises UsageError for anything else.
    """
    found = _AGE.fullmatch(text)
    if not found:
        raise UsageError(f"{text!r} is not an age (examples: 36h, 90d, 12w)")
    return float(found[1]) * _AGES[found[2]]


def words(length: float) -> str:
    """Seconds in words, the two largest units of them.

    >>> words(600), words(372), words(5400), words(12.3)
    ('10 min', '6 min 12 s', '1 h 30 min', '12 s')
    """
    if math.isinf(length):
        return "no limit"
    whole = max(0, round(length))
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    if minutes:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{rest} s"
