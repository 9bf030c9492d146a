"""A set with the user's builds in the place of its releases."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from runner.errors import UsageError
from runner.matrix import selection, sets
from runner.matrix.selection import Chosen
from runner.model import Cell, Status

OLD = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")
NEW = replace(OLD, version="2.15.0")
JAX = Cell("jax", "0.10.2", "3.8.0", "3.11", "cpu")
NATIVE = replace(JAX, keras=None)
OWN = "3.16.0+g1a2b3c4"


def whole(*cells: Cell, **more: object) -> Chosen:
    definition = msgspec.structs.replace(sets.Set("d"), **more)
    return Chosen("s", sets.load(), definition, cells or (OLD, replace(OLD, keras="3.8.0"), NEW, JAX, NATIVE), (), ())


def ids(found: Chosen) -> list[str]:
    return [cell.id for cell in found.cells]


def test_a_build_of_keras_takes_the_place_of_every_release_of_it() -> None:
    assert ids(selection.with_sources(whole(), (), {"keras": OWN})) == [
        f"torch-2.2.2_keras-{OWN}_py3.11_cpu",
        f"torch-2.15.0_keras-{OWN}_py3.11_cpu",
        f"jax-0.10.2_keras-{OWN}_py3.11_cpu",
    ]


def test_a_build_of_a_framework_leaves_out_the_others() -> None:
    assert ids(selection.with_sources(whole(), (), {"jax": "0.11.0+g1a2b3c4"})) == [
        "jax-0.11.0+g1a2b3c4_keras-3.8.0_py3.11_cpu",
        "jax-0.11.0+g1a2b3c4_native_py3.11_cpu",
    ]


def test_a_release_runs_next_to_the_build_in_cells_that_differ_in_nothing_else() -> None:
    assert ids(selection.with_sources(whole(), (), {"keras": OWN}, "3.15.1")) == [
        "torch-2.2.2_keras-3.15.1_py3.11_cpu",
        f"torch-2.2.2_keras-{OWN}_py3.11_cpu",
        "torch-2.15.0_keras-3.15.1_py3.11_cpu",
        f"torch-2.15.0_keras-{OWN}_py3.11_cpu",
        "jax-0.10.2_keras-3.15.1_py3.11_cpu",
        f"jax-0.10.2_keras-{OWN}_py3.11_cpu",
    ]


@pytest.mark.parametrize(
    ("pattern", "count"),
    [("torch-2.2.2_keras-3.8.0_*", 2), ("jax-*", 2), ("*_keras-3.15.1_*", 3), (f"*_keras-{OWN}_*", 3)],
)
def test_patterns_fit_the_cells_of_the_set_or_the_new_ones(pattern: str, count: int) -> None:
    assert len(selection.with_sources(whole(), (pattern,), {"keras": OWN}, "3.15.1").cells) == count


def test_a_project_that_is_not_an_axis_is_installed_in_all_environments() -> None:
    found = selection.with_sources(whole(packages=["scipy"]), (), {"keras-hub": "0.30+g1a2b3c4"})
    assert found.definition.packages == ["scipy", "keras-hub==0.30+g1a2b3c4"]
    assert found.cells == whole().cells


def test_what_the_set_leaves_out_stays_left_out() -> None:
    exclude = [sets.Exclude("jax-*_keras-3.16*", "known")]
    found = selection.with_sources(whole(exclude=exclude), (), {"keras": OWN})
    assert [(skip.cell.id, skip.status, skip.reason) for skip in found.skips] == [
        (f"jax-0.10.2_keras-{OWN}_py3.11_cpu", Status.SKIPPED, "known")
    ]
    assert found.skips[0].cell not in found.cells


@pytest.mark.parametrize(
    ("only", "versions", "against", "reason"),
    [
        ((), {"tensorflow": "2.22.0+g1"}, "", "no cell of the set 's' has tensorflow"),
        (("tensorflow-*",), {"keras": OWN}, "", "'tensorflow-*' matches no cell of the set 's' with keras"),
        ((), {"keras": OWN, "jax": "0.11.0+g1"}, "3.15.1", "--against goes with one --source or --wheel"),
        ((), {"keras-hub": "0.30+g1"}, "0.29", "--against goes with one --source or --wheel"),
    ],
)
def test_what_cannot_be_is_refused(only: tuple[str, ...], versions: dict[str, str], against: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        selection.with_sources(whole(), only, versions, against)
    assert str(caught.value).startswith(reason)
