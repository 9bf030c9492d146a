"""The activities with a real Keras on real backends: a few cases of each module run, and nearly all promises hold."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

PAYLOAD = Path(__file__).resolve().parents[3] / "runner" / "probe"
PYTHON = os.environ.get("KERAS_PYTHON", "")
"""A Python that has Keras and the backends."""

BACKENDS = ("jax", "torch")
BUDGET_S = 4.0
"""CPU seconds for the cases of one process."""

pytestmark = pytest.mark.skipif(not PYTHON, reason="KERAS_PYTHON names no Python with Keras")


def activities():
    inits = sorted(PAYLOAD.glob("*/__init__.py"))
    return [path.parent.name for path in inits if "cases.run(request" in path.read_text(encoding="utf-8")]


def versions(backend):
    """``(Python, framework, Keras)``; None where the backend is not installed."""
    text = (
        "import importlib.metadata as m, sys; name = sys.argv[1]; found = {d.metadata['Name']: d.version for d in "
        "m.distributions()}; print('%d.%d' % sys.version_info[:2], found.get(name) or found.get(name + '-cpu') or "
        "found.get(name + '_cpu'), found.get('keras'))"
    )
    done = subprocess.run([PYTHON, "-c", text, backend], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("probe", activities())
def test_promises_hold_in_the_installed_release(probe, backend, tmp_path):
    python, framework, keras = versions(backend)
    if "None" in (framework, keras):
        pytest.skip(f"no {backend} there")
    shutil.copytree(PAYLOAD, tmp_path / "probe", ignore=shutil.ignore_patterns("__pycache__"))
    cell = {"framework": backend, "version": framework, "keras": keras, "python": python, "device": "cpu"}
    request = {"schema": 1, "probe": probe, "cell": {**cell, "variant": ""}, "settings": {"budget_s": BUDGET_S}}
    (tmp_path / "request.json").write_text(json.dumps({**request, "seed": 0, "round": 0, "data": None}))
    env = {**os.environ, "KERAS_BACKEND": backend, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([PYTHON, "-m", "probe"], cwd=tmp_path, env=env, check=True, stdin=subprocess.DEVNULL)
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["status"] == "ok", (result["reason"], result["traceback"])
    records = result["details"]["cases"]
    said = [status for status, *_ in records.values() if status != "unsupported"]
    assert records
    bad = {ident: record for ident, record in records.items() if record[0] in ("wrong", "raises", "crashes")}
    assert len(bad) <= 0.15 * len(said) + 1, bad
    assert set(result["details"]["scripts"]) == set(bad)
    assert set(result["details"]["promises"]) == {*records, *result["details"]["not_run"]}
