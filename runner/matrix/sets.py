"""``matrix/matrix.toml`` -> cells.

>>> matrix = load()  # doctest: +SKIP
>>> [cell.id for cell in cells(matrix, matrix.sets["quick"], resolve)]  # doctest: +SKIP
"""

from __future__ import annotations

import fnmatch
import itertools
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from runner.errors import UsageError, suggest
from runner.matrix import frameworks
from runner.model import ID_ORDER, Axis, Cell, Custom, Scalar, Skip, Status
from runner.util import durations, folders, toml, versions

DEVICES = ("cpu", "cuda", "mps")
NATIVE = "native"
NIGHTLY = "nightly"

_PYTHON = re.compile(r"3\.[0-9]{1,2}")
_REQUIREMENT = re.compile(r"[A-Za-z0-9][\w.-]*(\[[\w,-]+\])?((===?|[<>~!]=|[<>])[\w.*+!-]+(,(?=[<>=~!])|$))*")
"""A requirement line without spaces, markers and addresses: all of a line that a set may add."""
_WORD = re.compile(r"[a-z0-9][a-z0-9-]*")


class Product(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every combination of the listed values."""

    framework: list[str]
    version: list[str]
    keras: list[str]
    device: list[str]
    python: list[str] = []
    """Empty: the version that compat.toml prefers for the release."""
    variant: tuple[str, ...] = ("",)
    """Names of variants; the empty one is the cell without a variant."""


class Include(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One more cell, and why."""

    framework: str
    version: str
    keras: str
    device: str
    reason: str
    python: str = ""
    variant: str = ""


class Exclude(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Cells that are left out, by a pattern over their ids, and why."""

    cell: str
    """Pattern over cell ids."""
    reason: str


class Set(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A named choice of cells and of what is run in them."""

    description: str
    """One line for `runner list --sets`."""
    product: list[Product] = []
    """Tables of lists: every combination is a cell."""
    include: list[Include] = []
    """Further cells, one by one."""
    exclude: list[Exclude] = []
    """Cells that are left out."""
    prefer: list[str] = []
    """Patterns over cell ids: which cells are baselines, best first."""
    executor: str = "auto"
    """How its cells run where the user does not say."""
    platform: str = ""
    """Where its cells can be run at all (``macos-arm64``); empty: anywhere."""
    budget: str = ""
    """Measuring time within which undecided headline figures get further rounds (``10m``); empty: one round."""
    cell_budget: str = ""
    """CPU time that the sweeps of one cell may take together (``10m``): their ``budget_s`` are cut in proportion.
    Cases left out are listed. Empty: the sweeps' own budgets."""
    packages: list[str] = []
    """Requirement lines (``numpy==2.0.2``) that all of its environments have in addition: what must be equal in all
    cells, and what probes need. A line about Keras or a cell's own framework does not count in that cell."""
    system: list[str] = []
    """Debian packages (``g++``) that all of its images have in addition. On the host the machine's own count."""
    probes: dict[str, dict[str, Scalar | list[Scalar]]] = {}
    """The probes that the set runs, and their settings where they differ from the defaults in the source."""
    probe_cells: dict[str, list[str]] = {}
    """Probe to patterns over cell ids, where a probe runs in some of the set's cells only."""

    @property
    def custom(self) -> Custom | None:
        """What all of its environments have in addition, or None."""
        made = Custom(tuple(self.packages), system=tuple(self.system))
        return made if made != Custom() else None

    @property
    def budget_s(self) -> float | None:
        """The budget in seconds, or None."""
        return durations.seconds(self.budget) if self.budget else None

    @property
    def cell_budget_s(self) -> float | None:
        """The CPU time of a cell's sweeps in seconds, or None."""
        return durations.seconds(self.cell_budget) if self.cell_budget else None


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Environment variables that make another cell of the same environment."""

    description: str
    env: dict[str, str]
    instead_of: str = ""
    """Pattern over cell ids: a cell without a variant that matches is run as this variant instead (and as every
    other with such a pattern)."""


class Probe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a probe is run."""

    description: str
    timed: bool
    """Whether its times count: it then runs alone."""
    timeout_s: float
    """Seconds that one process may take."""


class Matrix(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of ``matrix.toml``."""

    schema: int
    """Version of the format: 1."""
    default: str
    """The set that runs where no set is named."""
    sets: dict[str, Set]
    """The sets, by name."""
    probes: dict[str, Probe] = {}
    """The probes of this program, by the name of their module."""
    variants: dict[str, Variant] = {}
    """The variants, by the name that stands behind `+` in an id."""


Nightly = Callable[[str, str], str]
"""(framework or ``keras``, ``nightly`` or ``nightly-2026-10-12``) -> the exact version.

Raises UsageError where there is no such build.
"""


def no_nightly(package: str, wanted: str) -> str:
    """Resolve no nightly build.

    For what must not ask a package index. Raises UsageError.
    """
    raise UsageError(f"{package}@{wanted}: a nightly build cannot be named here; give the exact version")


class Resolver(msgspec.Struct, frozen=True):
    """Resolves ``latest`` and ``nightly``, and a release to its Python."""

    latest: Callable[[str], str]
    python_for: Callable[[str, str], str]
    nightly: Nightly = no_nightly

    def exact(self, package: str, wanted: str) -> str:
        """The version that a word of matrix.toml stands for, or the version itself."""
        if wanted == "latest":
            return self.latest(package)
        return self.nightly(package, wanted) if is_nightly(wanted) else wanted


def load(path: Path | None = None) -> Matrix:
    """Read the matrix. Raises UsageError for anything that does not fit."""
    path = path or folders.matrix_dir() / "matrix.toml"
    matrix = toml.load(path, Matrix)
    if matrix.schema != 1:
        raise UsageError(f"{path}: schema {matrix.schema} is not known here; this program reads schema 1")
    if matrix.default not in matrix.sets:
        raise UsageError(f"{path}: default: no set {matrix.default!r}{suggest(matrix.default, matrix.sets)}")
    for name, one in matrix.sets.items():
        check_set(f"{path}: sets.{name}", one, matrix.probes)
    return matrix


def check_set(place: str, one: Set, probes: Collection[str]) -> None:
    """Raise UsageError for a set with a malformed value or an unknown probe.

    ``place`` names the file and the table; ``probes`` are the names of all probes.
    """
    for key in ("budget", "cell_budget"):
        try:
            getattr(one, f"{key}_s")
        except UsageError as error:
            raise UsageError(f"{place}.{key}: {error}") from None
    for line in one.packages:
        if not _REQUIREMENT.fullmatch(line):
            raise UsageError(f"{place}.packages: {line!r} is not a requirement (example: numpy==2.0.2)")
    for package in one.system:
        if not versions.DEBIAN_PACKAGE.fullmatch(package):
            raise UsageError(f"{place}.system: {package!r} is not a Debian package (example: g++)")
    for probe in one.probes:
        if probe not in probes:
            raise UsageError(f"{place}: no probe {probe!r}{suggest(probe, probes)}")
    for probe in one.probe_cells:
        if probe not in one.probes:
            raise UsageError(f"{place}.probe_cells: the set runs no probe {probe!r}{suggest(probe, one.probes)}")


def named_set(matrix: Matrix, name: str | None) -> Set:
    """The set of that name, or the default one. Raises UsageError with suggestions."""
    name = matrix.default if name is None else name
    if name not in matrix.sets:
        raise UsageError(f"no set {name!r}{suggest(name, matrix.sets)}; there are: {', '.join(matrix.sets)}")
    return matrix.sets[name]


def cells(matrix: Matrix, chosen: Set, resolver: Resolver) -> tuple[tuple[Cell, ...], tuple[Skip, ...]]:
    """The set's cells in declared order, each once, and those its excludes leave out.

    An exclude may match nothing: ``latest`` moves on. Raises UsageError for values no axis has.
    """
    made: dict[Cell, None] = {}
    for product in chosen.product:
        for values in itertools.product(*(getattr(product, axis.name) or ("",) for axis in ID_ORDER)):
            made.update(_split(matrix, _cell(matrix, resolver, values)))
    for one in chosen.include:
        made.update(_split(matrix, _cell(matrix, resolver, [getattr(one, axis.name) for axis in ID_ORDER])))
    skips: list[Skip] = []
    for exclude in chosen.exclude:
        out = [cell for cell in made if fnmatch.fnmatchcase(cell.id, exclude.cell)]
        skips += [Skip(cell, Status.SKIPPED, exclude.reason) for cell in out]
        for cell in out:
            del made[cell]
    return tuple(made), tuple(skips)


def select(all_cells: Iterable[Cell], patterns: Iterable[str]) -> tuple[Cell, ...]:
    """The cells whose id matches any of the patterns, in their order.

    Raises UsageError for one that matches none.
    """
    all_cells = tuple(all_cells)
    patterns = tuple(patterns)
    if not patterns:
        return all_cells
    ids = [cell.id for cell in all_cells]
    for pattern in patterns:
        if not fnmatch.filter(ids, pattern):
            raise UsageError(f"{pattern!r} matches no cell of the set{suggest(pattern, ids)}")
    return tuple(cell for cell in all_cells if any(fnmatch.fnmatchcase(cell.id, pattern) for pattern in patterns))


def parse_cell(text: str) -> Cell:
    """A cell from its id.

    >>> parse_cell("torch-2.2.2_keras-3.8.0_py3.11_cpu").keras
    '3.8.0'

    Raises UsageError where it is not a cell's id.
    """
    found = re.fullmatch("".join(map(_id_pattern, ID_ORDER)), text)
    if not found:
        raise UsageError(f"{text!r} is not a cell id (example: torch-2.2.2_keras-3.8.0_py3.11_cpu)")
    values: dict[str, Any] = found.groupdict()
    unset: dict[str, Any] = {axis.name: axis.default for axis in ID_ORDER if values[axis.name] is None}
    cell = Cell(**{**values, **unset})
    check(cell)
    return cell


def _id_pattern(axis: Axis) -> str:
    value = rf"{re.escape(axis.mark)}(?P<{axis.name}>[^_]+?)"
    return value if axis.unset is None else rf"(?:{value}|{re.escape(axis.unset[0])})"


def is_nightly(word: str) -> bool:
    """Whether a word is ``nightly`` or begins as ``nightly-2026-10-12`` does."""
    return word == NIGHTLY or word.startswith(f"{NIGHTLY}-")


def exact_id(text: str, nightly: Nightly) -> str:
    """An id, or a pattern over ids, with the exact versions of nightly builds.

    ``torch-*_keras-nightly_*`` becomes ``torch-*_keras-3.16.0.dev2026102704_*``.
    """

    def version(found: re.Match[str]) -> str:
        return f"{found['name']}-{nightly(found['name'], found['word'])}"

    names = "|".join(map(re.escape, ("keras", *frameworks.names())))
    return re.sub(rf"(?<![a-z0-9])(?P<name>{names})-(?P<word>{NIGHTLY}(?:-[0-9-]*[0-9])?)(?=_|$|\*)", version, text)


def check(cell: Cell) -> None:
    """Raise UsageError for a cell whose values are not valid.

    Values must be safe in a file name, a label or a part of a command.
    """
    for what, value, known in (("framework", cell.framework, frameworks.names()), ("device", cell.device, DEVICES)):
        if value not in known:
            raise UsageError(f"unknown {what} {value!r}{suggest(value, known)}; there are: {', '.join(known)}")
    _check_release("version", cell.version)
    _check_release("keras", cell.keras or "0")
    if not is_python(cell.python):
        raise UsageError(f"python {cell.python!r} is not a version (example: 3.11)")
    if cell.variant and not _WORD.fullmatch(cell.variant):
        raise UsageError(f"variant {cell.variant!r} is not a name of small letters, digits and dashes")


def is_python(text: str) -> bool:
    """Whether a text is a version of Python, as 3.11."""
    return _PYTHON.fullmatch(text) is not None


def _check_release(axis: str, value: str) -> None:
    if not versions.EXACT.fullmatch(value):
        raise UsageError(f"{axis} {value!r} is not a release number (example: 2.2.2)")


def _split(matrix: Matrix, cell: Cell) -> dict[Cell, None]:
    """The cell itself, or the variants that are always run instead of it."""
    names = () if cell.variant else tuple(matrix.variants)
    instead = [name for name in names if fnmatch.fnmatchcase(cell.id, matrix.variants[name].instead_of)]
    return dict.fromkeys([replace(cell, variant=name) for name in instead] or [cell])


def _cell(matrix: Matrix, resolver: Resolver, values: Sequence[str]) -> Cell:
    """The cell with these values, as matrix.toml writes them.

    In the order of ``ID_ORDER``.
    """
    asked = Cell(*values)
    frameworks.of(asked.framework)
    if asked.variant and asked.variant not in matrix.variants:
        raise UsageError(f"unknown variant {asked.variant!r}{suggest(asked.variant, matrix.variants)}")
    version = resolver.exact(asked.framework, asked.version)
    _check_release("version", version)
    keras = resolver.exact("keras", asked.keras or NATIVE)
    python = asked.python or resolver.python_for(asked.framework, version)
    cell = replace(asked, version=version, keras=None if keras == NATIVE else keras, python=python)
    check(cell)
    return cell
