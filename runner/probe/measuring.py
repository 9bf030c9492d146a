"""What the functions of a user's probe are given: a report and the settings.

A probe is a Python file with a function ``measure(report, settings)``, or with several whose names begin with
``measure_``. The figures of ``measure_dense`` are named ``dense.`` and the name that it reports.

    def measure(report, settings):
        report.timing("sort_s", seconds_to_sort(settings["count"], settings.seed))

The runner reads two literals of the file without importing it: ``DEFAULTS``, a dict of the settings and their values,
and ``HEADLINES``, the names of the figures that get further rounds until they are decided. ``PROTOCOL = 1`` is the
version of these rules that the file is written for; it may be left out.
"""

from __future__ import annotations

import re
from typing import Any, Dict

from . import protocol

PROTOCOL = 1
"""The version of what a file may use. A new method or attribute of these classes makes a new one."""

_NAME = re.compile(r"[A-Za-z_]\w*(\.\w+)*\Z")
_RESERVED = ("process_s",)
"""Figures that are measured around every process."""


class Settings(Dict[str, Any]):  # typing's: Python 3.8
    """The probe's settings by name, and what the process is about.

    ``settings["units"]`` is the value of ``DEFAULTS``, or the set's, or that of ``--setting``. Attributes: ``seed``
    (another one in every round), ``round`` (0, 1, ...), and the cell's ``framework``, ``version``, ``keras`` (None:
    without Keras), ``python``, ``device`` (``cpu``, ``cuda`` or ``mps``) and ``variant``.
    """

    def __init__(self, values: dict[str, Any], request: protocol.Request) -> None:
        super().__init__(values)
        self.seed: int = request.seed
        self.round: int = request.round
        self.framework: str = request.framework
        self.version: str = request.version
        self.keras: str | None = request.keras
        self.python: str = request.python
        self.device: str = request.device
        self.variant: str = request.variant


class Report:
    """Takes the figures of one function. Every name is reported once.

    The method is the kind of a figure, which decides how it is judged. Figures may be Python's or NumPy's.
    """

    def __init__(self, report: protocol.Report, mode: str = "") -> None:
        self._report = report
        self._mode = mode

    def timing(self, name: str, value: float, unit: str = "s", better: str = "lower") -> None:
        """A time, a rate or a size of memory: noisy, and compared over rounds.

        One process gives one value: of repeats within it, report the median.
        """
        self.metric(name, value, "timing", better, unit)

    def score(self, name: str, value: float, better: str = "higher") -> None:
        """An accuracy or a loss that depends on the seed, and is compared over seeds."""
        self.metric(name, value, "seeded", better)

    def exact(self, name: str, value: object) -> None:
        """A count, a shape or a text, which has to be equal in all cells."""
        self.metric(name, value, "exact")

    def error(self, name: str, value: float, terms: int) -> None:
        """The largest error of sums of ``terms`` products against exact values.

        In units of u * sum|x * w|, with u = 2**-24: rounding in float32 stays below some units.
        """
        self.metric(name, value, "error", "lower", "u", terms)

    def trajectory(self, name: str, values: list[float]) -> None:
        """A figure per step, from equal weights and equal data: compared step by step."""
        self.metric(name, values, "trajectory")

    def info(self, name: str, value: object, unit: str = "") -> None:
        """A figure that is shown and never judged."""
        self.metric(name, value, "info", "neither", unit)

    def detail(self, key: str, value: object) -> None:
        """What is kept with the result and is not a figure: anything that JSON can say."""
        self._report.detail(self._named(key), value)

    def unsupported(self, reason: str) -> None:
        """End the probe: this cell cannot do what it asks. That is not a failure."""
        self._report.unsupported(reason)

    def metric(
        self, name: str, value: object, kind: str, better: str = "neither", unit: str = "", terms: int | None = None
    ) -> None:
        """A figure of any kind.

        The probes of the program report theirs so (see ``protocol.Report.metric``).
        """
        self._report.metric(self._named(name), value, kind, better, unit, terms)

    def _named(self, name: str) -> str:
        if not isinstance(name, str) or not _NAME.match(name):
            raise ValueError("%r is not a name of letters, digits, underscores and dots" % (name,))
        if name in _RESERVED and not self._mode:
            raise ValueError("%r is measured for every probe; choose another name" % name)
        return self._mode + "." + name if self._mode else name
