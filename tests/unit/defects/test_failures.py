"""Cells that do not run: one defect per reason, with what still runs."""

from __future__ import annotations

import pytest

from runner.defects import failures
from runner.model import Cell, Sample, Status


def sample(
    keras: str | None, status: Status = Status.OK, reason: str = "", probe: str = "mnist", framework: str = "torch"
) -> Sample:
    cell = Cell(framework, "2.2.2", keras, "3.11", "cpu")
    packages = {"keras": keras} if keras else {}
    return Sample(cell, "e", probe, {}, 0, 0, "host", status, reason, packages=packages)


@pytest.mark.parametrize(
    ("status", "words", "severity"),
    [
        (Status.IMPORT_FAILED, "import: does not import", 10),
        (Status.CRASHED, "mnist: crashes", 9),
        (Status.OOM, "mnist: runs out of memory", 8),
        (Status.TIMEOUT, "mnist: does not finish in time", 7),
        (Status.BAD_OUTPUT, "mnist: gives no usable result", 7),
    ],
)
def test_every_way_to_fail_has_words_and_a_severity(status: Status, words: str, severity: int) -> None:
    (found,) = failures.defects([sample("3.9.2", status, "why"), sample("3.8.0")])
    assert found.title == f"{words} - all cells with keras 3.9.2"
    assert (found.severity, found.observed, found.last_good) == (severity, "why", "3.8.0")
    assert found.packages == ("keras 3.8.0 -> 3.9.2",)
    assert ("runner" in found.script) == (status is not Status.IMPORT_FAILED)


@pytest.mark.parametrize(
    "status", [Status.OK, Status.UNAVAILABLE, Status.BUILD_FAILED, Status.SKIPPED, Status.UNSUPPORTED]
)
def test_other_statuses_say_nothing_about_the_cell(status: Status) -> None:
    assert failures.defects([sample("3.9.2", status, "why")]) == []


def test_reasons_that_differ_in_numbers_and_addresses_are_one() -> None:
    one = sample("3.9.2", Status.CRASHED, "at 0x7f3a line 12")
    other = sample("3.8.0", Status.CRASHED, "at 0xbb line 7")
    assert len(failures.defects([one, other])) == 1
    assert len(failures.defects([one, sample("3.8.0", Status.CRASHED, "in line 12")])) == 2


def test_an_import_fails_for_all_probes_and_a_crash_for_its_own() -> None:
    def failed(status: Status) -> list[str]:
        return [d.op for d in failures.defects([sample("3.9.2", status, "x", p) for p in ("mnist", "conv2d")])]

    assert failed(Status.IMPORT_FAILED) == ["import"]
    assert failed(Status.CRASHED) == ["mnist", "conv2d"]


def test_good_cells_are_of_the_same_framework_and_probe_and_ran_well() -> None:
    samples = [
        sample("3.9.2", Status.CRASHED, "x"),
        sample("3.8.0"),
        sample("3.5.0", Status.TIMEOUT, "y"),
        sample("3.0.5", probe="conv2d"),
        sample("3.0.5", framework="jax"),
    ]
    crash = next(found for found in failures.defects(samples) if found.kind == "crashes")
    assert crash.good == ("torch-2.2.2_keras-3.8.0_py3.11_cpu",)
    assert crash.cases == ("mnist",)


@pytest.mark.parametrize(
    ("framework", "keras", "lines"),
    [
        ("torch", "3.9.2", ["import os", "", 'os.environ["KERAS_BACKEND"] = "torch"', "", "import keras", "",
                            "print(keras.__version__)"]),
        ("torch", None, ["import torch", "", "print(torch.__version__)"]),
        ("mxnet", None, ["import mxnet", "", "print(mxnet.__version__)"]),
    ],
)  # fmt: skip
def test_a_script_shows_the_import(framework: str, keras: str | None, lines: list[str]) -> None:
    (found,) = failures.defects([sample(keras, Status.IMPORT_FAILED, "x", framework=framework)])
    head, _, *rest = found.script.splitlines()
    assert head.startswith(f'"""Does not import with {framework} 2.2.2, ')
    assert rest == lines
