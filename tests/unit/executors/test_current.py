"""Which cells the interpreter at hand can be."""

from __future__ import annotations

import hashlib
import os
import site
import sys
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runner.errors import BuildError
from runner.executors import Launch, Prepared, Shell, current, shell
from runner.executors.current import CurrentExecutor, cells_here, installed
from runner.model import Cell, Environment, Limits, Outcome

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


def test_nightly_builds_are_cells_too() -> None:
    assert ids({"tf-nightly": "2.23.0.dev20261026", "keras-nightly": "3.16.0.dev2026102704"}) == [
        f"tensorflow-2.23.0.dev20261026_keras-3.16.0.dev2026102704_py{PYTHON}_cpu"
    ]


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


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (environment(version="2.3.0"), f"{sys.executable} has 2.2.2, not torch 2.3.0"),
        (environment("jax", "0.5.0"), f"{sys.executable} has none, not jax 0.5.0"),
        (environment(keras="3.9.0"), f"{sys.executable} has keras 3.8.0, not keras 3.9.0"),
        (environment(python="3.8"), f"{sys.executable} is Python {PYTHON}, not 3.8"),
    ],
)
def test_a_refusal_names_the_interpreter(executor: CurrentExecutor, asked: Environment, text: str) -> None:
    with pytest.raises(BuildError) as caught:
        executor.identity(asked)
    assert str(caught.value) == text


def test_keras_that_is_not_installed_is_named(executor: CurrentExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current, "installed", lambda: {"torch": "2.2.2"})
    with pytest.raises(BuildError) as caught:
        executor.identity(environment())
    assert str(caught.value) == f"{sys.executable} has no keras, not keras 3.8.0"
    executor.identity(environment(keras=None))


def test_the_first_distribution_of_a_name_is_the_one_that_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(name: str | None, version: str) -> SimpleNamespace:
        return SimpleNamespace(metadata={"Name": name}, version=version)

    distributions = [found("Zope.Interface", "2"), found("jax", "1"), found("zope-interface", "3"), found(None, "4")]
    monkeypatch.setattr(metadata, "distributions", lambda: iter(distributions))
    assert list(installed().items()) == [("jax", "1"), ("zope-interface", "2")]
    assert [cell.id for cell in CurrentExecutor().cells("mps")] == [f"jax-1_native_py{PYTHON}_mps"]


def test_the_identity_is_of_interpreter_and_packages(executor: CurrentExecutor) -> None:
    lines = [sys.executable, sys.version, "keras==3.8.0", "torch==2.2.2+cpu"]
    assert executor.identity(environment()) == hashlib.sha256("\n".join(lines).encode()).hexdigest()


class TestRunning:
    @pytest.fixture
    def calls(self, executor: CurrentExecutor, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []

        def run(argv: list[str], **more: Any) -> Outcome:
            found.append({"argv": argv, **more})
            return Outcome(1, None, oom=False, timed_out=False, wall_s=1.0, log="")

        monkeypatch.setattr(executor._group, "run", run)
        return found

    def launch(self, tmp_path: Path) -> Launch:
        cell = Cell("torch", "2.2.2", "3.8.0", PYTHON, "cpu")
        return Launch(cell, Prepared(environment(), "/my/python"), tmp_path, None, {"A": "b"}, Limits(timeout_s=7.0))

    def test_a_process_runs_in_this_interpreter(
        self, executor: CurrentExecutor, calls: list[dict[str, Any]], tmp_path: Path
    ) -> None:
        launch = self.launch(tmp_path)
        assert executor.execute(launch).exit_code == 1
        (call,) = calls
        assert call["argv"] == ["/my/python", "-m", "probe"]
        assert (call["cwd"], call["limits"], call["environment"]["A"]) == (tmp_path, launch.limits, "b")

    def test_what_is_kept_can_be_run_again(
        self, executor: CurrentExecutor, calls: list[dict[str, Any]], tmp_path: Path
    ) -> None:
        kept = executor.execute(replace(self.launch(tmp_path), keep=lambda _: True)).kept
        assert kept == f"cd {tmp_path} && env A=b /my/python -m probe"
        assert len(calls) == 1

    def test_its_libraries_are_found_from_another_home(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        for name in list(os.environ):
            monkeypatch.delenv(name)
        kept = (
            *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"),
            *("CONDA_PREFIX", "VIRTUAL_ENV", "PATH"),
        )
        for name in (*kept, "HOME", "OMP_NUM_THREADS"):
            monkeypatch.setenv(name, f"value of {name}")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("PYTHONPATH", f"here:/there:{os.pathsep}")
        monkeypatch.setattr(site, "ENABLE_USER_SITE", True)
        monkeypatch.setattr(site, "getuserbase", lambda: "/home/me/.local")
        values = {name: f"value of {name}" for name in kept}
        paths = {"PYTHONPATH": f"{tmp_path.resolve()}/here:/there"}
        assert current._surroundings() == {**values, **paths, "PYTHONUSERBASE": "/home/me/.local"}
        monkeypatch.setattr(site, "ENABLE_USER_SITE", False)
        monkeypatch.delenv("PYTHONPATH")
        assert current._surroundings() == {**values, "PYTHONNOUSERSITE": "1"}

    def test_closing_ends_what_runs(self, executor: CurrentExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
        closed: list[bool] = []
        monkeypatch.setattr(executor._group, "close", lambda: closed.append(True))
        assert executor.available() == ""
        executor.close()
        assert closed == [True]

    def test_a_shell_is_the_hosts(self, executor: CurrentExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
        wanted = Shell(Cell("torch", "2.2.2", None, PYTHON, "cpu"), Prepared(environment(), "x"), (), {})
        monkeypatch.setattr(shell, "on_host", lambda asked: 7 if asked is wanted else 0)
        assert executor.shell(wanted) == 7
