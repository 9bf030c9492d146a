"""A build next to a release: only defects that differ are findings, and what the build brought is a regression."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from runner import defects
from runner.defects import cells
from runner.defects.defect import Defect
from runner.defects.known import Known
from runner.judge import rules
from runner.model import Cell, Sample, Status
from runner.report import Severity, build
from runner.report import defects as module
from runner.report.data import Bisection
from runner.results import store

RELEASE, OWN = (Cell("jax", "0.10.2", keras, "3.11", "cpu") for keras in ("3.15.1", "3.16.0+g1a2b3c4"))
SAMPLES = [Sample(cell, "e", "ops", {}, 0, 0, "docker", Status.OK, "") for cell in (RELEASE, OWN)]
GRAVE = 8


def defect(bad: Sequence[int], good: Sequence[int]) -> Defect:
    fields = {"op": "ops.f", "kind": "wrong value", "pattern": "", "cases": ("ops.f(x)",), "observed": "", "script": ""}
    return cells.defect("ops.f", "wrong value", GRAVE, bad, good, SAMPLES, **fields)


def judged(monkeypatch: pytest.MonkeyPatch, found: Defect, *, against: bool) -> tuple[list[Severity], int]:
    monkeypatch.setattr(defects, "defects", lambda _samples: (found,))
    monkeypatch.setattr(module, "reported", lambda: (Known("ops.f", "*", "*", "https://example.org/7"),))
    made = build.report(SAMPLES, store.RunRecord(), rules.Rules(set_name="quick", against=against))
    return [finding.severity for finding in made.extra], made.exit_code


def test_what_the_build_brought_is_a_regression_although_it_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    brought = defect([1], [0])
    assert judged(monkeypatch, brought, against=True) == ([Severity.REGRESSED], 1)
    assert judged(monkeypatch, brought, against=False) == ([Severity.EXPECTED], 0)


def test_what_the_build_fixed_is_a_finding_and_no_regression(monkeypatch: pytest.MonkeyPatch) -> None:
    assert judged(monkeypatch, defect([0], [1]), against=True) == ([Severity.EXPECTED], 0)


@pytest.mark.parametrize(
    ("good", "kind", "words"),
    [
        ("3.16.0+g7d57b7b", "wrong value", "fixed in your build 3.16.0+g7d57b7b"),
        ("3.16.0+g7d57b7b", "raises an exception", "runs in your build 3.16.0+g7d57b7b"),
        ("3.16.0", "wrong value", "first good 3.16.0"),
    ],
)
def test_what_the_build_fixed_reads_as_a_defect_of_the_release(good: str, kind: str, words: str) -> None:
    pair = [Cell("jax", "0.10.2", keras, "3.11", "cpu") for keras in ("3.15.1", good)]
    samples = [Sample(cell, "e", "ops", {}, 0, 0, "docker", Status.OK, "") for cell in pair]
    fields = {"op": "ops.f", "kind": kind, "pattern": "", "cases": ("ops.f(x)",), "observed": "", "script": ""}
    found = cells.defect(f"ops.f: {kind}", kind, GRAVE, [0], [1], samples, **fields)
    assert module._told(found).endswith(f"keras 3.15.1; {words}")


def test_what_both_have_is_not_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    both = defect([0, 1], [])
    assert judged(monkeypatch, both, against=True) == ([], 0)
    assert judged(monkeypatch, both, against=False) == ([Severity.EXPECTED], 0)


class TestBisection:
    """What finds the cause of a defect that a release brought."""

    CELLS = (
        *(Cell("jax", "0.10.2", keras, "3.11", "cpu") for keras in ("3.13.2", "3.14.1", "3.15.1", "3.16.0")),
        Cell("torch", "2.15.0", "3.15.1", "3.11", "cpu"),
    )

    def _of(self, bad: Sequence[int], good: Sequence[int], probe: str = "", **more: str) -> Bisection | None:
        samples = [Sample(cell, "e", "ops", {}, 0, 0, "docker", Status.OK, "") for cell in self.CELLS]
        op = f"{probe}: a promise" if probe else "ops.f"
        cases = ("ops.f(x)#jit", "ops.f(x, axis=1)")
        fields = {"op": op, "kind": "wrong value", "pattern": "", "cases": cases, "observed": "", "script": ""} | more
        found = cells.defect(op, "wrong value", GRAVE, bad, good, samples, **fields)
        return module._finding(found, (), {cell.id: cell for cell in self.CELLS}, against=False).bisection

    def test_it_is_between_the_first_bad_release_and_the_one_before(self) -> None:
        found = self._of([2, 3], [0, 1])
        assert found == Bisection("keras", "3.14.1", "3.15.1", self.CELLS[2], "ops", "ops.f(x)")

    def test_a_probe_of_promises_has_cases_too(self) -> None:
        found = self._of([3], [2], "saving")
        assert found is not None
        assert (found.probe, found.good, found.bad) == ("saving", "3.15.1", "3.16.0")

    @pytest.mark.parametrize(
        ("bad", "good", "probe"),
        [([0, 1], [2, 3], ""), ([0, 1, 2, 3], [], ""), ([3], [2], "training"), ([3], [2], "suite"), ([4], [2], "")],
    )
    def test_what_no_release_brought_or_no_case_shows_has_none(
        self, bad: Sequence[int], good: Sequence[int], probe: str
    ) -> None:
        assert self._of(bad, good, probe) is None
