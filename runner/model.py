"""The words of the project as frozen data.

Standard library only; nothing here does anything.

The same classes are written to and read from result files (see ``runner.results.store``), so a field that is added
needs a default and a field that is removed needs a new ``SCHEMA``.
"""

from __future__ import annotations

import fnmatch
import hashlib
import sys
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import cache
from typing import Any

SCHEMA = 1
"""Version of the result files. A reader refuses a newer one and understands all older ones."""

Scalar = str | int | float | bool | None


class Status(StrEnum):
    """How one process of one probe ended."""

    OK = "ok"
    BUILD_FAILED = "build-failed"
    IMPORT_FAILED = "import-failed"
    UNSUPPORTED = "unsupported"
    CRASHED = "crashed"
    OOM = "oom"
    TIMEOUT = "timeout"
    BAD_OUTPUT = "bad-output"
    UNAVAILABLE = "unavailable"
    SKIPPED = "skipped"

    @property
    def about_cell(self) -> bool:
        """Whether the status is about the cell, not about this machine or plan."""
        return self not in (Status.BUILD_FAILED, Status.UNAVAILABLE, Status.SKIPPED)


class Verdict(StrEnum):
    """The result of a comparison."""

    SAME = "same"
    REGRESSED = "regressed"
    IMPROVED = "improved"
    INCONCLUSIVE = "inconclusive"
    BROKEN = "broken"
    FIXED = "fixed"
    EXPECTED = "expected"
    NOT_COMPARABLE = "not-comparable"
    NO_BASELINE = "no-baseline"


class Kind(StrEnum):
    """What sort of figure a metric is, which decides how it is judged."""

    TIMING = "timing"
    """Seconds, rates, bytes of memory: noisy, positive, judged by paired log-ratios per round."""
    SEEDED = "seeded"
    """Accuracy, loss after free training: depends on the seed, which is the unit of sampling."""
    EXACT = "exact"
    """A digest, count or shape: equal or not."""
    ERROR = "error"
    """A backward error in units of u * sum|x_k w_k| (u = 2**-24) of inner products with ``terms`` terms."""
    TRAJECTORY = "trajectory"
    """A list, one figure per step, from identical weights and data: compared step by step."""
    INFO = "info"
    """Shown, never judged."""


class Better(StrEnum):
    """Which direction of a metric is good."""

    LOWER = "lower"
    HIGHER = "higher"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Axis:
    """One property in which cells can differ: a field of ``Cell``.

    With its words, and how two cells along it compare.
    """

    name: str
    """The field of ``Cell``; also the heading of its column."""
    mark: str
    """What an id has before the value. An id lists the axes in the order of ``Cell``'s fields."""
    sentence: str
    """A value in a sentence; a format string over the cell."""
    table: str
    """A value in a table; a format string over the cell."""
    suspicion: int
    """Which axis is named first as the one that a defect follows: 1 before 2."""
    label: str = ""
    """The axis in a sentence, where that is not its name."""
    unset: tuple[str, str, str] | None = None
    """What stands in an id, a sentence and a table for a cell without a value; None where every cell has a value."""
    default: str | None = None
    """The value of a cell whose id has none."""
    same_speed: bool = False
    """Whether a change of speed along it is a regression."""
    same_figures: bool = False
    """Whether counts and names must not change along it."""
    other_kind: bool = False
    """Whether the two sides may support different probes, and may be measured on two machines."""

    def in_id(self, cell: Cell) -> str:
        """The cell's value as a part of an id."""
        value = getattr(cell, self.name)
        return self.mark + value if value or self.unset is None else self.unset[0]

    def in_sentence(self, cell: Cell) -> str:
        """The cell's value in a sentence."""
        return self._filled(cell, self.sentence, 1)

    def in_table(self, cell: Cell) -> str:
        """The cell's value in a field of a table."""
        return self._filled(cell, self.table, 2)

    def _filled(self, cell: Cell, form: str, place: int) -> str:
        if self.unset is not None and not getattr(cell, self.name):
            form = self.unset[place]
        return form.format(cell=cell)


AXES = (
    Axis(
        "version", "-", "{cell.framework} {cell.version}", "{cell.version}", 2, label="the framework's version",
        same_speed=True, same_figures=True,
    ),
    Axis(
        "keras", "_keras-", "keras {cell.keras}", "keras {cell.keras}", 1,
        unset=("_native", "native {cell.framework}", "native"), same_speed=True, same_figures=True,
    ),
    Axis("python", "_py", "Python {cell.python}", "py{cell.python}", 5, same_figures=True),
    Axis("framework", "", "{cell.framework} {cell.version}", "{cell.framework}", 6, other_kind=True),
    Axis("device", "_", "{cell.device}", "{cell.device}", 4, other_kind=True),
    Axis("variant", "+", "{cell.variant}", "{cell.variant}", 3, unset=("", "the plain cell", "plain"), default=""),
)  # fmt: skip
"""In the order in which a baseline is looked for: the nearest relative first."""

AXIS = {axis.name: axis for axis in AXES}


@dataclass(frozen=True, slots=True)
class Cell:
    """One point of the matrix.

    All versions are concrete; ``keras`` is None for the framework without Keras.
    """

    framework: str
    version: str
    keras: str | None
    python: str
    device: str
    variant: str = ""
    """A named set of environment variables of the same environment (``fallback``, ``no-onednn``), or empty."""

    @property
    def id(self) -> str:
        """The key everywhere: file name, label, tag, ``--only``.

        >>> Cell("torch", "2.2.2", "3.8.0", "3.11", "cpu").id
        'torch-2.2.2_keras-3.8.0_py3.11_cpu'
        >>> Cell("torch", "2.2.2", None, "3.11", "mps", "fallback").id
        'torch-2.2.2_native_py3.11_mps+fallback'
        """
        return _id(self)

    @property
    def values(self) -> dict[str, str | None]:
        """The cell as a JSON object: the name of every axis and the cell's value."""
        return {axis.name: getattr(self, axis.name) for axis in ID_ORDER}


ID_ORDER = tuple(AXIS[entry.name] for entry in fields(Cell))
"""The axes in the order of ``Cell``'s fields."""


@cache
def _id(cell: Cell) -> str:
    """The cell's id; kept, as a report of many results asks for each a hundred times."""
    return "".join(axis.in_id(cell) for axis in ID_ORDER)


CONDITIONS = ID_ORDER[3:]
"""What cells with the same framework, version and Keras can differ in."""


@dataclass(frozen=True, slots=True)
class Custom:
    """What an environment has beyond its axes.

    A user's own pins, a date, another lock to stay close to, Debian packages.
    """

    pins: tuple[str, ...] = ()
    """Requirement lines. One of a package that the axes ask for too takes that line's place."""
    as_of: str = ""
    """RFC 3339, UTC: nothing uploaded later is considered. Empty: the date of ``latest.toml``."""
    prefer: tuple[str, ...] = ()
    """``name==version``: kept as they are unless something forces them to move."""
    system: tuple[str, ...] = ()
    """Debian packages that its image has in addition (``g++``). On the host the machine's own count."""
    needs: tuple[str, ...] = ()
    """Requirement lines that hold in addition: what a user's library needs. They take no other line's place."""

    @property
    def digest(self) -> str:
        """Eight hex digits over all of it, part of the environment's id."""
        lines = [*self.pins, "", self.as_of, *self.prefer]
        if self.system:
            lines += ["", *self.system]
        if self.needs:
            lines += ["", "", *self.needs]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Environment:
    """One locked set of packages on one Python and platform.

    Several cells can share it.
    """

    framework: str
    version: str
    keras: str | None
    python: str
    build: str
    """``cpu``, ``cuda`` (the wheels' own CUDA) or ``metal``: which wheels of the framework are meant."""
    platform: str
    """``linux-x86_64``, ``linux-aarch64`` or ``macos-arm64``."""
    custom: Custom | None = None

    @property
    def id(self) -> str:
        """The name of the lock, the Dockerfile and the image's tag.

        The lock is ``matrix/locks/<id>.txt``.

        >>> Environment("torch", "2.2.2", "3.8.0", "3.11", "cpu", "linux-x86_64").id
        'torch-2.2.2_keras-3.8.0_py3.11_cpu_linux-x86_64'
        """
        keras = f"keras-{self.keras}" if self.keras else "native"
        custom = f"_x{self.custom.digest}" if self.custom else ""
        return f"{self.framework}-{self.version}_{keras}_py{self.python}_{self.build}_{self.platform}{custom}"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one probe process may use before it is stopped."""

    timeout_s: float = 900.0
    memory_bytes: int | None = None
    """None: what the machine has, less what must stay free (see ``runner.matrix.plan``)."""
    pids: int = 4096
    shm_bytes: int = 1 << 30
    log_bytes: int = 64 * 1024
    """How much of the end of the process's output is kept."""
    disk_bytes: int | None = None
    """What it may write into its own folder; None: no limit. On the host a watch ends what has written more,
    there and into its home; a single file cannot grow beyond it at all."""


@dataclass(frozen=True, slots=True)
class ProbeSpec:
    """A probe to run: its name, its settings and its limits.

    The settings are a part of what makes results comparable.
    """

    name: str
    settings: dict[str, Scalar | list[Scalar]] = field(default_factory=dict)
    limits: Limits = Limits()
    timed: bool = True
    """Whether its timings count, so that nothing else of this program may run meanwhile."""
    cells: tuple[str, ...] = ()
    """Patterns over ids of the cells that it runs in; empty: all."""

    def runs_in(self, cell: Cell) -> bool:
        """Whether the probe runs in that cell."""
        return not self.cells or any(fnmatch.fnmatchcase(cell.id, pattern) for pattern in self.cells)


@dataclass(frozen=True, slots=True)
class Job:
    """One process to run: a cell, a probe, and which repetition of it."""

    cell: Cell
    environment: Environment
    probe: ProbeSpec
    round: int
    seed: int
    executor: str


@dataclass(frozen=True, slots=True)
class Skip:
    """A cell that will not run, and why."""

    cell: Cell
    status: Status
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be run, in order, and what will not."""

    jobs: tuple[Job, ...]
    skips: tuple[Skip, ...]
    notes: tuple[str, ...] = ()
    """Lines for the user: an unknown version that is tried all the same, an executor that fell back."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a probe process ended, as the executor saw it.

    Whatever the process itself reported.
    """

    exit_code: int
    signal: int | None
    oom: bool
    timed_out: bool
    wall_s: float
    log: str
    """The end of what it printed, capped (see ``Limits.log_bytes``)."""
    kept: str = ""
    """The command that enters what was kept of it (see ``Launch.keep``)."""
    out_of_disk: bool = False
    """It was ended because it wrote more than it may; in a container, its full disk ends it instead."""
    out_of_processes: bool = False
    """It was ended because it started more processes than it may; in a container, it cannot start them."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure that one process measured."""

    name: str
    """``mode.figure``, for example ``controlled.loss_per_step``."""
    value: float | int | str | list[float] | None
    kind: Kind
    better: Better = Better.NEITHER
    unit: str = ""
    """An SI unit, ``images/s``, ``u`` for backward errors, or empty for a plain number."""
    terms: int | None = None
    """K, the terms of the inner products behind an ``error`` figure."""

    @property
    def overflows(self) -> bool:
        """Whether the value is a whole number beyond what a float can be.

        Such a number was not measured.
        """
        return isinstance(self.value, int) and abs(self.value) > sys.float_info.max


@dataclass(frozen=True, slots=True)
class Sample:
    """What one process of one probe measured: the content of one result file."""

    cell: Cell
    environment_id: str
    probe: str
    settings: dict[str, Any]
    round: int
    seed: int
    executor: str
    status: Status
    reason: str
    """One line for the table where the status is not ok, else empty."""
    metrics: tuple[Metric, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    """What really ran, as the probe saw it: versions, build, device, threads, switches, CPU (see probe/facts.py)."""
    fingerprint: dict[str, Scalar] = field(default_factory=dict)
    """What must agree for two timings to be comparable: host, CPU, threads, device, probe hash, settings, data."""
    details: dict[str, Any] = field(default_factory=dict)
    """What a probe adds beyond single figures, for example every case of a sweep."""
    packages: dict[str, str] = field(default_factory=dict)
    """Every installed distribution and its version, as the lock names them."""
    lock_hash: str = ""
    notes: tuple[str, ...] = ()
    """What a reader of the figures must know: an override, a default-index build, synthetic data."""
    quiet: bool = True
    """Whether nothing else of this program ran meanwhile; timings of a busy process are not judged."""
    exit_code: int | None = None
    log: str = ""
    """The end of the output, kept where the status is not ok."""
    wall_s: float = 0.0
    """The whole process, start to end, seen from outside."""
    started: str = ""
    """UTC, ISO 8601, seconds."""
    key: str = ""
    """Digest of all that decides whether this sample can stand in for running the same job again."""
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a verdict rests on. A field that does not apply is None."""

    n: int = 0
    effect: float | None = None
    """Relative change of the candidate against the baseline (0.1: ten percent more), or the error in its unit."""
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_adjusted: float | None = None
    floor: float | None = None
    spread: float | None = None
    """Standard deviation between runs with other seeds, in the metric's unit; seeded figures only."""
    rounds_needed: int | None = None
    """For ``inconclusive``: how many more rounds it would take, where that can be said."""
    classification: str = ""
    """Exact figures: ``bit-equal``, ``rounding``, ``tf32-like``, ``bf16-like``, ``fp16-like``, ``wrong``, ``diverges``
    (a trajectory), ``kink`` (it diverges as rounding makes it in some seeds), ``drift`` (it diverges in more seeds
    than that, although fresh starts agree), ``differs`` (a name or count) or ``nondeterministic``."""
    steps: int | None = None
    """Trajectories: how many steps agree. Of several seeds the middle one."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two cells that differ in exactly one axis, judged on one metric.

    The metric is ``status`` for whether the cell ran.
    """

    baseline: str
    candidate: str
    axis: str
    """framework, version, keras, python, device or variant."""
    probe: str
    metric: str
    verdict: Verdict
    reason: str
    """One sentence fragment: the figures, what differs, or what is missing."""
    evidence: Evidence = Evidence()
    gates: bool = True
    """Whether a bad verdict fails the run. A difference in speed between frameworks or devices is not a regression."""
    issue: str = ""
    """The address of the known problem where the verdict is ``expected``."""
    baseline_value: float | int | str | None = None
    candidate_value: float | int | str | None = None
    packages: tuple[str, ...] = ()
    """What else moved between the two environments: ``numpy 1.26.4 -> 2.4.6``."""
