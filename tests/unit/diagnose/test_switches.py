"""The switches of a cell, and the payload that must know each of them."""

from __future__ import annotations

import pytest

from runner.diagnose.switches import switches
from runner.model import Cell


@pytest.mark.parametrize(
    ("framework", "device", "variant", "names"),
    [
        ("tensorflow", "cpu", "", ("no-onednn", "one-thread", "deterministic")),
        ("torch", "cpu", "", ("no-onednn", "one-thread", "deterministic")),
        ("jax", "cpu", "", ("one-thread",)),
        ("numpy", "cpu", "", ()),
        ("tensorflow", "cpu", "no-onednn", ("onednn", "one-thread", "deterministic")),
        ("torch", "cpu", "no-onednn", ("one-thread", "deterministic")),
        ("tensorflow", "cuda", "", ("no-tf32", "deterministic")),
        ("torch", "cuda", "", ("no-tf32", "tf32", "deterministic")),
        ("jax", "cuda", "", ("no-tf32", "deterministic")),
        ("torch", "mps", "", ("fallback", "no-fallback")),
        ("torch", "mps", "fallback", ("no-fallback",)),
        ("tensorflow", "mps", "", ()),
    ],
)
def test_a_cell_has_the_switches_of_its_framework_and_device(
    framework: str, device: str, variant: str, names: tuple[str, ...]
) -> None:
    assert switches(Cell(framework, "1", "3.8.0", "3.11", device, variant)) == names
