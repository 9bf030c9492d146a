"""What environments take on disk."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from runner.images import disk
from runner.matrix import compat
from runner.model import Custom, Environment


def test_an_engine_elsewhere_has_an_unknown_disk() -> None:
    assert disk.free("/no/such/folder") is None
    assert disk.free("") is None
    assert disk.free("/") is not None


def test_shared_layers_are_counted_once() -> None:
    torch = Environment("torch", "2.2.2", "3.8.0", "3.11", "cpu", "linux-x86_64")
    one = disk.estimate([torch])
    two = disk.estimate([torch, replace(torch, keras="3.9.0")])
    assert one == disk.layer_bytes(torch, cuda=False) + disk.rest_bytes()
    assert two - one == disk.rest_bytes()
    with_cuda = disk.layer_bytes(torch, cuda=True) + disk.rest_bytes()
    assert with_cuda > 5e9
    assert disk.estimate([replace(torch, build="cuda")]) == with_cuda
    assert disk.estimate([torch], cpu_wheels=False) == with_cuda
    assert disk.estimate([replace(torch, framework="jax")], cpu_wheels=False) < 1e9
    unknown = replace(torch, framework="new")
    assert disk.layer_bytes(unknown, cuda=False) == disk.layer_bytes(unknown, cuda=True) == 2 * 10**9
    assert disk.estimate([]) == 0


def test_what_a_set_adds_is_counted() -> None:
    plain = Environment("jax", "0.4.35", "3.8.0", "3.11", "cpu", "linux-x86_64")
    more = replace(plain, custom=Custom(("tensorflow-cpu==2.18.1", "pandas")))
    added = disk.layer_bytes(more, cuda=False) - disk.layer_bytes(plain, cuda=False)
    assert added == pytest.approx(1e9 * (compat.load().framework["tensorflow"].size_gb + 0.1))


TORCH = Environment("torch", "2.2.2", "3.8.0", "3.11", "cpu", "linux-x86_64")


def test_sizes_are_those_of_the_table() -> None:
    sizes = compat.load().sizes
    assert disk.RESERVE == 2_000_000_000
    assert disk.rest_bytes() == int(1e9 * sizes["keras"])
    assert disk.layer_bytes(TORCH, cuda=False) == int(1e9 * sizes["torch"])
    assert disk.layer_bytes(TORCH, cuda=True) == int(1e9 * sizes["torch-cuda"])


@pytest.mark.parametrize(
    ("framework", "build", "cpu_wheels", "cuda"),
    [
        ("torch", "cuda", True, True),
        ("torch", "cpu", True, False),
        ("torch", "cpu", False, True),
        ("torch", "metal", False, False),
        ("jax", "cpu", False, False),
        ("jax", "cuda", True, True),
    ],
)
def test_only_pytorch_has_cuda_in_its_cpu_builds(framework: str, build: str, cpu_wheels: bool, cuda: bool) -> None:
    environment = replace(TORCH, framework=framework, build=build)
    assert disk.carries_cuda(environment, cpu_wheels=cpu_wheels) is cuda


def test_cpu_wheels_are_expected_unless_they_cannot_be_had() -> None:
    assert not disk.carries_cuda(TORCH)
    assert disk.estimate([TORCH]) == disk.estimate([TORCH], cpu_wheels=True) < disk.estimate([TORCH], cpu_wheels=False)


@pytest.mark.parametrize("change", [{"version": "2.3.0"}, {"python": "3.12"}, {"build": "cuda"}, {"framework": "jax"}])
def test_another_layer_is_counted_by_itself(change: dict[str, str]) -> None:
    other = replace(TORCH, **change)  # type: ignore[arg-type] # always a text field
    assert disk.estimate([TORCH, other, TORCH]) == disk.estimate([TORCH]) + disk.estimate([other])


def test_a_disk_that_cannot_be_asked_is_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert disk.free(str(tmp_path)) == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.2)
    (tmp_path / "file").write_text("")
    assert disk.free(str(tmp_path / "file")) is None

    def refuse(_root: str) -> None:
        raise PermissionError

    monkeypatch.setattr(shutil, "disk_usage", refuse)
    assert disk.free(str(tmp_path)) is None
