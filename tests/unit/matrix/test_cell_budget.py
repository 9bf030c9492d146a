"""A set's CPU time per cell, shared among its sweeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner.errors import UsageError
from runner.matrix import probes, selection, sets
from runner.matrix.selection import Chosen

OWN = {"ops": {"budget_s": 80.0, "only": ""}, "training": {"budget_s": 40}, "mnist": {"epochs": 3}}


@pytest.fixture(autouse=True)
def _probes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "settings", lambda probe: OWN[probe])


def specs(cell_budget: str, given: dict[str, dict[str, Any]] | None = None, *settings: str) -> dict[str, Any]:
    one = sets.Set("d", probes={name: (given or {}).get(name, {}) for name in OWN}, cell_budget=cell_budget)
    whole = sets.Matrix(1, "s", {"s": one}, {name: sets.Probe("d", timed=False, timeout_s=1.0) for name in OWN})
    chosen = Chosen("s", whole, one, (), (), ())
    return {spec.name: spec.settings for spec in selection.probe_specs(chosen, (), settings)}


@pytest.mark.parametrize("budget", ["", "2m", "1h"])
def test_what_fits_is_left_alone(budget: str) -> None:
    assert specs(budget) == {"ops": {}, "training": {}, "mnist": {}}


def test_what_does_not_fit_is_cut_in_proportion() -> None:
    assert specs("60s") == {"ops": {"budget_s": 40.0}, "training": {"budget_s": 20.0}, "mnist": {}}


def test_a_budget_that_was_given_stays_and_counts() -> None:
    found = specs("60s", {"ops": {"budget_s": 50.0}})
    assert found == {"ops": {"budget_s": 50.0}, "training": {"budget_s": 10.0}, "mnist": {}}
    assert specs("60s", None, "training.budget_s=70")["ops"] == {"budget_s": 0.0}


def test_a_budget_that_is_not_a_time_names_the_place(tmp_path: Path) -> None:
    path = tmp_path / "matrix.toml"
    path.write_text('schema = 1\ndefault = "s"\n[sets.s]\ndescription = "d"\ncell_budget = "much"\n')
    with pytest.raises(UsageError, match=r"sets\.s\.cell_budget"):
        sets.load(path)
