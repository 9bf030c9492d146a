"""Samples of the sweep -> defects."""

from __future__ import annotations

from typing import Any

import pytest

from runner import attribution
from runner.model import Cell, Sample, Status

CASE = "ops.sum(x) | x=array([1., 2.])"


def _sample(keras: str, cases: dict[str, Any], framework: str = "torch") -> Sample:
    cell = Cell(framework, "2.13.0", keras, "3.11", "cpu")
    return Sample(cell, "e", "ops", {}, 0, 0, "host", Status.OK, "", details={"cases": cases, "prelude": ""})


def _record(status: str, note: str = "") -> list[Any]:
    return [status, 3.0, "", "float32 ()", note, ""]


def test_a_defect_is_told_once_with_the_versions_that_show_it() -> None:
    samples = [
        _sample("3.3.3", {CASE: _record("wrong", "4 instead of 3")}),
        _sample("3.5.0", {CASE: _record("wrong", "4 instead of 3")}),
        _sample("3.8.0", {CASE: _record("ok")}),
    ]
    (defect,) = attribution.defects(samples)
    assert defect.cells == tuple(sample.cell.id for sample in samples[:2])
    assert defect.good == (samples[2].cell.id,)
    assert defect.first_good == "3.8.0"
    assert "keras" in defect.axis
    assert "ops.sum" in defect.script


def test_cells_that_are_right_have_no_defects() -> None:
    assert attribution.defects([_sample("3.8.0", {CASE: _record("ok")})]) == ()
    assert attribution.defects([]) == ()


@pytest.mark.parametrize("record", [5, None, "wrong", [], ["wrong"], [1, 2, 3, 4, 5, 6], ["wrong", 1, "", "", "", 7]])
def test_a_record_that_is_none_is_passed_over(record: object) -> None:
    """A cell's result file is not to be trusted, and must not break the report of the others."""
    samples = [_sample("3.3.3", {CASE: record}), _sample("3.8.0", {CASE: _record("ok")})]
    assert attribution.defects(samples) == ()
