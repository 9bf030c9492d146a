"""The error rates of trajectories on trainings that were really run (see bench/judge)."""

from __future__ import annotations

from pathlib import Path

import pytest
import trajectory_rates as rates

RECORDING = Path(rates.__file__).with_name("learning.npz")


def test_the_recording_keeps_every_promise_and_the_page_has_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert rates.main(RECORDING) == 0
    table = capsys.readouterr().out.partition("| | seen | promised |\n")[2].splitlines()
    page = Path("docs/verdicts.md").read_text(encoding="utf-8").splitlines()
    assert len(table) > 10
    assert [line for line in table if line.replace("|  |", "| |") not in page] == []


def test_the_recording_is_as_large_as_was_asked() -> None:
    healthy = {(row.data, row.cell, row.seed) for row in rates.read(RECORDING) if not row.fault}
    pairs = [(a, b) for a in healthy for b in healthy if a < b and (a[0], a[2]) == (b[0], b[2])]
    assert len(pairs) >= 200
    assert {cell.partition("-")[0] for _, cell, _ in healthy} == {"tensorflow", "torch", "jax"}
    assert {data for data, _, _ in healthy} == {"real", "synthetic"}
