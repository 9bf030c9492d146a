"""Shards: every cell once, comparisons whole, under the limits; estimates that add up; condensed for pull requests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.judge import Pair, pairs
from runner.measure import blocks
from runner.measure import shards as gp
from runner.model import Cell, ProbeSpec

BUDGET = gp.Budget()


def _cell(framework: str = "torch", version: str = "2.2.2", keras: str = "3.8.0", device: str = "cpu") -> Cell:
    return Cell(framework, version, keras, "3.11", device)


def _loads(cells: list[Cell], layer_gb: float = 1.0) -> dict[Cell, gp.Load]:
    return {
        c: gp.Load(f"{c.framework}-{c.version}-{c.keras}-{c.device}", f"{c.framework}-{c.version}", layer_gb, 0.1)
        for c in cells
    }


def _shards(cells: list[Cell], found: list[Pair], run_s: float, budget: gp.Budget = BUDGET) -> tuple[gp.Shard, ...]:
    return gp.shards(cells, found, _loads(cells), run_s, budget)


def torn(shards: tuple[gp.Shard, ...], found: list[Pair]) -> list[Pair]:
    return blocks.torn((shard.cells for shard in shards), found)


GRID = [
    _cell(framework, version, keras, device)
    for framework, versions in (("tensorflow", ("2.16.2", "2.21.0")), ("torch", ("2.2.2", "2.6.0", "2.15.0")))
    for version in versions
    for keras in ("3.8.0", "3.11.3")
    for device in ("cpu", "cuda")
]


def test_what_fits_is_one_shard_per_kind_of_machine() -> None:
    shards = _shards(GRID, pairs(GRID), 60)
    assert [(shard.id, shard.machine, len(shard.cells)) for shard in shards] == [
        ("linux-01", "linux", 10),
        ("cuda-01", "cuda", 10),
    ]


def test_a_tree_that_is_too_long_is_cut_between_frameworks_only() -> None:
    found = pairs(GRID)
    shards = _shards(GRID, found, 600, gp.Budget(minutes=80))
    assert len(shards) == 4
    assert all(len({cell.framework for cell in shard.cells}) == 1 for shard in shards)
    assert {pair.axis for pair in torn(shards, found)} <= blocks.SPLITTABLE


def test_a_comparison_of_releases_is_never_cut_however_long_it_takes() -> None:
    cells = [_cell(keras=f"3.{minor}.0") for minor in range(12)]
    shards = _shards(cells, pairs(cells), 3600, gp.Budget(minutes=1))
    assert [len(shard.cells) for shard in shards] == [12]


def test_the_disk_is_a_limit_too() -> None:
    cells = [_cell("torch"), _cell("jax", "0.10.2")]
    loads = _loads(cells, layer_gb=30)
    assert len(gp.shards(cells, pairs(cells), loads, 1, BUDGET)) == 2
    assert len(gp.shards(cells, pairs(cells), _loads(cells), 1, BUDGET)) == 1


def test_a_set_with_mps_runs_on_a_mac_as_a_whole() -> None:
    cells = [_cell(), _cell(device="mps"), _cell("jax", "0.5.0")]
    (shard,) = _shards(cells, pairs(cells), 1)
    assert (shard.id, shard.machine) == ("macos-01", "macos")


cells_of_any_kind = st.lists(
    st.builds(
        _cell,
        st.sampled_from(["tensorflow", "torch", "jax", "numpy"]),
        st.sampled_from(["1.0", "2.0", "2.1", "3.5"]),
        st.sampled_from(["3.0.5", "3.8.0", "3.11.3"]),
        st.sampled_from(["cpu", "cuda"]),
    ),
    unique=True,
    max_size=60,
)


@given(cells_of_any_kind, st.floats(0, 2000), st.floats(1, 500), st.integers(1, 256))
def test_every_cell_once_and_comparisons_whole(cells: list[Cell], run_s: float, minutes: float, most: int) -> None:
    found = pairs(cells)
    shards = _shards(cells, found, run_s, gp.Budget(minutes=minutes, shards=most))
    placed = [cell for shard in shards for cell in shard.cells]
    assert sorted(cell.id for cell in placed) == sorted(cell.id for cell in cells)
    assert {pair.axis for pair in torn(shards, found)} <= blocks.SPLITTABLE
    for machine in blocks.MACHINES:
        own = [shard for shard in shards if shard.machine == machine]
        assert len(own) <= most
        assert len({shard.id for shard in own}) == len(own)
    for shard in shards:
        assert 30 <= shard.timeout <= gp.JOB_MINUTES


def test_never_more_jobs_than_github_takes() -> None:
    cells = [_cell("torch", f"{major}.{minor}") for major in range(30) for minor in range(30)]
    shards = _shards(cells, [], 7200, gp.Budget(minutes=1))
    assert len(shards) == gp.JOB_LIMIT
    assert sum(len(shard.cells) for shard in shards) == 900


def test_an_estimate_adds_up() -> None:
    """Two environments on one layer of 1 GB, 0.1 GB each beside it, and 90 s of probes for each cell."""
    cells = [_cell(keras="3.8.0"), _cell(keras="3.11.3")]
    found = gp.estimate(cells, _loads(cells), 90)
    assert (found.environments, found.layers) == (2, 1)
    assert found.running == pytest.approx(3.0)
    assert found.first == pytest.approx(gp.START_MINUTES + 1.2 * gp.BUILD_S_PER_GB / 60 + 3.0)
    assert found.cached == pytest.approx(gp.START_MINUTES + 1.2 * gp.PULL_S_PER_GB / 60 + 3.0)
    assert found.disk_gb == pytest.approx(1.2 + gp.BASE_GB)
    assert gp.registry_gb(cells, _loads(cells)) == pytest.approx(gp.COMPRESSED * (1.2 + gp.BASE_GB))


@pytest.mark.parametrize("run_s", [1, 60, 600, 3600])
def test_a_job_ends_in_time_if_building_takes_thrice_its_estimate_and_the_budget_is_used(run_s: float) -> None:
    for shard in _shards(GRID, pairs(GRID), run_s):
        building = shard.estimate.first - shard.estimate.running
        assert shard.budget >= 1
        assert shard.budget == 1 or gp.LATE * building + shard.budget <= shard.timeout
        assert shard.job()["budget"] == f"{shard.budget}m"
        assert shard.job(rounds=3)["budget"] == ""


def test_probes_take_what_their_settings_ask_for() -> None:
    def seconds(name: str, **settings: int | str) -> float:
        return gp.probes_s([ProbeSpec(name, dict(settings))], rounds=1) - gp.PROCESS_S

    assert seconds("mnist") == pytest.approx(360)
    assert seconds("mnist", epochs=1, train_samples=1000) == pytest.approx(2)
    assert seconds("conv2d", cases="small") == gp.CONV2D_S["small"]
    assert seconds("conv2d") == gp.CONV2D_S["full"]
    assert seconds("new-probe") == gp.UNKNOWN_S
    both = [ProbeSpec("hello"), ProbeSpec("parity")]
    assert gp.probes_s(both, rounds=3) == pytest.approx(3 * gp.probes_s(both, rounds=1))


def test_a_pull_request_runs_the_newest_of_each_framework_and_its_baseline() -> None:
    kept = gp.condensed(GRID, pairs(GRID))
    assert [cell.id for cell in kept if cell.framework == "torch"] == [
        "torch-2.2.2_keras-3.11.3_py3.11_cpu",
        "torch-2.15.0_keras-3.11.3_py3.11_cpu",
    ]
    assert {cell.device for cell in kept} == {"cpu"}
    assert {cell.framework for cell in kept} == {"tensorflow", "torch"}


def test_the_plan_shows_its_arithmetic() -> None:
    found = pairs(GRID)
    shards = _shards(GRID, found, 60)
    text = gp.markdown(shards, _loads(GRID), 60, torn(shards, found))
    assert "| linux-01 | 10 | 10 | 5 |" in text
    assert "cells x 60 s of probes" in text
    assert f"{gp.registry_gb(GRID, _loads(GRID)):.1f} GB" in text


def test_a_shard_that_cannot_end_in_time_is_told() -> None:
    cells = [_cell(keras=f"3.{minor}.0") for minor in range(12)]
    shards = _shards(cells, pairs(cells), 3600)
    assert [shard.id for shard in gp.too_long(shards)] == ["linux-01"]
    assert "**linux-01** would take 72" in gp.markdown(shards, _loads(cells), 3600, [])
    assert not gp.too_long(_shards(cells, pairs(cells), 60))
