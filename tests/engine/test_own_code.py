"""A user's repository, for real: a script, a probe and tests in cells, in containers and on the host.

The cells are JAX with two releases of Keras. A test that only one of them passes is found, named, and bisected by the
command below the finding.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runner.model import Sample, Status
from runner.results import store

pytestmark = pytest.mark.engine

OLD, NEW = "jax-0.10.2_keras-3.11.3_py3.11_cpu", "jax-0.10.2_keras-3.12.0_py3.11_cpu"
CONFIGURATION = """\
schema = 1
default = "mine"

[sets.mine]
description = "JAX with two releases of Keras"
[[sets.mine.product]]
framework = ["jax"]
version = ["0.10.2"]
keras = ["3.11.3", "3.12.0"]
device = ["cpu"]
[sets.mine.probes.layer]

[probes.layer]
timed = false
file = "layer.py"

[pytest]
tests = ["tests"]
install = "."
"""
PROBE = """\
import keras

import numpy as np

DEFAULTS = {"units": 4}


def measure(report, settings):
    layer = keras.layers.Dense(settings["units"])
    report.exact("shape", str(keras.ops.convert_to_numpy(layer(np.ones((2, 3), "float32"))).shape))
    report.exact("version", settings.keras)
    report.timing("time_s", 0.25 + settings.seed / 100)


def diagnose(settings):
    y = np.arange(400) % 4
    x = np.eye(4, dtype="float32")[y] + np.random.RandomState(settings.seed).uniform(0, 0.2, (400, 4))
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, activation="softmax")]), x, y
"""
PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "tiny-lib"
version = "0.3"
dependencies = ["keras>=3.9", "packaging"]
"""
TESTS = """\
import keras
import tiny_lib


def test_old_only():
    assert keras.__version__ in tiny_lib.KNOWN


def test_everywhere():
    assert tiny_lib.KNOWN


def test_nowhere():
    assert not tiny_lib.KNOWN
"""
SCRIPT = """\
import os

import keras

print("accuracy=%s" % (0.9 + int(os.environ["RUNNER_SEED"]) / 100))
print("digest=" + keras.__version__)
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with a configuration, a probe, a script and tests."""
    folder = tmp_path_factory.mktemp("repository")
    for name, text in {
        "keras-matrix.toml": CONFIGURATION,
        "layer.py": PROBE,
        "pyproject.toml": PYPROJECT,
        "tiny_lib.py": 'KNOWN = ("3.11.3",)\n',
        "tests/test_a.py": TESTS,
        "tests/test_c.py": "from keras import NewInTheFuture\n\n\ndef test_c():\n    pass\n",
        "train.py": SCRIPT,
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


def ran(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """One command of the program in that folder."""
    command = [sys.executable, "-m", "runner", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=900, check=False)


def matrix(folder: Path, out: Path, *words: str) -> tuple[int, dict[str, Any], list[Sample]]:
    """A run of the matrix: its exit code, its report and its samples."""
    # two at once: no process needs the machine to itself, so that other runs on it cause no waiting
    done = ran(folder, "matrix", "--rounds", "1", "--jobs", "2", "--out", str(out), "--format", "json", *words)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout), store.load([out])


@pytest.mark.parametrize("executor", ["docker", "host"])
class TestMatrix:
    def test_a_probe_of_the_user_runs_in_every_cell(self, repository: Path, tmp_path: Path, executor: str) -> None:
        code, _, samples = matrix(repository, tmp_path / "out", "--executor", executor, "--setting", "layer.units=5")
        assert {(one.cell.id, one.probe, one.status, one.executor) for one in samples} == {
            (cell, "layer", Status.OK, executor) for cell in (OLD, NEW)
        }
        for sample in samples:
            found = {metric.name: metric.value for metric in sample.metrics}
            assert (found["shape"], found["version"]) == ("(2, 5)", sample.cell.keras)
        assert code == 1  # the figure "version" is exact, and differs

    def test_a_script_s_figures_are_those_of_its_seed(self, repository: Path, tmp_path: Path, executor: str) -> None:
        words = ("--script", "train.py", "--metric", r"accuracy=([\d.]+)", "--metric", r"digest=(\S+) exact")
        code, report, samples = matrix(repository, tmp_path / "out", "--executor", executor, "--seed", "3", *words)
        for sample in samples:
            found = {metric.name: metric.value for metric in sample.metrics}
            assert (sample.status, found["printed.accuracy"]) == (Status.OK, 0.93), sample.reason
            assert found["printed.digest"] == sample.cell.keras
        assert code == 1
        (finding,) = [one for one in report["findings"] if one["severity"] == "regressed"]
        assert "bisect keras --good 3.11.3 --bad 3.12.0" in finding["commands"][0]

    def test_a_test_that_one_release_fails_is_found_and_bisected(
        self, repository: Path, tmp_path: Path, executor: str
    ) -> None:
        code, report, samples = matrix(repository, tmp_path / "out", "--executor", executor, "--pytest")
        assert code == 1
        assert {(one.probe, one.status) for one in samples} == {("suite", Status.OK)}, [one.reason for one in samples]
        (finding,) = report["findings"]
        told = "passes with keras 3.11.3, fails with 3.12.0 (jax): 1 test: tests/test_a.py::test_old_only"
        assert finding["text"] == told
        assert all(sample.packages["packaging"] for sample in samples)  # what the library needs
        words = shlex.split(finding["commands"][0])
        assert words[:4] == ["python", "-m", "runner", "bisect"]
        done = ran(repository, *words[3:], "--out", str(tmp_path / "bisect"), "--keep")
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("## keras 3.12.0 is the first bad release\n")


@pytest.mark.parametrize(
    ("text", "status", "reason"),
    [
        ("import nonesuch\n", Status.CRASHED, "layer.py does not import: ModuleNotFoundError: No module named"),
        ("def measure(report, settings):\n    return 1\n", Status.BAD_OUTPUT, "layer.py: measure reported no figure"),
        (
            "import os\ndef measure(report, _):\n    print('{}')\n    os.write(2, b'?')\n    report.exact('n', 1)\n",
            Status.OK,
            "",
        ),
        (
            "import os\ndef measure(report, settings):\n    report.exact('n', 1)\n    os.fork()\n",
            Status.BAD_OUTPUT,
            "layer.py forked, and the child returned too: end it with os._exit",
        ),
        ("PROTOCOL = 2\nimport nonesuch\n", Status.BAD_OUTPUT, "layer.py asks for protocol 2 of probes, this program"),
    ],
)
def test_what_is_wrong_with_a_probe_is_one_line(
    repository: Path, tmp_path: Path, text: str, status: Status, reason: str
) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "keras-matrix.toml").write_text(CONFIGURATION)
    (folder / "layer.py").write_text(text)
    _, _, (sample,) = matrix(folder, tmp_path / "out", "--executor", "docker", "--only", OLD)
    assert (sample.status, sample.reason[: len(reason)]) == (status, reason)
    assert "\n" not in sample.reason
    assert repository != folder


def test_packages_that_contradict_one_cell_fail_that_cell_alone(repository: Path, tmp_path: Path) -> None:
    """NumPy 1.26 is too old for this JAX; the reason is uv's, and the other cell runs."""
    old = "jax-0.4.35_keras-3.11.3_py3.11_cpu"
    text = CONFIGURATION.replace('version = ["0.10.2"]', 'version = ["0.10.2", "0.4.35"]')
    folder = tmp_path / "two"
    folder.mkdir()
    (folder / "keras-matrix.toml").write_text(text)
    (folder / "train.py").write_text(SCRIPT)
    words = ("--script", "train.py", "--with", "numpy==1.26.4", "--executor", "docker", "--only", OLD, "--only", old)
    code, report, samples = matrix(folder, tmp_path / "out", *words)
    by_cell = {sample.cell.id: sample for sample in samples}
    assert (code, by_cell[OLD].status, by_cell[old].status) == (3, Status.BUILD_FAILED, Status.OK)
    assert "jax==0.10.2 depends on numpy>=2" in by_cell[OLD].reason
    assert by_cell[old].packages["numpy"] == "1.26.4"
    assert "numpy>=2" in json.dumps(report)


def test_the_model_of_a_probe_is_diagnosed(repository: Path, tmp_path: Path) -> None:
    words = ("--probe", "layer", "--seeds", "3", "--steps", "1", "--no-toggles", "--executor", "docker", "--json")
    done = ran(repository, "diagnose", OLD, OLD, "--fault", "adam-epsilon", *words, "--out", str(tmp_path / "out"))
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert (done.returncode, found["network"], found["gone"]) == (1, "of layer.py", "same optimizer")
    done = ran(repository, "diagnose", OLD, NEW, *words, "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
