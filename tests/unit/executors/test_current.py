"""Which cells the interpreter at hand can be."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from runner.errors import BuildError
from runner.executors import current
from runner.executors.current import CurrentExecutor, cells_here, installed
from runner.model import Environment

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def ids(packages: dict[str, str], device: str = "cpu") -> list[str]:
    return [cell.id for cell in cells_here(device, packages)]


def test_every_installed_framework_is_a_cell_with_the_installed_keras() -> None:
    packages = {"keras": "3.11.3", "torch": "2.2.2+cu121", "jax": "0.5.0", "numpy": "1.26.4"}
    assert ids(packages) == [
        f"torch-2.2.2_keras-3.11.3_py{PYTHON}_cpu",
        f"jax-0.5.0_keras-3.11.3_py{PYTHON}_cpu",
        f"numpy-1.26.4_keras-3.11.3_py{PYTHON}_cpu",
    ]


def test_without_keras_only_frameworks_that_train_alone_are_cells() -> None:
    assert ids({"torch": "2.2.2", "numpy": "1.26.4", "openvino": "2025.0"}, "mps") == [
        f"torch-2.2.2_native_py{PYTHON}_mps"
    ]


def test_a_framework_counts_under_any_name_it_is_published_under() -> None:
    assert ids({"tensorflow-cpu": "2.21.0", "keras": "3.15.1"}) == [f"tensorflow-2.21.0_keras-3.15.1_py{PYTHON}_cpu"]


def test_paddle_has_no_keras_and_another_name_on_the_index() -> None:
    assert ids({"paddlepaddle": "3.3.1", "keras": "3.0.0"}) == [f"paddle-3.3.1_native_py{PYTHON}_cpu"]


def test_mxnet_has_no_keras() -> None:
    assert ids({"mxnet": "1.9.1", "keras": "3.0.0"}) == [f"mxnet-1.9.1_native_py{PYTHON}_cpu"]


def test_nothing_installed_is_no_cell() -> None:
    assert ids({"pip": "24.0"}) == []


def test_what_is_installed_is_found_without_importing_it() -> None:
    before = set(sys.modules)
    packages = installed()
    assert packages["pytest"] == pytest.__version__
    assert not {"torch", "tensorflow", "jax", "keras"} & (set(sys.modules) - before)


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> CurrentExecutor:
    monkeypatch.setattr(current, "installed", lambda: {"keras": "3.8.0", "torch": "2.2.2+cpu"})
    return CurrentExecutor()


def environment(
    framework: str = "torch", version: str = "2.2.2", keras: str | None = "3.8.0", python: str = PYTHON
) -> Environment:
    return Environment(framework, version, keras, python, "cpu", "linux-x86_64")


def test_what_fits_is_prepared_as_it_is(executor: CurrentExecutor) -> None:
    prepared = executor.prepare(environment(), lambda _text: None)
    assert prepared.reference == sys.executable
    assert prepared.packages == {"keras": "3.8.0", "torch": "2.2.2+cpu"}
    assert prepared.lock_hash == executor.identity(environment())
    assert executor.data_path(Path("/data/x.npz")) == "/data/x.npz"


def test_other_packages_are_another_identity(executor: CurrentExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    before = executor.identity(environment())
    monkeypatch.setattr(current, "installed", lambda: {"keras": "3.8.0", "torch": "2.2.2+cpu", "numpy": "2.0.0"})
    assert executor.identity(environment()) != before


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (environment(version="2.3.0"), "has 2.2.2, not torch 2.3.0"),
        (environment("jax", "0.5.0"), "has none, not jax 0.5.0"),
        (environment(keras="3.9.0"), "has keras 3.8.0, not keras 3.9.0"),
        (environment(python="3.8"), f"is Python {PYTHON}, not 3.8"),
    ],
)
def test_what_does_not_fit_is_refused(executor: CurrentExecutor, asked: Environment, says: str) -> None:
    with pytest.raises(BuildError, match=says):
        executor.prepare(asked, lambda _text: None)
    with pytest.raises(BuildError, match=says):
        executor.identity(asked)
