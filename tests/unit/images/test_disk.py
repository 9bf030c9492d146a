"""What environments take on disk."""

from __future__ import annotations

from dataclasses import replace

from runner.images import disk
from runner.model import Environment


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
