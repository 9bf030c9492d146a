"""Locks made by the real uv from a real index."""

from __future__ import annotations

import functools
import http.server
import os
import re
import threading
import zipfile
from pathlib import Path

import pytest

from runner.environments import index, lock
from runner.errors import BuildError
from runner.executors.host import HostExecutor
from runner.matrix import frameworks
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


def test_a_nightly_build_of_another_index_is_locked_and_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The default index has other builds of the same package; the rest of the environment is from there."""
    version = "2.16.0.dev20261112"
    name = f"torch-{version}+cpu-py3-none-any.whl"
    place = tmp_path / "index" / "simple" / "torch"
    place.mkdir(parents=True)
    info = f"torch-{version}+cpu.dist-info"
    with zipfile.ZipFile(place / name, "w") as archive:
        archive.writestr("torch.py", "x = 1\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: torch\nVersion: {version}+cpu\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    (place / "index.html").write_text(f'<a href="{name}">{name}</a>')
    files = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "index"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), files)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/simple"
    monkeypatch.setattr(
        frameworks, "nightly_index", lambda package, wanted: address if package == "torch" and "dev" in wanted else ""
    )
    try:
        assert index.nightly("torch", "nightly-2026-11-12") == version
        found = lock.locked(environment("torch", version, None))
        executor = HostExecutor(tmp_path / "environments")
        prepared = executor.prepare(environment("torch", version, None), lambda _: None)
        executor.close()
    finally:
        server.shutdown()
        server.server_close()
    assert (found.packages["torch"], found.recipe.index) == (f"{version}+cpu", address)
    assert "numpy" in found.packages
    assert (Path(prepared.reference).parents[1] / "lib" / "python3.11" / "site-packages" / "torch.py").is_file()
