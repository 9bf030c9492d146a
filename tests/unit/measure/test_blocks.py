"""Comparison blocks: what is compared stays together, whatever else is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.judge import Pair, pairs, rules
from runner.measure import blocks
from runner.model import Cell


def _cell(framework: str = "torch", version: str = "2.2.2", keras: str | None = "3.8.0", device: str = "cpu") -> Cell:
    return Cell(framework, version, keras, "3.11", device)


def _never(_cells: object) -> bool:
    return False


def _always(_cells: object) -> bool:
    return True


GRID = [
    _cell(framework, version, keras, device)
    for framework, versions in (("tensorflow", ("2.16.2", "2.21.0")), ("torch", ("2.2.2", "2.6.0")))
    for version in versions
    for keras in ("3.8.0", "3.11.3", None)
    for device in ("cpu", "cuda")
]


def test_a_block_that_fits_is_cut_between_kinds_of_machine_only() -> None:
    found = blocks.cut(GRID, pairs(GRID), _always)
    assert [(block.machine, len(block.cells)) for block in found] == [("linux", 12), ("cuda", 12)]


def test_a_block_that_does_not_fit_is_cut_between_frameworks_only() -> None:
    found = blocks.cut(GRID, pairs(GRID), _never)
    assert [(block.machine, {cell.framework for cell in block.cells}) for block in found] == [
        ("linux", {"tensorflow"}),
        ("linux", {"torch"}),
        ("cuda", {"tensorflow"}),
        ("cuda", {"torch"}),
    ]


def test_cells_that_nothing_compares_are_a_block_each() -> None:
    alone = [_cell("torch"), _cell("jax", "0.5.0", "3.11.3"), _cell("numpy", "2.0.0", "3.0.5")]
    assert [block.cells for block in blocks.cut(alone, [], _always)] == [(cell,) for cell in alone]


def test_an_mps_cell_takes_all_to_a_mac() -> None:
    cells = [_cell(), _cell(device="mps"), _cell("jax", "0.5.0")]
    assert {block.machine for block in blocks.cut(cells, pairs(cells), _never)} == {"macos"}


def test_a_cell_is_in_the_block_of_its_twin_without_keras() -> None:
    """The forest of baselines alone does not connect them where the grid has holes."""
    cells = [
        _cell(version="2.2.2", keras="3.8.0"),
        _cell(version="2.2.2", keras=None),
        _cell(version="2.6.0", keras="3.11.3"),
        _cell(version="2.6.0", keras=None),
    ]
    without = [pair for pair in pairs(cells) if pair.candidate.keras is None]
    assert [(pair.axis, pair.baseline.version) for pair in without] == [("keras", "2.2.2"), ("version", "2.2.2")]
    assert len(blocks.cut(cells, pairs(cells), _never)) == 2, "else this says nothing"
    (block,) = blocks.cut(cells, rules.compared(cells, rules.Rules("quick")), _never)
    assert block.cells == tuple(cells)


def test_with_a_baseline_all_that_is_compared_with_it_is_one_block() -> None:
    cells = [cell for cell in GRID if cell.device == "cpu" and cell.framework == "torch"]
    found = rules.compared(cells, rules.Rules("quick", baseline=cells[-1].id))
    assert all(cells[-1] in block.cells for block in blocks.cut(cells, found, _never) if len(block.cells) > 1)


@given(
    st.lists(
        st.builds(
            _cell,
            st.sampled_from(["tensorflow", "torch", "jax", "numpy"]),
            st.sampled_from(["1.0", "2.0", "2.1", "3.5"]),
            st.sampled_from(["3.0.5", "3.8.0", "3.11.3", None]),
            st.sampled_from(["cpu", "cuda"]),
        ),
        unique=True,
        max_size=60,
    ),
    st.integers(0, 60),
)
def test_every_cell_once_and_timed_comparisons_whole(cells: list[Cell], most: int) -> None:
    found: list[Pair] = rules.compared(cells, rules.Rules("quick"))
    cut = blocks.cut(cells, found, lambda some: len(some) <= most)
    placed = [cell for block in cut for cell in block.cells]
    assert sorted(cell.id for cell in placed) == sorted(cell.id for cell in cells)
    assert {pair.axis for pair in blocks.torn((block.cells for block in cut), found)} <= blocks.SPLITTABLE


@pytest.mark.parametrize("axis", ["version", "keras", "python", "variant"])
def test_only_comparisons_of_frameworks_and_devices_may_span_machines(axis: str) -> None:
    assert axis not in blocks.SPLITTABLE
