"""Tests of a user's library that pass in some cells and fail in others."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from runner import defects
from runner.defects import suite
from runner.model import Cell, Sample, Status
from runner.report import Severity
from runner.report.defects import findings

OLD, MIDDLE, NEW = (Cell("torch", "2.13.0", keras, "3.11", "cpu") for keras in ("3.8.0", "3.12.4", "3.15.1"))
JAX = Cell("jax", "0.4.35", "3.15.1", "3.11", "cpu")


def _sample(cell: Cell, cases: Mapping[str, str], round_: int = 0) -> Sample:
    records = {
        name: [status, None, "", "", "AssertionError: too new" * (status == "wrong"), ""]
        for name, status in cases.items()
    }
    return Sample(
        cell=cell, environment_id="e", probe="suite", settings={}, round=round_, seed=0, executor="host",
        status=Status.OK, reason="", details={"cases": records},
    )  # fmt: skip


def test_tests_that_fail_from_a_release_on_are_one_finding_that_names_them() -> None:
    fine = {"t.py::a": "ok", "t.py::b": "ok", "t.py::c": "ok", "t.py::d": "wrong"}
    samples = [_sample(OLD, fine), _sample(MIDDLE, fine)]
    samples.append(_sample(NEW, {"t.py::a": "wrong", "t.py::b": "raises", "t.py::c": "ok", "t.py::d": "wrong"}))
    (found,) = defects.defects(samples)
    assert found.cases == ("t.py::a", "t.py::b")
    assert (found.last_good, found.first_bad, found.cells) == ("3.12.4", "3.15.1", (NEW.id,))
    assert found.observed == "AssertionError: too new"
    (finding,) = findings([found], samples)
    assert finding.text == "passes with keras 3.12.4, fails with 3.15.1 (torch): 2 tests: t.py::a, t.py::b"
    assert finding.severity is Severity.REGRESSED
    assert "pytest.main(['t.py::a', 't.py::b'])" in found.script


@pytest.mark.parametrize(
    ("statuses", "sentence"),
    [
        (("wrong", "ok", "ok"), "fails with keras 3.8.0, passes with 3.12.4 (torch): 1 test: t.py::a"),
        (("ok", "wrong", "ok"), "passes with keras 3.8.0, fails with 3.12.4, passes with 3.15.1 again (torch): 1 test"),
    ],
)
def test_a_test_that_passes_again_names_the_release(statuses: tuple[str, ...], sentence: str) -> None:
    samples = [_sample(cell, {"t.py::a": status}) for cell, status in zip((OLD, MIDDLE, NEW), statuses, strict=True)]
    (found,) = suite.defects(samples)
    assert found.sentence.startswith(sentence)


def test_a_difference_between_frameworks_names_the_cells() -> None:
    (found,) = suite.defects([_sample(NEW, {"t.py::a": "ok"}), _sample(JAX, {"t.py::a": "wrong"})])
    assert found.sentence == "passes elsewhere, fails in all jax cells: 1 test: t.py::a"


def test_what_fails_everywhere_or_only_sometimes_is_no_defect() -> None:
    always = [_sample(cell, {"t.py::a": "wrong", "t.py::b": "unsupported"}) for cell in (OLD, NEW)]
    assert suite.defects(always) == []
    sometimes = [
        _sample(OLD, {"t.py::a": "ok"}),
        _sample(NEW, {"t.py::a": "ok"}),
        _sample(NEW, {"t.py::a": "wrong"}, 1),
    ]
    assert suite.defects(sometimes) == []
    steadily = [
        _sample(OLD, {"t.py::a": "ok"}),
        _sample(NEW, {"t.py::a": "wrong"}),
        _sample(NEW, {"t.py::a": "wrong"}, 1),
    ]
    assert len(suite.defects(steadily)) == 1


def test_a_file_that_cannot_be_imported_is_a_test_that_fails() -> None:
    old = {"t.py (import)": "ok", "t.py::a": "ok"}
    (found,) = suite.defects([_sample(OLD, old), _sample(NEW, {"t.py (import)": "raises"})])
    assert found.cases == ("t.py (import)",)
    assert "pytest.main(['t.py'])" in found.script


def test_many_tests_are_counted_and_the_first_are_named() -> None:
    names = [f"t.py::test_{n}" for n in range(9)]
    (found,) = suite.defects([_sample(OLD, dict.fromkeys(names, "ok")), _sample(NEW, dict.fromkeys(names, "wrong"))])
    assert found.sentence.endswith(
        "9 tests: t.py::test_0, t.py::test_1, t.py::test_2, t.py::test_3, t.py::test_4 and 4 more"
    )
    assert len(found.cases) == 9
