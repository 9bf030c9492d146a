"""What a user's library needs: lines next to those of the axes, evaluated for each cell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.matrix import compat, plan
from runner.model import Cell, Custom
from runner.util import versions

TF = Cell("tensorflow", "2.18.1", "3.12.4", "3.11", "cpu")
LINUX = "linux-x86_64"
PINS = Custom(("numpy==2.0.2",))


def _requirements(cell: Cell, *lines: str, extras: tuple[str, ...] = ()) -> tuple[str, ...]:
    environment = plan.environment_of(cell, LINUX, PINS, plan.Needs(lines, extras))
    return compat.load().requirements(environment).requirements


def test_a_release_that_the_library_does_not_allow_stays_asked_for() -> None:
    lines = _requirements(TF, "keras>=3.13", "numpy>=1.20")
    assert {"keras==3.12.4", "keras>=3.13", "numpy==2.0.2", "numpy>=1.20"} <= set(lines)


def test_a_need_of_the_framework_is_about_the_distribution_that_is_installed() -> None:
    lines = _requirements(TF, "tensorflow>=2.16")
    (own,) = [line.partition("==")[0] for line in lines if line.endswith("==2.18.1")]
    assert f"{own}>=2.16" in lines
    assert len([line for line in lines if line.startswith("tensorflow")]) == 2
    torch = Cell("torch", "2.13.0", "3.12.4", "3.11", "cpu")
    assert "tensorflow>=2.16" in _requirements(torch, "tensorflow>=2.16")


@pytest.mark.parametrize(
    ("line", "extras", "found"),
    [
        ("numpy >=1, <3", (), ("numpy<3,>=1",)),
        ("x[b,a]~=1.2 ; python_version >= '3.11'", (), ("x[a,b]~=1.2",)),
        ("x; python_version < '3.11'", (), ()),
        ("x; sys_platform == 'darwin'", (), ()),
        ("x; platform_machine == 'x86_64'", (), ("x",)),
        ("x; extra == 'test'", (), ()),
        ("x; extra == 'test' and python_version >= '3.8'", ("test",), ("x",)),
    ],
)
def test_markers_are_those_of_the_cell(line: str, extras: tuple[str, ...], found: tuple[str, ...]) -> None:
    assert versions.requirements_for([line], extras, "3.11", LINUX) == found


def test_without_needs_an_environment_is_the_one_that_it_was() -> None:
    assert plan.environment_of(TF, LINUX).custom is None
    assert plan.environment_of(TF, LINUX, PINS).custom == PINS


def test_needs_and_debian_packages_are_parts_of_the_id() -> None:
    made = (PINS, replace(PINS, needs=("g++",)), replace(PINS, system=("g++",)))
    assert len({one.digest for one in made}) == 3
    both = plan.environment_of(TF, LINUX, replace(PINS, system=("g++",)), plan.Needs(("pytest",))).custom
    assert both == Custom(PINS.pins, needs=("pytest",), system=("g++",))


def test_a_need_of_keras_or_a_framework_is_about_the_nightly_build_that_the_cell_has() -> None:
    cell = replace(TF, version="2.23.0.dev20261026", keras="3.16.0.dev2026102704")
    lines = _requirements(cell, "keras>=3.9", "tensorflow>=2.16")
    assert {"keras-nightly>=3.9", "tf-nightly>=2.16"} <= set(lines)
    assert {line for line in lines if line.startswith(("keras>", "tensorflow"))} == set()
