"""Locks made by the real uv from a real index."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from runner.environments import lock
from runner.errors import BuildError
from runner.model import Environment

pytestmark = [pytest.mark.engine, pytest.mark.network]

WHEELS = Path(os.environ.get("PIP_FIND_LINKS") or "nowhere")
"""A folder with a CPU wheel of PyTorch: it stands in for PyTorch's own index where that cannot be reached."""
L = "linux-x86_64"


def environment(framework: str, version: str, keras: str | None, platform: str = L) -> Environment:
    return Environment(framework, version, keras, "3.11", "cpu", platform)


def test_the_same_question_has_the_same_answer(tmp_path: Path) -> None:
    jax = environment("jax", "0.10.2", "3.8.0")
    one, two = lock.make(jax, tmp_path / "one"), lock.make(jax, tmp_path / "two")
    assert one.path.read_bytes() == two.path.read_bytes()
    assert one.sha256 == lock.committed(jax).sha256


def test_the_date_decides_what_is_seen(tmp_path: Path) -> None:
    # the environment of keras-team/keras#20804, as of the day it was reported
    found = lock.make(environment("jax", "0.5.0", "3.8.0"), tmp_path, exclude_newer="2025-01-23T00:00:00Z")
    assert (found.packages["jax"], found.packages["numpy"]) == ("0.5.0", "2.2.2")
    with pytest.raises(BuildError, match="cannot resolve"):
        lock.make(environment("jax", "0.10.2", "3.8.0"), tmp_path, exclude_newer="2025-01-23T00:00:00Z")


def test_other_platforms_are_resolved_from_here(tmp_path: Path) -> None:
    arm = lock.make(environment("jax", "0.10.2", "3.11.3", "linux-aarch64"), tmp_path)
    assert arm.recipe.platform == "aarch64-manylinux_2_36"
    assert arm.packages["jaxlib"] == "0.10.2"
    mac = lock.make(environment("torch", "2.2.2", "3.8.0", "macos-arm64"), tmp_path)
    assert not mac.carries_cuda
    assert lock.DEFAULT_BUILD not in mac.notes


def test_a_keras_that_tensorflow_forbids_is_overridden_and_noted(tmp_path: Path) -> None:
    found = lock.make(environment("tensorflow", "2.21.0", "3.8.0"), tmp_path)
    assert (found.packages["keras"], found.packages["tensorflow-cpu"]) == ("3.8.0", "2.21.0")
    assert found.notes == ("tensorflow 2.21.0 declares keras >= 3.12; overridden",)


def test_a_pin_that_cannot_be_met_is_explained_by_uv_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(BuildError) as caught:
        lock.make(environment("jax", "0.10.2", "3.99.0"), tmp_path)
    assert "there is no version of keras==3.99.0" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not list(WHEELS.glob("torch-2.13.0+cpu-cp311-*.whl")), reason="no CPU wheel of PyTorch here")
def test_a_cpu_wheel_that_is_reachable_is_preferred_and_brings_no_cuda(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_FIND_LINKS", str(WHEELS))
    found = lock.make(environment("torch", "2.13.0", "3.11.3"), tmp_path)
    assert found.packages["torch"] == "2.13.0+cpu"
    assert not found.carries_cuda
    assert found.notes == ()
    assert "/" not in re.sub(r"hash.*", "", found.path.read_text())
