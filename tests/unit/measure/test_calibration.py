"""``runner calibrate``, from the command line to the saved file."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from runner import cli
from runner.judge import calibration_file
from runner.results import store
from runner.util import folders

CELL = "torch-2.2.2_keras-3.11.3_py3.11_cpu"


def _step(seconds: float) -> dict[str, Any]:
    return {"metrics": [{"name": "free.step_s", "value": seconds, "kind": "timing", "better": "lower", "unit": "s"}]}


def _calibrate(out: Path, *more: str) -> int:
    return cli.run(["calibrate", CELL, "--probe", "mnist", "--out", str(out), *more])


def test_the_noise_of_a_cell_is_measured_printed_and_saved(
    fake_executor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw = random.Random(7)  # noqa: S311 - recorded noise would do as well
    fake_executor.answers = {"*": [_step(0.01 * (1 + 0.3 * draw.random())) for _ in range(40)]}
    assert _calibrate(tmp_path / "out") == 0
    assert fake_executor.launched == [(CELL, "mnist", number) for number in range(40)]
    samples = store.load([tmp_path / "out"])
    noise = calibration_file.noise_for(samples, folders.state_dir())
    assert set(noise) == {f"{CELL}/mnist/free.step_s", f"{CELL}/mnist/process_s"}
    assert noise[f"{CELL}/mnist/free.step_s"] > 0.05
    assert noise[f"{CELL}/mnist/process_s"] == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == f"mnist/free.step_s: up to {noise[f'{CELL}/mnist/free.step_s']:.1%} between equal processes"
    assert shown[-1].startswith(f"kept in {folders.state_dir()}")


def test_a_calibration_measures_again_what_has_a_result(fake_executor: Any, tmp_path: Path) -> None:
    fake_executor.answers = {"*": _step(0.01)}
    assert _calibrate(tmp_path / "out", "--rounds", "6") == 0
    assert _calibrate(tmp_path / "out", "--rounds", "6") == 0
    assert len(fake_executor.launched) == 24


def test_a_cell_that_fails_calibrates_nothing(
    fake_executor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_executor.answers = {"*": {"status": "import-failed", "reason": "no module"}}
    assert _calibrate(tmp_path / "out") != 0
    assert f"{CELL}: too few timings to calibrate with" in capsys.readouterr().err
    assert len(fake_executor.launched) == 1
