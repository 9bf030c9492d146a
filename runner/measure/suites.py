"""Makes the tests of a user's library the data of a probe."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.data import suite
from runner.data.suite import Packed, Wheel
from runner.errors import UsageError
from runner.matrix import configuration, frameworks
from runner.matrix.plan import Needs
from runner.model import Scalar
from runner.util import versions

PROBE = suite.PROBE
"""The probe that runs them."""
HERE = ""
"""``--pytest`` without a path: the tests of the configuration's table ``[pytest]``."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The tests to run, and the library to install with them."""

    tests: tuple[str, ...]
    install: str | None
    root: Path
    """The folder that paths are relative to, and in which pytest runs (in a copy)."""
    arguments: tuple[str, ...] = ()
    """Further arguments of pytest, where the settings of the probe name none."""


@dataclass(frozen=True, slots=True)
class Suite:
    """The tests, ready to be written for a run."""

    packed: Packed
    needs: Needs
    """What every environment needs: pytest, and what the library requires."""
    settings: Mapping[str, Scalar | list[Scalar]]
    """Settings of the probe that count before its defaults."""


def asked(tests: Sequence[str], install: str | None) -> Asked:
    """The tests of the command line, or those of the table ``[pytest]``.

    The arguments of that table count for both. Raises UsageError where there is no such table.
    """
    found = configuration.here()
    table = found.file.pytest if found else None
    arguments = tuple(table.arguments) if table else ()
    if any(test != HERE for test in tests):
        return Asked(tuple(test for test in tests if test != HERE), install, Path.cwd(), arguments)
    if found is None or table is None:
        where = f" of {found.place}" if found else f" of a {configuration.NAME}"
        raise UsageError(f"no tests to run: name them, as --pytest tests, or in the table [pytest]{where}")
    wanted = install if install is not None else table.install or None
    # a path of the command line is relative to the working folder, as everywhere
    root = found.path.parent
    if install is not None:
        place, bracket, extras = install.partition("[")
        wanted = f"{Path.cwd() / (place or '.')}{bracket}{extras}"
    return Asked(tuple(table.tests), wanted, root, arguments)


def made(asked: Asked, out: Path, own: Collection[str] = (), only: str = "") -> Suite:
    """Build the library and pack the tests.

    ``out``: the folder of results, which is left out. ``own``: the projects that ``--source`` and ``--wheel`` install.
    ``only``: the test or file to run in place of all. Raises UsageError.
    """
    wheel = suite.wheel(asked.install, root=asked.root) if asked.install is not None else None
    _check(asked.install, wheel, own)
    needs = Needs(("pytest", *(wheel.needs if wheel else ())), wheel.extras if wheel else ())
    settings: dict[str, Scalar | list[Scalar]] = {"args": list(asked.arguments)} if asked.arguments else {}
    return Suite(suite.packed(asked.tests, wheel, out, root=asked.root, only=only), needs, settings)


def _check(install: str | None, wheel: Wheel | None, own: Collection[str]) -> None:
    """Raise UsageError for a library that comes into the cells in another way."""
    name = versions.normalized(wheel.name) if wheel is not None else ""
    if name in frameworks.measured():
        axis = frameworks.named(name)
        way_out = f"give --source {axis}=PLACE or --wheel {axis}=FILE"
        raise UsageError(f"--install {install}: {name} is an axis of the matrix; {way_out}")
    if name in map(versions.normalized, own):
        raise UsageError(f"--install {install}: --source or --wheel installs {name} already; leave out one")
