"""The tables ``[framework.NAME]`` of ``compat.toml``.

They state what holds for a framework in all its releases.

>>> of("torch").label, named("tensorflow-cpu"), training()
('PyTorch', 'tensorflow', ('tensorflow', 'torch', 'jax'))
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from runner.errors import UsageError, suggest
from runner.util import folders, toml
from runner.util.versions import night, normalized


class Framework(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """One framework. The head of the tables in compat.toml explains the fields."""

    label: str
    module: str
    distributions: list[str]
    runs: Literal["with-keras", "native", "both"]
    builds: dict[str, str]
    size_gb: float
    aliases: list[str] = []
    companions: list[str] = []
    cuda_gb: float | None = None
    trains: bool = False
    own_index: bool = False
    everywhere: bool = False
    kernels: dict[str, str] = {}
    switches: dict[str, list[str]] = {}
    undo: dict[str, str] = {}

    @property
    def with_keras(self) -> bool:
        """Whether Keras 3 has a backend for it."""
        return self.runs != "native"

    @property
    def native(self) -> bool:
        """Whether cells run it without Keras."""
        return self.runs != "with-keras"

    @property
    def parts(self) -> frozenset[str]:
        """The distributions that it consists of."""
        return frozenset([*self.distributions, *self.companions])

    def build(self, device: str) -> str:
        """Which of its builds a device needs: ``cpu``, ``cuda`` or ``metal``."""
        return self.builds.get(device, "metal" if device == "mps" else device)


class _File(msgspec.Struct, frozen=True, rename="kebab"):
    framework: dict[str, Framework]
    nightly: dict[str, str] = {}
    nightly_index: dict[str, str] = {}


def table() -> dict[str, Framework]:
    """All frameworks by name, in the order of tables and messages.

    Raises UsageError for a table that does not fit.
    """
    return _file(folders.matrix_dir()).framework


def nightlies() -> dict[str, str]:
    """Framework, or ``keras``, to the package that holds its nightly builds."""
    return _file(folders.matrix_dir()).nightly


def nightly_index(name: str, version: str) -> str:
    """The address of the package index that has a nightly build.

    Empty for a release, and where that is the default index.
    """
    return _file(folders.matrix_dir()).nightly_index.get(name, "") if night(version) else ""


@cache
def _file(folder: Path) -> _File:
    return toml.load(folder / "compat.toml", _File)


def names() -> tuple[str, ...]:
    """The names of all frameworks, in the order of tables and messages."""
    return tuple(table())


def of(name: str) -> Framework:
    """The framework of that name.

    Raises UsageError with the nearest name where there is none.
    """
    if name not in table():
        raise UsageError(f"unknown framework {name!r}{suggest(name, table())}; there are: {', '.join(table())}")
    return table()[name]


def training() -> tuple[str, ...]:
    """The frameworks that Keras's ``fit`` runs on."""
    return tuple(name for name, one in table().items() if one.trains)


def chosen_by_a_pin() -> tuple[str, ...]:
    """The frameworks that a cell has because their package is pinned."""
    return tuple(name for name, one in table().items() if not one.everywhere)


def measured() -> frozenset[str]:
    """The distributions that are axes of the matrix.

    Those of Keras and the frameworks, and of their nightly builds.
    """
    return frozenset({"keras"}.union(nightlies().values(), *(one.distributions for one in table().values())))


def spellings() -> dict[str, str]:
    """Every spelling of a framework -> its name.

    Those of distributions, tools and people, for frameworks that a pin chooses.
    """
    return {
        word: name
        for name in chosen_by_a_pin()
        for word in (name, *table()[name].distributions, *table()[name].aliases)
    }


def named(project: str) -> str:
    """The framework that a project name stands for, else the normalised name itself."""
    name = normalized(project)
    by_night = {package: one for one, package in nightlies().items()}
    return spellings().get(name) or by_night.get(name, name)


def distribution(name: str, version: str = "") -> str:
    """The package that carries a framework, or Keras, at that version.

    The name itself where it is another package.
    """
    if name in nightlies() and night(version):
        return nightlies()[name]
    known = table().get(name)
    return known.distributions[0] if known else name


def parts_of(project: str) -> frozenset[str]:
    """The distributions that change together with a project.

    Those of its framework, or the project alone, and the package of its nightly builds.
    """
    name = normalized(project)
    own = next((one.parts for one in table().values() if name in one.parts), frozenset([name]))
    nightly = {nightlies()[each] for each in own if each in nightlies()}
    return own | nightly
