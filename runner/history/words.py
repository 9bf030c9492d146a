"""Dates of runs, and why a series breaks, in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from runner.model import Scalar

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_MORNING = 6
"""A run that begins before this hour is one of the night."""

_PARTS = (
    (("host",), "another host"),
    (("platform",), "another platform"),
    (("cpu", "cpu_model", "cpu_flags", "cores"), "another processor"),
    (("memory_gib",), "another size of memory"),
    (("device",), "another device"),
    (("executor",), "another executor"),
    (("probe_hash",), "another version of the probe"),
    (("settings",), "other settings"),
    (("data",), "other data"),
    (("block",), "another order of the processes"),
)
"""Parts of a fingerprint -> the reason, the one that explains most first."""
MACHINE = frozenset({"host", "platform", "cpu", "cpu_model", "cpu_flags", "cores", "memory_gib"})
"""The parts of a fingerprint that belong to the machine."""


def moment(when: str) -> datetime | None:
    """A time of ISO 8601 in UTC, or None where it is not one."""
    try:
        found = datetime.fromisoformat(when)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # the first and the last day of the calendar, in another time zone
        return None


def day(when: str, seen_from: str = "") -> str:
    """A date in words; the year only where it is not that of ``seen_from``.

    >>> day("2026-11-12T01:17:00+00:00", "2026-11-29T06:00:00+00:00"), day("2025-11-12T01:17:00+00:00")
    ('12 November', '12 November 2025')
    """
    found, other = moment(when), moment(seen_from)
    if found is None:
        return "an unknown day"
    year = "" if other is not None and other.year == found.year else f" {found.year}"
    return f"{found.day} {_MONTHS[found.month - 1]}{year}"


def since(when: str, seen_from: str = "") -> str:
    """Since which run, in words.

    >>> since("2026-11-12T01:17:00+00:00", "2026-11-29T06:00:00+00:00")
    'since the night of 12 November'
    >>> since("2026-11-12T14:00:00+00:00", "2026-11-29T06:00:00+00:00")
    'since 12 November'
    """
    found = moment(when)
    night = "the night of " if found is not None and found.hour < _MORNING else ""
    return f"since {night}{day(when, seen_from)}"


def difference(one: Mapping[str, Scalar], other: Mapping[str, Scalar]) -> str:
    """What two fingerprints differ in, in words: ``another host``; or empty.

    Another host is a reason by itself, whatever else it has.
    """
    different = {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}
    said = []
    for names, words in _PARTS:
        if different & set(names):
            said.append(words)
            different -= MACHINE if names[0] in MACHINE else set(names)
    return " and ".join([*said, *(f"another {name}" for name in sorted(different))])


def place(fingerprint: Mapping[str, Scalar]) -> str:
    """The host and the processor of a fingerprint: ``atlas (AMD EPYC 7763)``."""
    host, cpu = (str(fingerprint.get(name) or "") for name in ("host", "cpu"))
    return f"{host} ({cpu})" if host and cpu else host or cpu
