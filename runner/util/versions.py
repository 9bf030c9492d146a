"""Version numbers by PEP 440, through ``packaging``, and package names by PEP 503."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from runner.errors import UsageError

if TYPE_CHECKING:
    from packaging.version import Version

Key = tuple[int, Any]
"""What ``order`` sorts by: a group, then the version within it."""

DEBIAN_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+")
"""A name of a Debian package (Debian Policy, 5.6.1)."""
PUBLIC = re.compile(r"[0-9]+(?:\.[0-9]+)*(?:(?:a|b|rc)[0-9]+)?(?:\.post[0-9]+)?(?:\.dev[0-9]+)?")
"""A public version without an epoch, spelt as PEP 440 recommends: safe in a file name, a label or a command."""

EXACT = re.compile(rf"{PUBLIC.pattern}(?:\+[a-z0-9]+(?:\.[a-z0-9]+)*)?")
"""A public version, or one with a local part, which names a build that no package index has: ``3.16.0+g1a2b3c4``."""
_NIGHT = re.compile(r"\.dev(?P<day>20[0-9]{6})[0-9]{0,6}$")
"""How projects number their nightly builds: a day, some with the hour after it."""


def release(version: str) -> tuple[int, ...]:
    """The numbers of a version, without zeros at the end.

    What follows them (rc1, post1, +cpu) does not count.

    >>> release("2.9.1+cpu") < release("2.10.0rc1") == release("2.10")
    True

    Raises UsageError for a text that is not a version.
    """
    parsed = _parsed(version)
    if parsed is None:
        raise UsageError(f"{version!r} is not a version (example: 2.2.2)")
    numbers = list(parsed.release)
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def order(version: str | None) -> Key:
    """A key that sorts versions as PEP 440 does.

    Dev and pre-releases come before their release, post-releases after.

    Texts that are not versions come first, among themselves by their characters. None (no such package) comes last.

    >>> sorted(["2.0", "2.0rc1", "2.0.post1", "1.9", "2.0.dev3", "main"], key=order)
    ['main', '1.9', '2.0.dev3', '2.0rc1', '2.0', '2.0.post1']
    """
    if version is None:
        return 2, ()
    parsed = _parsed(version)
    return (0, version) if parsed is None else (1, parsed)


def is_prerelease(version: str) -> bool:
    """Whether PEP 440 calls the version a pre-release or a development release."""
    parsed = _parsed(version)
    return parsed is not None and parsed.is_prerelease


def night(version: str) -> dt.date | None:
    """The day of a nightly build; None for any other version.

    >>> night("3.16.0.dev2026102704"), night("3.16.0.dev3")
    (datetime.date(2026, 10, 27), None)
    """
    found = _NIGHT.search(version)
    try:
        return dt.datetime.strptime(found["day"], "%Y%m%d").date() if found else None
    except ValueError:  # digits that are not a day
        return None


def is_local(version: str) -> bool:
    """Whether the version has a local part: a build that no package index has.

    >>> is_local("3.16.0+g1a2b3c4"), is_local("3.16.0")
    (True, False)
    """
    return "+" in version


def is_unreleased(version: str) -> bool:
    """Whether the version is a nightly build or a local one, not a release."""
    return is_local(version) or night(version) is not None


def canonical(version: str) -> str | None:
    """The version as PEP 440 spells it; None for a text that is not a version.

    >>> canonical("3.16.0-RC1"), canonical("main")
    ('3.16.0rc1', None)
    """
    parsed = _parsed(version)
    return None if parsed is None else str(parsed)


def public(version: str) -> str:
    """The version without its local part, which names a build.

    >>> public("2.2.2+cu121")
    '2.2.2'
    """
    return version.partition("+")[0]


@cache
def _parsed(version: str) -> Version | None:
    from packaging.version import InvalidVersion, Version  # costs 50 ms: not every command compares versions

    try:
        return Version(version)
    except (InvalidVersion, ValueError):  # ValueError: more digits than Python converts
        return None


def project(line: str) -> str:
    """The normalised project name of a requirement line.

    >>> project("Jax[cuda12]==0.4.35")
    'jax'

    Raises UsageError for a line that does not begin with a name.
    """
    name = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line)
    if not name:
        raise UsageError(f"{line!r} is not a requirement (example: torch==2.2.2)")
    return normalized(name[0]).rstrip("-")


def requirements_for(lines: Iterable[str], extras: Iterable[str], python: str, platform: str) -> tuple[str, ...]:
    """The requirement lines that hold on a Python and a platform, without markers.

    >>> requirements_for(["numpy>=1", "x ; python_version < '3.9'", "y; extra == 'test'"], [], "3.11", "linux-x86_64")
    ('numpy>=1',)
    """
    from packaging.requirements import Requirement

    system, _, machine = platform.partition("-")
    linux = system == "linux"
    where = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_version": f"{python}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "os_name": "posix",
        "sys_platform": "linux" if linux else "darwin",
        "platform_system": "Linux" if linux else "Darwin",
        "platform_machine": machine,
        "platform_release": "",
        "platform_version": "",
    }
    found = []
    for line in lines:
        asked = Requirement(line)
        marker = asked.marker
        if marker is None or any(marker.evaluate({**where, "extra": extra}) for extra in ("", *extras)):
            more = f"[{','.join(sorted(asked.extras))}]" if asked.extras else ""
            found.append(f"{asked.name}{more}{asked.specifier}")
    return tuple(dict.fromkeys(found))


def normalized(name: str) -> str:
    """A project's name as the package index spells it.

    >>> normalized("ML_dtypes")
    'ml-dtypes'
    """
    return re.sub(r"[-_.]+", "-", name).lower()
