"""Runs cells in the interpreter that runs this program. Installs nothing."""

from __future__ import annotations

import hashlib
import os
import site
import sys
from collections.abc import Collection, Mapping
from importlib import metadata
from pathlib import Path

from runner.errors import BuildError
from runner.executors import Launch, Prepared, Room, Say, Shell, shell
from runner.executors.host import without_network
from runner.executors.process import GRACE_S, Group, Surroundings, keep_failed
from runner.matrix import frameworks
from runner.model import Cell, Environment, Outcome
from runner.util import versions

_KEPT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "CONDA_PREFIX", "VIRTUAL_ENV", "PATH")
"""What an interpreter that somebody else has set up may need to find its libraries."""


class CurrentExecutor:
    """Runs cells in ``sys.executable``. Safe to use from several threads."""

    label = "this interpreter"
    isolated = False

    def __init__(self, *, grace_s: float = GRACE_S) -> None:
        self._group = Group(grace_s)

    def available(self) -> str:
        """Return an empty string: this interpreter is running."""
        return ""

    def cells(self, device: str) -> tuple[Cell, ...]:
        """Return one cell per installed framework."""
        return tuple(cells_here(device))

    def data_path(self, data: Path) -> str:
        """The file itself."""
        return str(data)

    def identity(self, environment: Environment) -> str:
        """Digest of everything installed.

        Raises BuildError where the environment's framework is not installed in that version.
        """
        packages = installed()
        _check(environment, packages)
        return _digest(packages)

    def prepare(self, environment: Environment, say: Say) -> Prepared:  # noqa: ARG002 - nothing takes time here
        """Check that what the environment names is installed.

        Raises BuildError where it is not.
        """
        packages = installed()
        _check(environment, packages)
        return Prepared(environment, sys.executable, _digest(packages), packages)

    def find(self, environment: Environment) -> Prepared | None:
        """Prepare it: nothing is made for that."""
        return self.prepare(environment, lambda _text: None)

    def execute(self, launch: Launch) -> Outcome:
        """Run one process group. Raises UnavailableError where ``close`` ended it."""
        cut_off = without_network() if launch.cut_off and not launch.network else ()
        with Surroundings(launch.environment, _surroundings()) as environment:
            outcome = self._group.run(
                [*cut_off, launch.prepared.reference, *launch.argv],
                cwd=launch.io,
                environment=environment,
                limits=launch.limits,
            )
        return keep_failed(launch, outcome)

    def shell(self, wanted: Shell) -> int:
        """Run the command with this interpreter first on the path."""
        return shell.on_host(wanted)

    def discard(self, prepared: Prepared) -> None:
        """Do nothing: what is installed here is the user's."""

    def make_room(self, room: Room, protected: Collection[str]) -> None:
        """Nothing was installed."""

    def close(self) -> None:
        """Kill what still runs."""
        self._group.close()


def installed() -> dict[str, str]:
    """Find the distributions of this interpreter, without importing them."""
    found: dict[str, str] = {}
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        if name:  # the first on the path is the one that is imported
            found.setdefault(versions.normalized(name), distribution.version)
    return dict(sorted(found.items()))


def cells_here(device: str = "cpu", packages: Mapping[str, str] | None = None) -> list[Cell]:
    """Return the cells of this interpreter: one per installed framework.

    Each has the installed Keras, if there is one. A framework's local version (``2.2.2+cu121``) names its build and is
    left out, as it is in the matrix. The numpy and openvino backends exist with Keras only. Pure where ``packages`` is
    given.

    >>> [cell.id for cell in cells_here("cpu", {"torch": "2.2.2+cpu", "keras": "3.8.0"})][0].partition("_py")[0]
    'torch-2.2.2_keras-3.8.0'
    """
    packages = installed() if packages is None else packages
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    keras = _keras(packages)
    cells = []
    for name, framework in frameworks.table().items():
        version = _version(name, packages)
        if version and (keras or framework.native):
            cells.append(Cell(name, version, keras if framework.with_keras else None, python, device))
    return cells


def _version(framework: str, packages: Mapping[str, str]) -> str:
    names = [*frameworks.of(framework).distributions, frameworks.nightlies().get(framework, "")]
    found = (packages[name] for name in names if name in packages)
    return versions.public(next(found, ""))


def _keras(packages: Mapping[str, str]) -> str | None:
    """The installed Keras, a release or a nightly build."""
    return packages.get("keras") or packages.get(frameworks.nightlies().get("keras", ""))


def _check(environment: Environment, packages: Mapping[str, str]) -> None:
    here = _version(environment.framework, packages)
    keras = _keras(packages)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    if environment.python != python:
        raise BuildError(f"{sys.executable} is Python {python}, not {environment.python}")
    if here != environment.version:
        has = f"has {here}" if here else "has none"
        raise BuildError(f"{sys.executable} {has}, not {environment.framework} {environment.version}")
    if environment.keras and keras != environment.keras:
        has = f"has keras {keras}" if keras else "has no keras"
        raise BuildError(f"{sys.executable} {has}, not keras {environment.keras}")


def _digest(packages: Mapping[str, str]) -> str:
    lines = [sys.executable, sys.version, *(f"{name}=={version}" for name, version in packages.items())]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _surroundings() -> dict[str, str]:
    """Return the variables by which it finds its packages from another home."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    if site.ENABLE_USER_SITE:
        kept["PYTHONUSERBASE"] = site.getuserbase()
    else:
        kept["PYTHONNOUSERSITE"] = "1"
    if paths := os.environ.get("PYTHONPATH"):
        kept["PYTHONPATH"] = os.pathsep.join(str(Path(path).resolve()) for path in paths.split(os.pathsep) if path)
    return kept
