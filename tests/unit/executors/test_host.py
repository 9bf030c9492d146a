"""Which Pythons a machine has, from its folders alone; nothing is made before it is asked for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from runner.executors.host import HostExecutor, Pinned
from runner.executors.interpreters import pythons
from runner.model import Environment

ENVIRONMENT = Environment("torch", "2.2.2", None, "3.11", "cpu", "linux-x86_64")


def make_python(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)


def test_pythons_of_uv_pyenv_and_the_path_are_found_and_shims_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("PATH", f"{tmp_path}/pyenv/shims:{tmp_path}/bin::{tmp_path}/none")
    make_python(tmp_path / "uv/cpython-3.9.18-linux-x86_64-gnu/bin/python3")
    make_python(tmp_path / "uv/cpython-3.9.7-linux-x86_64-gnu/bin/python3")
    make_python(tmp_path / "pyenv/versions/3.8.18/bin/python3")
    make_python(tmp_path / "pyenv/versions/3.9.20/bin/python3")
    make_python(tmp_path / "pyenv/shims/python3.6")
    make_python(tmp_path / "bin/python3.99")
    make_python(tmp_path / "bin/python3.98-config")
    make_python(tmp_path / "bin/python3.97t")
    (tmp_path / "bin/python3.96").write_text("not executable")
    found = pythons()
    found.pop(f"{sys.version_info.major}.{sys.version_info.minor}")
    assert {version: path.relative_to(tmp_path).as_posix() for version, path in found.items()} == {
        "3.9": "uv/cpython-3.9.18-linux-x86_64-gnu/bin/python3",
        "3.8": "pyenv/versions/3.8.18/bin/python3",
        "3.99": "bin/python3.99",
    }


def test_a_folder_that_cannot_be_looked_into_has_no_pythons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name is too long here, so that the system refuses it to root as well."""
    refused = f"/{'x' * 300}"
    for name in ("UV_PYTHON_INSTALL_DIR", "PYENV_ROOT"):
        monkeypatch.setenv(name, refused)
    monkeypatch.setenv("PATH", f"{refused}:{tmp_path}/bin")
    make_python(tmp_path / "bin/python3.99")
    assert pythons()["3.99"] == tmp_path / "bin/python3.99"


def test_the_identity_is_the_locks_and_makes_nothing(tmp_path: Path) -> None:
    executor = HostExecutor(tmp_path / "environments", lambda _environment: Pinned("", "the hash"))
    assert executor.identity(ENVIRONMENT) == "the hash"
    assert executor.data_path(Path("/home/me/mnist.npz")) == "/home/me/mnist.npz"
    assert not (tmp_path / "environments").exists()
    executor.close()
