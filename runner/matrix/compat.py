"""``matrix/compat.toml`` -> what an environment needs.

Requirement lines, Python, CUDA, and what forbids it.

>>> from runner.model import Environment
>>> load().requirements(Environment("torch", "2.2.2", "3.11.3", "3.11", "cpu", "linux-x86_64")).requirements
('keras==3.11.3', 'numpy<2', 'torch==2.2.2')
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import msgspec

from runner.errors import UsageError, suggest
from runner.matrix import frameworks
from runner.matrix.frameworks import Framework
from runner.model import Environment
from runner.util import folders, toml
from runner.util.versions import is_unreleased, night, project, release


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What one range of releases needs. See the head of compat.toml for the fields."""

    since: str
    """The first release for which the row holds."""
    through: str
    """The last release that was looked at."""
    python: tuple[str, str]
    source: str
    """Where the facts are from."""
    date: dt.date
    """When they were looked up."""
    requires: list[str] = []
    system: list[str] = []
    keras: str | None = None
    cpu_wheel: str | None = None
    cuda_extra: str | None = None
    cuda: str | None = None
    cudnn: str | None = None
    capability: tuple[str, str] | None = None
    metal: str | None = None
    note: str = ""


class Platform(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a platform is called elsewhere."""

    uv: str
    docker: str | None = None
    """Docker's name; none where there are no containers of it."""
    macos: str | None = None
    """The oldest macOS; none on Linux."""


class Driver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The oldest NVIDIA driver that a major version of CUDA runs on."""

    cuda: int
    driver: str
    source: str
    date: dt.date


class Python(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which Python a framework is run on where nobody says."""

    preferred: str


class Requirements(msgspec.Struct, frozen=True):
    """An environment as requirement lines.

    Also the overrides (uv's ``--override``) and lines for the user.
    """

    requirements: tuple[str, ...]
    overrides: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Cuda(msgspec.Struct, frozen=True):
    """What a release's CUDA build asks of a machine.

    Compute capabilities are (oldest, newest) or None: not known.
    """

    version: str
    cudnn: str | None
    driver_floor: str
    capability: tuple[str, str] | None

    @property
    def major(self) -> int:
        """12 for 12.8."""
        return release(self.version)[0]

    def objection(self, driver: str, capability: str | None) -> str | None:
        """Why this build cannot run with that driver and GPU, or None.

        ``capability``: the GPU's compute capability.

        A capability above the newest built for runs too, where the build carries PTX or the major version agrees;
        only another major version is refused.
        """
        if release(driver) < release(self.driver_floor):
            return f"CUDA {self.version} needs a driver >= {self.driver_floor}, this machine has {driver}"
        if capability and self.capability:
            oldest, newest = self.capability
            build = f"this build of CUDA {self.version}"
            if release(capability) < release(oldest):
                return f"{build} starts at compute capability {oldest}, the GPU has {capability}"
            if release(capability)[0] > release(newest)[0]:
                return f"{build} ends at compute capability {newest}, the GPU has {capability}"
        return None


class Compat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of ``compat.toml``."""

    schema: int
    """Version of the format: 1."""
    bases: dict[str, str]
    """Python -> base image."""
    platforms: dict[str, Platform]
    python: Python
    drivers: list[Driver]
    frameworks: dict[str, list[Row]]
    """Framework -> one row for each range of its releases, in their order."""
    keras: list[Row]
    """The same for Keras."""
    framework: dict[str, Framework]
    """What the program knows of each framework."""
    other_sizes: dict[str, float] = msgspec.field(name="sizes")
    nightly: dict[str, str] = {}
    """Framework, or ``keras``, to the package that holds its nightly builds."""
    nightly_index: dict[str, str] = msgspec.field(name="nightly-index", default_factory=dict)
    """The same to the address of the package index that has them, where it is not the default one."""

    @property
    def sizes(self) -> dict[str, float]:
        """GB of an image's layer, by framework.

        ``torch``, ``torch-cuda``, ``keras`` and ``unknown`` for a framework without a size.
        """
        cpu = {name: one.size_gb for name, one in self.framework.items()}
        cuda = {f"{name}-cuda": one.cuda_gb for name, one in self.framework.items() if one.cuda_gb is not None}
        return {**cpu, **cuda, **self.other_sizes}

    def row(self, framework: str, version: str) -> Row:
        """The facts that hold for a release.

        Those of the nearest range where it is older than all.

        Raises UsageError for a framework that is not known.
        """
        rows = self.keras if framework == "keras" else self.frameworks.get(framework)
        if not rows:
            raise UsageError(f"no framework {framework!r}{suggest(framework, self.frameworks)}")
        wanted = release(version)
        return next((row for row in reversed(rows) if release(row.since) <= wanted), rows[0])

    def warn(self, framework: str, version: str) -> str | None:
        """A line for the user where nobody has looked at this release yet.

        It is tried all the same.
        """
        row = self.row(framework, version)
        if release(row.since) <= release(version) and _within(version, row.through):
            return None
        return f"{framework} {version} is not in compat.toml yet; tried as if it were {row.through}"

    def python_for(self, framework: str, version: str) -> str:
        """The Python to run a release on.

        The preferred one, else the nearest that has wheels.
        """
        oldest, newest = self.row(framework, version).python
        return sorted((oldest, newest, self.python.preferred), key=release)[1]

    def platform(self, name: str) -> Platform:
        """Raises UsageError for a platform that is not known."""
        if name not in self.platforms:
            raise UsageError(f"no platform {name!r}{suggest(name, self.platforms)}")
        return self.platforms[name]

    def requirements(self, environment: Environment) -> Requirements:
        """The environment's requirement lines, sorted.

        Also the overrides, and notes about them for the user.
        """
        row = self.row(environment.framework, environment.version)
        lines = {_framework_line(environment, row)}
        if not self.framework[environment.framework].everywhere:
            lines.add("numpy")
        if night(environment.version):  # uv takes a build of a night only where a requirement names one
            lines |= {f"{name}>=0.dev0" for name in self.framework[environment.framework].companions}
        for line in row.requires:
            lines.discard(project(line))
            lines.add(line)
        if environment.build == "metal" and row.metal:
            lines.add(row.metal)
        overrides: tuple[str, ...] = ()
        notes: tuple[str, ...] = ()
        keras = f"{frameworks.distribution('keras', environment.keras or '')}=={environment.keras}"
        if environment.keras:
            lines.add(keras)
            lines.update(self.row("keras", environment.keras).requires)
            if row.keras and release(environment.keras) < release(row.keras):
                overrides = (keras,)
                notes = (f"{environment.framework} {environment.version} declares keras >= {row.keras}; overridden",)
        for pin in environment.custom.pins if environment.custom else ():
            if environment.keras and not overrides and self._declares_newer(pin, environment.keras):
                overrides = (keras,)
            lines = {line for line in lines if project(line) != project(pin)} | {pin}
        if environment.keras and (night(environment.version) or night(environment.keras)):
            overrides = (keras, *_without_other_keras(keras))
            if row.keras and not notes:
                name = f"{environment.framework} {environment.version}"
                notes = (f"{name} declares another package of Keras; overridden by {keras}",)
        for need in environment.custom.needs if environment.custom else ():
            lines.add(self._of_build(need, environment, lines))
        return Requirements(tuple(sorted(lines)), overrides, notes)

    def _of_build(self, need: str, environment: Environment, lines: Iterable[str]) -> str:
        """A library's need, about the distribution that the environment has.

        That is ``tensorflow-cpu`` where the library needs ``tensorflow``, and ``keras-nightly`` in place of ``keras``.
        """
        own = (*self.framework[environment.framework].distributions, self.nightly.get(environment.framework, ""))
        for known in (own, ("keras", self.nightly.get("keras", ""))):
            if project(need) in known:
                used = next((project(line) for line in lines if project(line) in known), project(need))
                return used + re.sub(r"^[A-Za-z0-9._-]+", "", need)
        return need

    def _declares_newer(self, pin: str, keras: str) -> bool:
        """Whether a pin of a framework's release declares a newer Keras than the cell's."""
        name, _, version = pin.partition("==")
        one = next((name_ for name_, each in self.framework.items() if project(name) in each.distributions), None)
        declared = self.row(one, version).keras if one and version else None
        return declared is not None and release(keras) < release(declared)

    def problems(self, environment: Environment) -> tuple[str, ...]:
        """Why the environment cannot be made, as far as is known without trying.

        Empty where nothing speaks against it.

        Only what is known to fail: releases and Pythons newer than the facts are left to uv.
        """
        row = self.row(environment.framework, environment.version)
        one = self.framework[environment.framework]
        name = f"{environment.framework} {environment.version}"
        found = [*_python_problem(name, row, environment)]
        if environment.keras:
            if not one.with_keras:
                found.append(f"Keras 3 has no backend for {environment.framework}")
            if row.keras and release(row.keras)[0] < release(environment.keras)[0]:
                found.append(f"{name} brings Keras {row.keras} and cannot be a Keras {environment.keras} cell")
            found += _python_problem(f"keras {environment.keras}", self.row("keras", environment.keras), environment)
        elif not one.native:
            found.append(f"{environment.framework} is measured as a backend of Keras; there is no native cell")
        if environment.build == "cuda" and (not row.cuda or environment.platform.startswith("macos")):
            found.append(f"{name} has no CUDA build for {environment.platform}")
        if environment.build == one.build("mps") == "metal" and not row.metal:
            found.append(f"no Metal plug-in is known for {name}")
        return tuple(found)

    def cuda(self, framework: str, version: str) -> Cuda | None:
        """What the release's CUDA build asks of the machine; None where it has none."""
        row = self.row(framework, version)
        if not row.cuda:
            return None
        major = release(row.cuda)[0]
        floor = next((d.driver for d in self.drivers if d.cuda == major), "0")
        return Cuda(row.cuda, row.cudnn, floor, row.capability)


class Latest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of ``latest.toml``: releases, and the date of the index."""

    schema: int
    date: dt.date
    releases: dict[str, str]


def load(path: Path | None = None) -> Compat:
    """Read the facts. Raises UsageError for anything that does not fit."""
    return _compat(path or folders.matrix_dir() / "compat.toml")


def load_latest(path: Path | None = None) -> Latest:
    """Read what ``latest`` stands for.

    Raises UsageError for anything that does not fit.
    """
    return _latest(path or folders.matrix_dir() / "latest.toml")


def latest(package: str) -> str:
    """The release that ``latest`` of a package stands for.

    Raises UsageError where none is recorded.
    """
    releases = load_latest().releases
    if package not in releases:
        raise UsageError(f"latest.toml names no release of {package!r}{suggest(package, releases)}")
    return releases[package]


def forget() -> None:
    """Read the files again when they are next asked for: they were written."""
    _compat.cache_clear()
    _latest.cache_clear()


@cache
def _compat(path: Path) -> Compat:
    found = toml.load(path, Compat)
    if found.schema != 1:
        raise UsageError(f"{path}: schema {found.schema} is not known here; this program reads schema 1")
    return found


@cache
def _latest(path: Path) -> Latest:
    return toml.load(path, Latest)


def _within(version: str, through: str) -> bool:
    return release(version) <= release(through)


def _framework_line(environment: Environment, row: Row) -> str:
    """The framework's own line: which distribution carries the build that is meant."""
    name = frameworks.distribution(environment.framework, environment.version)
    unreleased = is_unreleased(environment.version)
    if environment.build == "cuda" and row.cuda_extra:
        name = f"{name}[{row.cuda_extra}]"
    elif environment.build == "cpu" and row.cpu_wheel and not unreleased and environment.platform == "linux-x86_64":
        name = row.cpu_wheel
    return f"{name}=={environment.version}"


def _without_other_keras(line: str) -> tuple[str, ...]:
    """The overrides that keep Keras's other packages away.

    Its releases and its nightly builds are two packages with the same modules, and an environment may declare both.
    """
    return tuple(f"{name}; python_version < '0'" for name in sorted(frameworks.parts_of("keras") - {project(line)}))


def _python_problem(name: str, row: Row, environment: Environment) -> tuple[str, ...]:
    oldest, newest = row.python
    if release(environment.python) < release(oldest):
        return (f"{name} needs Python >= {oldest}, not {environment.python}",)
    if release(environment.python) > release(newest):
        return (f"{name} has wheels up to Python {newest}, not for {environment.python}",)
    return ()
