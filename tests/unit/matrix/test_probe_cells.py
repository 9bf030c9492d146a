"""A probe that runs in some of a set's cells only."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.matrix import plan, probes, selection, sets
from runner.matrix.selection import Chosen
from runner.model import Cell, ProbeSpec

TORCH = Cell("torch", "2.13.0", "3.15.1", "3.11", "cpu")
JAX = Cell("jax", "0.4.35", "3.15.1", "3.11", "cpu")


def specs(*names: str) -> dict[str, tuple[str, ...]]:
    one = sets.Set("d", probes={"speed": {}, "hello": {}}, probe_cells={"speed": ["torch-*"]})
    whole = sets.Matrix(1, "s", {"s": one}, {n: sets.Probe("d", timed=False, timeout_s=1.0) for n in one.probes})
    return {spec.name: spec.cells for spec in selection.probe_specs(Chosen("s", whole, one, (), (), ()), names, ())}


def test_the_patterns_reach_the_probe_that_they_are_for() -> None:
    assert specs() == {"speed": ("torch-*",), "hello": ()}


def test_a_probe_that_the_user_names_runs_in_all_cells() -> None:
    assert specs("speed") == {"speed": ()}


def test_a_probe_has_jobs_in_its_cells_only() -> None:
    placed = [(cell, plan.environment_of(cell, "linux-x86_64"), "docker") for cell in (TORCH, JAX)]
    jobs = plan.round_jobs(placed, [ProbeSpec("speed", cells=("torch-*",)), ProbeSpec("hello")], 1, 0)
    assert [(job.probe.name, job.cell) for job in jobs] == [("speed", TORCH), ("hello", JAX), ("hello", TORCH)]


def test_patterns_for_a_probe_that_the_set_does_not_run_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "matrix.toml"
    path.write_text(
        'schema = 1\ndefault = "s"\n[sets.s]\ndescription = "d"\nprobe_cells = { sped = ["torch-*"] }\n'
        '[sets.s.probes.speed]\n[probes.speed]\ndescription = "d"\ntimed = true\ntimeout_s = 1.0\n'
    )
    with pytest.raises(UsageError, match=r"sets\.s\.probe_cells: the set runs no probe 'sped'"):
        sets.load(path)


def test_keras_history_measures_speed_on_torch_alone() -> None:
    chosen = selection.choose("keras-history", ())
    speed = next(spec for spec in selection.probe_specs(chosen, (), ()) if spec.name == "speed")
    assert {cell.framework for cell in chosen.cells if speed.runs_in(cell)} == {"torch"}
    assert all(spec.runs_in(cell) for spec in selection.probe_specs(chosen, (), ()) if spec != speed
               for cell in chosen.cells)  # fmt: skip
    assert chosen.definition.budget_s is not None
    assert [spec.name for spec in selection.probe_specs(chosen, (), ()) if probes.headlines(spec.name)] == ["speed"]
