"""The reports in matrix/expectations.toml: what is read, and which findings they are about."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.defects import known
from runner.errors import UsageError
from runner.judge import expectations_file
from runner.util import folders

FILE = """
schema = 1

[[defect]]
op = "layers.Conv?DTranspose"
kind = "wrong *"
cell = "torch-*"
issue = "https://example.org/1"

[[defect]]
op = "ops.median"
issue = "https://example.org/2"

[[expect]]
cell = "torch-1.0_*"
status = "crashed"
"""

CELLS = ["torch-2.2.2_keras-3.8.0_py3.11_cpu", "jax-0.4.35_keras-3.8.0_py3.11_cpu"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "expectations.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("op", "kind", "cells", "found"),
    [
        ("layers.Conv1DTranspose, layers.Conv2DTranspose", "wrong value", CELLS, ("https://example.org/1",)),
        ("layers.Conv1DTranspose", "raises", CELLS, ()),
        ("layers.Conv1DTranspose", "wrong shape", CELLS[1:], ()),
        ("ops.median", "raises in a graph", CELLS[1:], ("https://example.org/2",)),
        ("ops.nanmedian", "wrong value", CELLS, ()),
    ],
)
def test_a_report_is_about_its_functions_kinds_and_cells(
    file: Path, op: str, kind: str, cells: list[str], found: tuple[str, ...]
) -> None:
    assert known.issues(known.load(file), op, kind, cells) == found


def test_what_nobody_reported_can_be_listed_and_a_report_is_told_instead_where_there_is_one(tmp_path: Path) -> None:
    path = tmp_path / "expectations.toml"
    path.write_text('schema = 1\n[[defect]]\nop = "ops.*"\n[[defect]]\nop = "ops.a"\nissue = "https://e.org/1"\n')
    listed = known.load(path)
    assert known.issues(listed, "ops.b", "raises", CELLS) == ("",)
    assert known.issues(listed, "ops.a", "raises", CELLS) == ("https://e.org/1",)
    assert known.issues(listed, "layers.A", "raises", CELLS) == ()


def test_a_missing_file_knows_nothing(tmp_path: Path) -> None:
    assert known.load(tmp_path / "none.toml") == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('schema = 1\n[[defect]]\nop = "x"\nissue = "#12"\n', "issue is an address"),
        ('schema = 1\n[[defect]]\nop = "x"\nissues = "https://e.org"\n', "issue"),
        ("schema = 2\n", "schema 2"),
    ],
)
def test_a_malformed_report_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "expectations.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        known.load(path)


def test_rewriting_what_is_expected_leaves_the_reports_alone(file: Path) -> None:
    entries = expectations_file.load(file)
    assert len(entries) == 1
    made = expectations_file.updated(FILE, entries, [])
    assert made.text.count("[[defect]]") == 2


def test_every_report_of_this_project_is_kerass() -> None:
    path = folders.matrix_dir() / "expectations.toml"
    reports = known.load(path)
    assert reports
    reported = [report.issue for report in reports if report.issue]
    assert reported
    assert all(issue.startswith("https://github.com/keras-team/keras/") for issue in reported)
    text = path.read_text(encoding="utf-8")
    assert text.rindex("[[defect]]") < text.index("[[expect]]")
