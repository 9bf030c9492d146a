"""Which cells show a defect, the axis that they share, and the versions and packages around it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.defects import cells
from runner.defects.defect import Defect
from runner.model import Cell, Sample, Status

BASE = Cell("torch", "2.2.2", "3.8.0", "3.11", "cpu")


def cell(framework: str = "torch", **changes: str) -> Cell:
    return replace(BASE, framework=framework, **changes)


@pytest.mark.parametrize(
    ("bad", "good", "words", "axes"),
    [
        ([cell(keras="3.0.5")], [cell()], "all cells with keras 3.0.5", ["keras"]),
        ([cell(version="2.1.0")], [cell()], "all cells with the framework's version 2.1.0", ["version"]),
        ([cell(variant="fallback")], [cell()], "all cells with variant fallback", ["variant"]),
        ([cell(device="cuda")], [cell()], "all cells with device cuda", ["device"]),
        ([cell(python="3.9")], [cell()], "all cells with python 3.9", ["python"]),
        ([cell(keras="3.0.5", version="2.1.0")], [cell()], "all cells with keras 3.0.5", ["keras"]),
        ([replace(BASE, keras=None)], [cell()], "all cells with keras native", ["keras"]),
        ([cell("jax")], [cell()], "all jax cells", ["framework"]),
        ([cell("jax"), cell("tensorflow")], [cell()], "all jax and tensorflow cells", ["framework"]),
        ([cell("jax"), cell("tensorflow", keras="3.0.5")], [cell("tensorflow")],
         "jax cells; tensorflow cells with keras 3.0.5", ["keras"]),
        ([cell(keras="3.0.5"), cell(version="2.1.0")], [cell(), cell(keras="3.0.5", version="2.1.0")],
         "all cells (torch-2.2.2_keras-3.0.5_py3.11_cpu, torch-2.1.0_keras-3.8.0_py3.11_cpu)", []),
        ([cell()], [], "all cells", []),
    ],
)  # fmt: skip
def test_cells_are_described_by_the_first_axis_that_parts_them(
    bad: list[Cell], good: list[Cell], words: str, axes: list[str]
) -> None:
    assert cells.described(bad, good, [*bad, *good]) == (words, axes)


PLAIN = [cell("tensorflow", keras=v) for v in ("3.5.0", "3.8.0", "3.9.2")]
EIGEN_ = cell("tensorflow", variant="no-onednn")


@pytest.mark.parametrize(
    ("bad", "good", "words", "axes"),
    [
        (PLAIN[:2], [PLAIN[2], EIGEN_], "all cells with keras 3.5.0 - 3.8.0 (not with variant no-onednn)",
         ["keras", "variant"]),
        ([*PLAIN[:2], EIGEN_], PLAIN[2:], "all cells with keras 3.5.0 - 3.8.0", ["keras"]),
        ([EIGEN_], PLAIN, "all cells with variant no-onednn", ["variant"]),
        ([PLAIN[0], EIGEN_], PLAIN[1:], "all cells with keras 3.5.0, and 3.8.0 with variant no-onednn",
         ["keras", "variant"]),
    ],
)  # fmt: skip
def test_a_variant_is_an_axis(bad: list[Cell], good: list[Cell], words: str, axes: list[str]) -> None:
    assert cells.described(bad, good, [*PLAIN, EIGEN_]) == (words, axes)


def test_a_cell_of_another_variant_bounds_nothing() -> None:
    assert cells.bounds(PLAIN[:1], [EIGEN_], ["keras"]) == (None, "3.5.0", None)
    assert cells.bounds([*PLAIN[:1], EIGEN_], PLAIN[1:], ["keras"]) == (None, "3.5.0", "3.8.0")
    (plain, variant) = cells.lines([PLAIN[0], EIGEN_], PLAIN[1:], "keras")
    assert (plain.name, plain.first_good) == ("tensorflow", "3.8.0")
    assert (variant.name, variant.first_good) == ("tensorflow with variant no-onednn", None)


def test_every_framework_keeps_its_own_bounds() -> None:
    bad = [cell(keras="3.5.0"), cell("jax", keras="3.5.0"), cell("jax", keras="3.8.0")]
    good = [cell(keras="3.8.0"), cell("jax", keras="3.9.2")]
    assert [(line.framework, line.last_bad, line.first_good) for line in cells.lines(bad, good, "keras")] == [
        ("jax", "3.8.0", "3.9.2"),
        ("torch", "3.5.0", "3.8.0"),
    ]
    assert cells.bounds(bad, good, ["keras"]) == (None, "3.5.0", "3.9.2")
    assert cells.bounds(bad, good[:1], ["keras"]) == (None, "3.5.0", None), "3.8.0 is bad on jax"


def test_where_no_cell_is_good_the_silent_ones_part_without_an_axis() -> None:
    bad, silent = [cell(keras="3.9.2")], cell(keras="3.0.5")
    assert cells.described(bad, [], [*bad, silent]) == ("all cells with keras 3.9.2", [])


def test_versions_in_a_row_are_a_range_and_a_good_one_ends_it() -> None:
    bad = [cell(keras=v) for v in ("3.10.0", "3.9.2", "3.12.4", "3.0.5")]
    good = [cell(keras="3.11.3"), cell(keras="3.8.0")]
    words, _ = cells.described(bad, good, [*bad, *good])
    assert words == "all cells with keras 3.0.5, 3.9.2 - 3.10.0, 3.12.4"


ONEDNN, EIGEN = cell("tensorflow"), cell("tensorflow", variant="no-onednn")


@pytest.mark.parametrize(
    ("bad", "good", "library"),
    [
        ([cell(), ONEDNN], [cell("jax"), EIGEN], "oneDNN"),
        ([cell("jax"), EIGEN], [cell(), ONEDNN], "XLA and Eigen"),
        ([ONEDNN], [EIGEN], "oneDNN"),
        ([cell(), ONEDNN], [cell("jax")], ""),  # the framework says as much, and no variant shows otherwise
        ([cell()], [cell("jax"), EIGEN], ""),  # one framework against others
        ([cell(), ONEDNN], [EIGEN, cell(keras="3.9.2")], ""),
        ([cell(), EIGEN], [cell("jax")], ""),
        ([cell(), ONEDNN], [], ""),
    ],
)
def test_a_kernel_library_is_named_where_it_says_more_than_the_framework(
    bad: list[Cell], good: list[Cell], library: str
) -> None:
    words, axes = cells.described(bad, good, [*bad, *good])
    assert (axes == ["kernel library"]) == bool(library)
    assert (words == f"cells whose kernels are {library}'s") == bool(library)


def test_a_framework_without_a_known_library_runs_its_own_kernels() -> None:
    assert cells.kernels(cell("numpy")) == "numpy"
    assert cells.kernels(EIGEN) == cells.kernels(cell("jax")) == "XLA and Eigen"
    assert cells.kernels(ONEDNN) == cells.kernels(cell(variant="no-onednn")) == "oneDNN"


@pytest.mark.parametrize(
    ("bad", "good", "found"),
    [
        (["3.8.0", "3.9.2"], ["3.0.5", "3.5.0", "3.10.0", "3.12.4"], ("3.5.0", "3.8.0", "3.10.0")),
        (["3.8.0"], ["3.9.2"], (None, "3.8.0", "3.9.2")),
        (["3.8.0"], ["3.0.5"], ("3.0.5", "3.8.0", None)),
        (["3.0.5", "3.9.2"], ["3.8.0"], (None, "3.0.5", None)),
        (["3.8.0"], [], (None, "3.8.0", None)),
    ],
)
def test_bounds_are_the_good_versions_next_to_the_bad_ones(
    bad: list[str], good: list[str], found: tuple[str | None, ...]
) -> None:
    assert cells.bounds([cell(keras=v) for v in bad], [cell(keras=v) for v in good], ["framework", "keras"]) == found


def test_bounds_follow_the_frameworks_version_and_its_own_cells() -> None:
    bad = [cell(version="2.2.2")]
    good = [cell(version="2.1.0"), cell("jax", version="2.2.0"), cell(version="2.13.0")]
    assert cells.bounds(bad, good, ["version"]) == ("2.1.0", "2.2.2", "2.13.0")
    assert cells.bounds([replace(BASE, keras=None)], [], ["framework"]) == (None, None, None)


def sample(of: Cell, **packages: str) -> Sample:
    return Sample(of, "e", "ops", {"n": 1, "s": "x"}, 0, 0, "host", Status.OK, "", packages=packages)


def test_packages_are_compared_between_the_cells_that_have_most_in_common() -> None:
    samples = [
        sample(cell(keras="3.9.2"), keras="3.9.2", numpy="2.0", rich="13"),
        sample(cell(keras="3.8.0"), keras="3.8.0", numpy="1.26", rich="13"),
        sample(cell(keras="3.0.5"), keras="3.0.5"),
        sample(cell(keras="3.9.2", version="2.1.0", python="3.9"), keras="3.9.2", torch="2.1.0"),
        sample(cell("jax", keras="3.9.2"), keras="3.9.2", jax="1"),
    ]
    expected = ("keras 3.8.0 -> 3.9.2", "numpy 1.26 -> 2.0")
    assert cells.packages([0], [1, 2, 3, 4], samples) == expected
    assert cells.packages([1], [0], samples) == expected, "the older one comes first"
    assert cells.packages([0], [3], samples)[1:] == ("rich absent -> 13", "torch 2.1.0 -> absent")
    assert cells.packages([0], [4], samples) == () == cells.packages([0], [], samples)


def made(bad: list[Sample], good: list[Sample]) -> Defect:
    return cells.defect(
        "ops.f", "raises", 6, range(len(bad)), range(len(bad), len(bad) + len(good)), [*bad, *good],
        op="ops.f", kind="raises", pattern="", cases=("c",), observed="o", script="s",
    )  # fmt: skip


def test_a_package_is_named_where_keras_and_the_framework_do_not_explain_the_defect() -> None:
    old, new = {"numpy": "2.0.2", "wrapt": "1"}, {"numpy": "2.4.6", "wrapt": "2"}
    both = made([sample(cell("jax"), **new), sample(cell("torch"), **new)], [sample(cell("tensorflow"), **old)])
    assert (both.axis, both.packages) == ("numpy 2.0.2 -> 2.4.6, framework", ("numpy 2.0.2 -> 2.4.6",))
    one = made([sample(cell("jax"), **new)], [sample(cell("tensorflow"), **old)])
    assert (one.axis, one.packages) == ("framework", ("numpy 2.0.2 -> 2.4.6",)), "one framework explains it as well"
    keras = made([sample(cell(keras="3.5.0"), **new)], [sample(cell(), **old)])
    assert keras.axis == "keras"
    same = made([sample(cell("jax"), **old), sample(cell("torch"), **old)], [sample(cell("tensorflow"), **old)])
    assert (same.axis, same.packages) == ("framework", ())
    twice = made([sample(cell(), **new)], [sample(cell(), **old)])
    assert twice.axis == "numpy 2.0.2 -> 2.4.6"


def test_a_package_that_the_message_names_is_listed() -> None:
    samples = [sample(cell(keras=v), keras=v, numpy="2.0.2") for v in ("3.3.3", "3.5.0")]
    message = "AttributeError: `np.Inf` was removed in the NumPy 2.0 release. Use `np.inf` instead."
    fields = {"op": "f", "kind": "raises", "pattern": "", "cases": ("c",), "script": ""}
    found = cells.defect("f", "raises", 6, [0], [1], samples, observed=message, **fields)
    assert found.packages == ("keras 3.3.3 -> 3.5.0", "numpy 2.0.2, which the message names")


def test_the_nearest_release_of_keras_counts_by_its_first_number_that_differs() -> None:
    samples = [sample(cell(keras=v), keras=v) for v in ("3.9.0", "3.8.9", "3.9.2", "2.9.0")]
    assert cells.packages([0], [1, 2], samples) == ("keras 3.9.0 -> 3.9.2",)
    assert cells.packages([0], [1, 3], samples) == ("keras 3.8.9 -> 3.9.0",)


def test_the_newest_cell_is_the_one_with_the_newest_keras_then_framework() -> None:
    samples = [sample(cell(keras=k, version=v)) for k, v in (("3.9.2", "9"), ("3.10.0", "2.2"), ("3.10.0", "2.13"))]
    assert cells.newest([0, 1, 2], samples) == 2
    assert cells.newest([0, 1], samples) == 1


def test_a_cell_is_named_by_its_versions() -> None:
    assert cells.versions(BASE) == "torch 2.2.2, keras 3.8.0, Python 3.11, cpu"
    assert cells.versions(replace(BASE, keras=None)) == "torch 2.2.2, without Keras, Python 3.11, cpu"


def test_a_cell_is_measured_again_with_its_probe_and_settings() -> None:
    text = cells.measuring(sample(BASE))
    compile(text, "script", "exec")
    assert text.startswith('"""Measures torch-2.2.2_keras-3.8.0_py3.11_cpu with the probe ops once more."""\n')
    words = text.partition("sys.executable, ")[2].partition("]")[0]
    assert words == (
        "'-m', 'runner', 'matrix', '--only', 'torch-2.2.2_keras-3.8.0_py3.11_cpu', '--probe', 'ops', '--fresh', "
        "'--setting', 'ops.n=1', '--setting', 'ops.s=\"x\"'"
    )


def test_a_defect_is_placed_by_its_cells() -> None:
    samples = [sample(cell(keras=v)) for v in ("3.0.5", "3.8.0", "3.9.2", "3.10.0")]
    made = cells.defect(
        "ops.f", "wrong value", 8, {1}, {2, 0}, samples,
        op="ops.f", kind="wrong value", pattern="", cases=("c",), observed="o", script="s",
    )  # fmt: skip
    assert made.title == "ops.f: wrong value - all cells with keras 3.8.0"
    assert (made.severity, made.where, made.axis) == (8, "all cells with keras 3.8.0", "keras")
    assert made.cells == (samples[1].cell.id,)
    assert made.good == (samples[0].cell.id, samples[2].cell.id)
    assert (made.last_good, made.first_bad, made.first_good) == ("3.0.5", "3.8.0", "3.9.2")
    assert cells.parted({1}, (), samples).ran == [one.cell for one in samples]
