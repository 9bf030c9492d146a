"""Version numbers and package names."""

from __future__ import annotations

import re
from functools import cache

from runner.errors import UsageError


@cache
def release(version: str) -> tuple[int, ...]:
    """The numbers of a version, for ordering; what follows them (rc1, post1, +cpu) does not count.

    >>> release("2.9.1+cpu") < release("2.10")
    True
    """
    numbers = re.match(r"[0-9]+(?:\.[0-9]+)*", version)
    if not numbers:
        raise UsageError(f"{version!r} is no version")
    return tuple(int(n) for n in numbers[0].split("."))


def project(line: str) -> str:
    """The normalised project name of a requirement line.

    >>> project("Jax[cuda12]==0.4.35")
    'jax'
    """
    name = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line)
    if not name:
        raise UsageError(f"{line!r} is no requirement")
    return re.sub(r"[-_.]+", "-", name[0]).rstrip("-").lower()


def version_key(version: str | None) -> tuple[int, ...]:
    """Sort key of a release number; ``None`` (native) comes after every release.

    >>> sorted(["3.10.0", "3.9.2", "3.15.1"], key=version_key)
    ['3.9.2', '3.10.0', '3.15.1']
    """
    if version is None:
        return (1 << 30,)
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0]))


_PRE = re.compile(r"(?:a|b|c|rc|\.dev)[0-9]+")


def order(version: str) -> tuple[tuple[int, ...], tuple[int, str, int]]:
    """A key that sorts releases as PEP 440 does: dev and pre-releases before their release, post-releases after.

    >>> sorted(["2.0", "2.0rc1", "2.0.post1", "1.9", "2.0.dev3"], key=order)
    ['1.9', '2.0.dev3', '2.0rc1', '2.0', '2.0.post1']
    """
    numbers = release(version)
    rest = version[len(".".join(map(str, numbers))) :]
    while numbers and not numbers[-1]:
        numbers = numbers[:-1]
    found = re.match(r"\.?(dev|a|b|c|rc|post)([0-9]+)", rest)
    if not found:
        return numbers, (3, "", 0)
    rank = {"dev": 0, "post": 4}.get(found[1], 1)
    return numbers, (rank, found[1], int(found[2]))


def is_prerelease(version: str) -> bool:
    """Whether PEP 440 takes it for a pre-release or a development release."""
    return bool(_PRE.search(version))
