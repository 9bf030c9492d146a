"""Known failures, as matrix/expectations.toml lists them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from runner.judge.two_runs import untagged
from runner.model import Cell, Sample, Status
from runner.util import versions

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Expectation:
    """One known failure, in the cells that a glob names.

    It is a status of a probe, or a metric that is known to be worse.
    """

    cell: str
    """Glob over cell ids."""
    probe: str = "*"
    """Glob over probe names: a failing import fails every probe."""
    status: Status | None = None
    metric: str = ""
    """Glob over metric names. Exactly one of ``status`` and ``metric`` is given."""
    issue: str = ""
    """Address of the report or of the change that explains it; empty where none is known."""
    last_bad: str = ""
    """``keras-3.9.2`` or ``torch-2.2.2``: the last release that is known to fail. Later ones are expected to work."""
    reason: str = ""
    """For a status: a part of the failure's reason. Another failure of the same status is not expected."""
    file: str = "matrix/expectations.toml"
    """The file that lists it."""

    @property
    def why(self) -> str:
        """The issue, or the file that lists the failure without one."""
        return self.issue or self.file

    def covers(self, cell: Cell, probe: str) -> bool:
        """Whether this is about the cell and the probe."""
        if not (fnmatchcase(untagged(cell).id, self.cell) and fnmatchcase(probe, self.probe)):
            return False
        if not self.last_bad:
            return True
        package, _, version = self.last_bad.rpartition("-")
        own = cell.keras if package == "keras" else cell.version if package == cell.framework else None
        return own is not None and versions.order(own) <= versions.order(version)


def expected_status(
    expectations: Sequence[Expectation], cell: Cell, probe: str, bad: Sample | None = None
) -> Expectation | None:
    """What is expected of the cell and probe.

    The entry that ``bad`` is a case of, else the first about them.
    """
    about = [e for e in expectations if e.status is not None and e.covers(cell, probe)]
    return next((e for e in about if as_expected(e, bad)), about[0] if about else None)


def expected_metric(expectations: Sequence[Expectation], cell: Cell, probe: str, metric: str) -> Expectation | None:
    """The first expectation of a worse metric for the cell and probe, or None."""
    return next((e for e in expectations if e.metric and fnmatchcase(metric, e.metric) and e.covers(cell, probe)), None)


def as_expected(expectation: Expectation, bad: Sample | None) -> bool:
    """Whether a failure is the one that is expected.

    It has the same status, and the reason where one is given.

    How long a process ran or how much it took differs from run to run, so those reasons are not compared.
    """
    if bad is None or bad.status != expectation.status:
        return False
    if bad.status in (Status.TIMEOUT, Status.OOM):
        return True
    return expectation.reason in bad.reason or expectation.reason in bad.log
