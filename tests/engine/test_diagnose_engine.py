"""``runner diagnose`` in real containers: a cell against itself, broken on purpose, and against another backend."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runner.data import digits as drawn

pytestmark = pytest.mark.engine

JAX = "jax-0.10.2_keras-3.11.3_py3.11_cpu"
TENSORFLOW = "tensorflow-2.21.0_keras-3.11.3_py3.11_cpu"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One results folder for all, so that what two of them need is measured once."""
    return tmp_path_factory.mktemp("diagnose")


def diagnosed(out: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    digits = drawn.prepare(None, out / "data", offline=True).path
    small = ["--network", "dense", "--seeds", "3", "--steps", "1", "--executor", "docker", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "runner", "diagnose", *arguments, *small, "--data", str(digits), "--out", str(out)],
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_two_backends_agree_within_rounding(out: Path) -> None:
    code, found = diagnosed(out, JAX, TENSORFLOW)
    assert code == 0, found["answer"]
    assert found["first"] is None
    assert [rung["found"] for rung in found["rungs"]][3:] == ["agrees"] * 3
    assert {one["toggle"] for one in found["toggles"]} == {"no-onednn", "one-thread", "deterministic"}
    assert found["nondeterministic"] == []


@pytest.mark.parametrize(
    ("fault", "gone", "first"),
    [
        # 784 terms hide what XLA's float16 does in one layer below 4 sqrt(K) u; the whole step shows it
        ("half-layer", "float64", "loss"),
        ("adam-epsilon", "same optimizer", "dense1/kernel"),
    ],
)
def test_a_broken_cell_is_named_by_rung_and_step(out: Path, fault: str, gone: str, first: str) -> None:
    code, found = diagnosed(out, JAX, JAX, "--fault", fault, "--no-toggles")
    assert code == 1
    assert (found["gone"], found["first"]["step"], found["first"]["quantity"]) == (gone, 1, first)
