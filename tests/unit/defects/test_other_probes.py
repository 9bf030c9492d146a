"""Exact figures that are right or wrong by themselves, and names that change between releases."""

from __future__ import annotations

from typing import Any

import pytest

from runner.defects import other_probes
from runner.defects.defect import Defect
from runner.model import Better, Cell, Kind, Metric, Sample, Status


def sample(keras: str | None, *metrics: Metric, framework: str = "torch", **changes: Any) -> Sample:
    cell = Cell(framework, "2.2.2", keras, changes.pop("python", "3.11"), "cpu")
    made: dict[str, Any] = {"probe": "conv2d", "status": Status.OK, **changes}
    return Sample(cell, "e", made.pop("probe"), {}, 0, 0, "host", made.pop("status"), "", metrics, **made)


def exact(value: Any, name: str = "same.outcome") -> Metric:
    return Metric(name, value, Kind.EXACT)


def error(value: float | None, name: str = "same.error_max", terms: int | None = 576, unit: str = "u") -> Metric:
    return Metric(name, value, Kind.ERROR, Better.LOWER, unit, terms)


def found(*metrics: Metric, right: Metric | None = None) -> list[tuple[str, int]]:
    """Kind and severity of the defects of a cell with these figures next to a right one."""
    samples = [sample("3.9.2", *metrics), sample("3.8.0", *([right] if right else []))]
    return [(one.kind, one.severity) for one in other_probes.defects(samples, ())]


@pytest.mark.parametrize(
    ("metric", "kinds"),
    [
        (exact("wrong shape"), [("wrong shape", 7)]),
        (exact("not finite"), [("not finite", 8)]),
        (exact("raised"), [("raised", 6)]),
        (exact("ok"), []),
        (exact("unsupported"), []),
        (exact(3), []),
        (exact(False, "a.repeatable"), [("nondeterministic", 7)]),
        (exact(0, "a.repeatable"), [("nondeterministic", 7)]),
        (exact("no", "a.repeatable"), [("nondeterministic", 7)]),
        (exact(True, "a.repeatable"), []),
        (exact(1, "a.repeatable"), []),
        (exact("yes", "a.repeatable"), []),
        (Metric("a.repeatable", 0, Kind.INFO), []),
        (error(1.0), []),
        (error(700.0), [("tf32-like precision", 4)]),
        (error(5e6), [("wrong value", 8)]),
        (error(5e6, "same.error_rms"), []),
        (error(5e6, terms=None), []),
        (error(5e6, unit=""), []),
        (error(None), []),
    ],
)
def test_a_figure_is_judged_by_itself(metric: Metric, kinds: list[tuple[str, int]]) -> None:
    assert found(metric) == kinds


def test_figures_that_are_wrong_alike_in_the_same_cells_are_one_defect() -> None:
    wrong = [exact("wrong shape", f"case{n}.outcome") for n in range(5)]
    right = [exact("ok", f"case{n}.outcome") for n in range(5)]
    (one,) = other_probes.defects([sample("3.9.2", *wrong), sample("3.8.0", *right)], ())
    assert one.op == "conv2d: case0, case1, case2 and 2 more"
    assert one.title == "conv2d, case0, case1, case2 and 2 more: wrong shape - all cells with keras 3.9.2"
    assert one.cases == tuple(f"case{n}" for n in range(5))
    assert one.observed == "; ".join(f"case{n}.outcome: wrong shape" for n in range(3))
    assert one.good == ("torch-2.2.2_keras-3.8.0_py3.11_cpu",)
    three = other_probes.defects([sample("3.9.2", *wrong[:3]), sample("3.8.0", *right[:3])], ())
    assert three[0].op == "conv2d: case0, case1, case2"


def test_good_cells_are_those_in_which_all_figures_of_the_defect_are_right() -> None:
    wrong = [exact("raised", f"case{n}.outcome") for n in range(2)]
    half = sample("3.8.0", exact("ok", "case0.outcome"))
    whole = sample("3.5.0", exact("ok", "case0.outcome"), exact("ok", "case1.outcome"))
    (one,) = other_probes.defects([sample("3.9.2", *wrong), half, whole], ())
    assert one.good == ("torch-2.2.2_keras-3.5.0_py3.11_cpu",)
    (one,) = other_probes.defects([sample("3.9.2", *wrong), half], ())
    assert one.good == ("torch-2.2.2_keras-3.8.0_py3.11_cpu",), "where none is, those of the first"


def test_the_first_process_of_a_cell_counts_and_sweeps_and_failures_do_not() -> None:
    first, second = sample("3.9.2", exact("ok")), sample("3.9.2", exact("raised"))
    assert other_probes.defects([first, second], ()) == []
    assert len(other_probes.defects([second, first], ())) == 1
    for change in ({"probe": "ops"}, {"probe": "training"}, {"status": Status.CRASHED}):
        assert other_probes.defects([sample("3.9.2", exact("raised"), **change)], ()) == []


# --- changes between releases -----------------------------------------------------------------------------------------


def changed(*values: Any, name: str = "shuffle.generator", **changes: Any) -> list[Defect]:
    """The defects of releases 3.8.0, 3.9.2, 3.10.0 with these values."""
    samples = [
        sample(keras, exact(value, name), probe="parity", **changes)
        for keras, value in zip(("3.8.0", "3.9.2", "3.10.0"), values, strict=False)
    ]
    return other_probes.defects(samples, ())


def test_a_name_that_is_another_in_the_newest_release_is_a_change() -> None:
    (one,) = changed("numpy", "numpy", "jax")
    assert (one.kind, one.severity) == ("changed between versions", 1)
    assert (one.observed, one.where) == (
        "shuffle.generator was numpy and is jax", "all cells with keras 3.8.0 - 3.9.2",
    )  # fmt: skip
    assert one.good == ("torch-2.2.2_keras-3.10.0_py3.11_cpu",)
    assert [two.observed for two in changed("a", "b", "c")] == [
        "shuffle.generator was a and is c",
        "shuffle.generator was b and is c",
    ]


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (("a", "a", "a"), "x.y"),
        (([1], [1], [2]), "x.y"),
        (("a", "a", "b"), "x.shape"),
        (("a", "a", "b"), "x.initial_weights"),
        (("a" * 16, "b" * 16, "c" * 16), "x.y"),
        (("sha256:" + "a" * 64, "sha256:" + "b" * 64), "x.y"),
    ],
)
def test_digests_shapes_and_lists_do_not_change_names(values: tuple[Any, ...], name: str) -> None:
    assert changed(*values, name=name) == []


def test_short_words_of_hex_digits_are_names() -> None:
    assert len(changed("a" * 15, "b" * 15)) == 1


def test_a_change_is_one_of_keras_with_all_else_equal() -> None:
    old, new = exact("numpy", "x.y"), exact("jax", "x.y")
    assert other_probes.defects([sample("3.8.0", old), sample("3.9.2", new, python="3.12")], ()) == []
    assert other_probes.defects([sample("3.8.0", old), sample("3.9.2", new, framework="jax")], ()) == []
    assert other_probes.defects([sample(None, old), sample("3.9.2", new)], ()) == []
    assert len(other_probes.defects([sample("3.8.0", old), sample("3.9.2", new)], ())) == 1


# --- what the sweep says already --------------------------------------------------------------------------------------


def swept(op: str = "layers.Conv2D", kind: str = "wrong value", cells: int = 2) -> Defect:
    ids = ("torch-2.2.2_keras-3.9.2_py3.11_cpu", "torch-2.2.2_keras-3.8.0_py3.11_cpu")[:cells]
    return Defect(op, kind, 8, "t", "w", "", ids, (), None, None, None, "", (), "", "")


@pytest.mark.parametrize(
    ("defect", "left"),
    [(swept(), 0), (swept(op="ops.conv"), 0), (swept(op="ops.max"), 1), (swept(kind="raises"), 1), (swept(cells=0), 1),
     (swept(cells=1), 0)],
)  # fmt: skip
def test_a_convolution_that_the_sweep_finds_in_the_same_cells_is_left_to_it(defect: Defect, left: int) -> None:
    wrong = [sample("3.9.2", error(5e6)), sample("3.8.0", error(1.0))]
    assert len(other_probes.defects(wrong, [defect])) == left


def test_only_convolutions_are_left_to_the_sweep() -> None:
    wrong = [sample("3.9.2", error(5e6), probe="mnist"), sample("3.8.0", error(1.0), probe="mnist")]
    assert len(other_probes.defects(wrong, [swept()])) == 1
