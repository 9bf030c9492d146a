"""Known failures: read strictly, kept by hand, brought up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.judge import Expectation, expectations, expectations_file
from runner.judge.expectations_file import Seen, updated
from runner.model import Cell, Sample, Status
from runner.util import folders

TORCH = Cell("torch", "2.2.2", "3.15.1", "3.11", "cpu")
JAX = Cell("jax", "0.10.2", "3.8.0", "3.11", "cpu")


def read(tmp_path: Path, entry: str, schema: int = 1) -> tuple[Expectation, ...]:
    path = tmp_path / "expectations.toml"
    path.write_text(f"schema = {schema}\n[[expect]]\n{entry}\n")
    return expectations_file.load(path)


def test_the_shipped_file_covers_what_is_known_to_fail() -> None:
    known = expectations_file.load(folders.matrix_dir() / "expectations.toml")
    seen = {
        TORCH: ("conv2d", Status.IMPORT_FAILED),
        JAX: ("mnist", Status.CRASHED),
        Cell("jax", "0.10.2", "3.9.2", "3.11", "cpu"): ("mnist", Status.CRASHED),
        Cell("numpy", "2.4.6", "3.11.3", "3.11", "cpu"): ("mnist", Status.UNSUPPORTED),
    }
    for cell, (probe, status) in seen.items():
        found = expectations.expected_status(known, cell, probe)
        assert found is not None
        assert found.status == status
    works = Cell("jax", "0.10.2", "3.10.0", "3.11", "cpu")
    assert expectations.expected_status(known, works, "mnist") is None


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ('cell = "a"\nstat = "crashed"', "unknown key 'stat' in expect[0], line 4 (did you mean 'status'"),
        ('cell = "a"\nstatus = "crash"', "no failing status 'crash' (did you mean 'crashed'?)"),
        ('cell = "a"\nstatus = "ok"', "no failing status 'ok'"),
        ('cell = "a"', "give either status or metric"),
        ('cell = "a"\nstatus = "crashed"\nmetric = "m"', "give either status or metric"),
        ('cell = "a"\nstatus = "crashed"\nlast-bad = "3.9.2"', "last-bad is a package and a version"),
        ('cell = "a"\nstatus = "crashed"\nissue = "#1"', "issue is an address"),
        ('status = "crashed"', "the key 'cell' is missing in expect[0]"),
        ("cell = ", "not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, entry: str, says: str) -> None:
    with pytest.raises(UsageError) as error:
        read(tmp_path, entry)
    assert says in str(error.value)
    assert "expectations.toml" in str(error.value)


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="schema 2, this program reads 1"):
        read(tmp_path, 'cell = "a"\nstatus = "crashed"', schema=2)


def test_no_file_expects_nothing(tmp_path: Path) -> None:
    assert expectations_file.load(tmp_path / "none.toml") == ()


@pytest.mark.parametrize(
    ("last_bad", "covered"),
    [
        ("", True),
        ("keras-3.8.0", True),
        ("keras-3.10.0", True),
        ("keras-3.7.9", False),
        ("torch-9.9", False),
        ("jax-0.9.9", False),
        ("jax-0.10.2", True),
    ],
)
def test_last_bad_bounds_the_package_it_names(last_bad: str, covered: bool) -> None:
    assert Expectation("jax-*", status=Status.CRASHED, last_bad=last_bad).covers(JAX, "mnist") == covered


# --- bringing the file up to date ------------------------------------------------------------------------------------

HEAD = "# by hand\n\nschema = 1\n"
ALL_TORCH = """# all of them
[[expect]]
cell = "torch-*"
status = "crashed"
issue = "https://example.org/1"
reason = "fell"
"""
ALL_JAX = '[[expect]]\ncell = "jax-*"\nprobe = "mnist"\nstatus = "crashed" # a remark\n'


def seen(cell: Cell, status: Status, probe: str = "mnist") -> Seen:
    reason = "" if status == Status.OK else "it fell"
    failed = Sample(cell, "", probe, {}, 0, 0, "host", status, reason) if reason else None
    return Seen(cell, probe, "", status, status != Status.OK, reason, failed)


def after(tmp_path: Path, *observed: Seen) -> tuple[str, tuple[Expectation, ...]]:
    """The new text, and what it reads as."""
    path = tmp_path / "expectations.toml"
    path.write_text(f"{HEAD}\n{ALL_TORCH}\n{ALL_JAX}")
    made = updated(path.read_text(), expectations_file.load(path), observed)
    path.write_text(made.text)
    return made.text, expectations_file.load(path)


def test_what_holds_and_what_was_not_measured_stays_as_it_is_written(tmp_path: Path) -> None:
    text, _ = after(tmp_path, seen(TORCH, Status.CRASHED))
    assert text == f"{HEAD}\n{ALL_TORCH}\n{ALL_JAX}"


def test_a_failure_that_is_gone_goes_with_its_comment(tmp_path: Path) -> None:
    text, _ = after(tmp_path, seen(TORCH, Status.OK))
    assert text == f"{HEAD}\n{ALL_JAX}"


def test_cells_that_still_fail_keep_an_entry_with_its_issue(tmp_path: Path) -> None:
    newer = Cell("torch", "2.13.0", "3.15.1", "3.11", "cpu")
    _, entries = after(tmp_path, seen(TORCH, Status.CRASHED), seen(newer, Status.OK))
    assert entries[-1] == Expectation(TORCH.id, "mnist", Status.CRASHED, issue="https://example.org/1", reason="fell")
    assert [entry.cell for entry in entries] == ["jax-*", TORCH.id]


def test_another_failure_replaces_the_expected_one(tmp_path: Path) -> None:
    _, entries = after(tmp_path, seen(TORCH, Status.OOM))
    assert [(entry.cell, entry.status) for entry in entries] == [("jax-*", Status.CRASHED), (TORCH.id, Status.OOM)]


def test_a_failing_import_is_one_entry_for_all_probes(tmp_path: Path) -> None:
    tf = Cell("tensorflow", "2.21.0", "3.15.1", "3.11", "cpu")
    _, entries = after(tmp_path, *(seen(tf, Status.IMPORT_FAILED, probe) for probe in ("mnist", "conv2d")))
    assert entries[-1] == Expectation(tf.id, "*", Status.IMPORT_FAILED, reason="it fell")
    assert len(entries) == 3


def test_a_worse_exact_figure_is_added_and_a_better_one_taken_out(tmp_path: Path) -> None:
    worse = Seen(JAX, "conv2d", "case.error_max", None, bad=True, reason='rounding -> "wrong"')
    text, entries = after(tmp_path, worse)
    assert entries[-1] == Expectation(JAX.id, "conv2d", metric="case.error_max", reason='rounding -> "wrong"')
    fine = Seen(JAX, "conv2d", "case.error_max", None, bad=False, reason="")
    assert updated(text, entries, [fine]).removed == entries[-1:]


@pytest.mark.parametrize(
    ("reason", "seen_reason", "expected"),
    [
        ("no attribute 'spmd_mode'", "AttributeError: module 'jax' has no attribute 'spmd_mode'", True),
        ("no attribute 'spmd_mode'", "TypeError: something else", False),
        ("", "anything at all", True),
    ],
)
def test_the_same_status_for_another_reason_is_another_failure(
    reason: str, seen_reason: str, *, expected: bool
) -> None:
    cell = Cell("jax", "0.10.2", "3.8.0", "3.11", "cpu")
    bad = Sample(cell, "e", "mnist", {}, 0, 0, "docker", Status.CRASHED, seen_reason)
    known = Expectation("jax-*", "mnist", Status.CRASHED, reason=reason)
    assert expectations.as_expected(known, bad) is expected


def test_what_another_file_expects_is_left_out_of_an_update() -> None:
    entries = (Expectation("torch-*_keras-3.15.1_*", status=Status.IMPORT_FAILED),)
    known = Seen(TORCH, "mnist", "", Status.IMPORT_FAILED, bad=True, reason="r", sample=_failed(Status.IMPORT_FAILED))
    other = Seen(TORCH, "mnist", "", Status.CRASHED, bad=True, reason="r", sample=_failed(Status.CRASHED))
    assert expectations_file.without([known, other], entries) == [other]


def _failed(status: Status) -> Sample:
    return Sample(TORCH, "e", "mnist", {}, 0, 0, "host", status, "r")
