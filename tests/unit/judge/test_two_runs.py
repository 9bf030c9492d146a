"""Two runs: which cells are paired where each run has another build."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.errors import UsageError
from runner.judge import two_runs
from runner.model import Cell, Sample, Status

RELEASE = Cell("jax", "0.10.2", "3.15.1", "3.11", "cpu")
BEFORE, AFTER = replace(RELEASE, keras="3.16.0+gaaaaaaa"), replace(RELEASE, keras="3.16.0+gbbbbbbb")
NIGHT = replace(RELEASE, keras="3.16.0.dev2026102704")


def ran(*cells: Cell) -> list[Sample]:
    return [Sample(cell, cell.id, "hello", {}, 0, 0, "docker", Status.OK, "") for cell in cells]


def paired(a: list[Sample], b: list[Sample]) -> set[tuple[str, str]]:
    return {(pair.baseline.id, pair.candidate.id) for pair in two_runs.tagged(a, b, ("A", "B"))[1]}


def test_a_build_is_paired_with_the_build_in_its_place() -> None:
    assert paired(ran(RELEASE, BEFORE), ran(RELEASE, AFTER)) == {
        (f"A:{RELEASE.id}", f"B:{RELEASE.id}"),
        (f"A:{BEFORE.id}", f"B:{AFTER.id}"),
    }
    two_runs.check(ran(BEFORE), ran(AFTER), ("a", "b"))


def test_where_two_could_take_its_place_none_does() -> None:
    assert two_runs.partners([BEFORE], [AFTER, NIGHT]) == {}
    assert two_runs.partners([AFTER, NIGHT], [BEFORE]) == {}


def test_an_equal_build_and_a_release_are_paired_with_themselves_alone() -> None:
    assert two_runs.partners([BEFORE, NIGHT], [BEFORE, AFTER]) == {NIGHT: AFTER}
    assert two_runs.partners([RELEASE], [AFTER]) == {}
    with pytest.raises(UsageError, match="no cell is in both runs"):
        two_runs.check(ran(RELEASE), ran(AFTER), ("a", "b"))


def test_cells_that_differ_elsewhere_too_are_not_paired() -> None:
    assert two_runs.partners([BEFORE], [replace(AFTER, version="0.9.0")]) == {}
