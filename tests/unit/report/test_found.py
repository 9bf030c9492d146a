"""The page of findings: made between its marks, with versions, packages and variants in its head."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from runner.defects import cells
from runner.defects.defect import Defect
from runner.defects.known import Known
from runner.model import Cell, Sample, Status
from runner.report import found

CELLS = [Cell("torch", "2.13.0", keras, "3.11", "cpu") for keras in ("3.5.0", "3.8.0")]
CELLS.append(replace(CELLS[1], variant="no-onednn"))
SAMPLES = [
    Sample(
        cell, "e", "ops", {}, 0, 0, "host", Status.OK, "", packages={"numpy": "2.0.2", "scipy": f"1.{place}"},
        started=f"2026-11-2{place}T00:00:00+00:00",
    )
    for place, cell in enumerate(CELLS)
]  # fmt: skip


def defect(severity: int = 8, **more: Any) -> Defect:
    fields: dict[str, Any] = {
        "op": "ops.f", "kind": "wrong value", "pattern": "", "cases": ("ops.f(x) | x=normal(3)", "ops.f(y)"),
        "observed": "got [1.0]; expected [2.0]", "script": "", **more,
    }  # fmt: skip
    return cells.defect("ops.f", "wrong value", severity, [0], [1, 2], SAMPLES, **fields)


LISTED = (Known("ops.f", "*", "*", "https://github.com/keras-team/keras/issues/7"),)


def test_the_head_says_when_and_with_which_versions_packages_and_variants() -> None:
    text = found.page("", [defect()], SAMPLES, ())
    assert "1 findings of 3 cells, measured on 2026-11-20 to 2026-11-22:\n3 processes of ops.\n" in text
    assert "| torch 2.13.0 | 3.5.0, 3.8.0 | 3.11 | numpy 2.0.2, scipy 1.0/1.1 |" in text
    assert "| torch 2.13.0, variant no-onednn | 3.8.0 | 3.11 | numpy 2.0.2, scipy 1.2 |" in text


def test_an_entry_has_names_kind_cells_bounds_case_and_address() -> None:
    text = found.page("", [defect()], SAMPLES, LISTED)
    line = next(line for line in text.splitlines() if line.startswith("- "))
    assert line == (
        "- `ops.f`: wrong value. Bad: all cells with keras 3.5.0; first good 3.8.0. "
        "`ops.f(x) | x=normal(3)` and 1 more. [#7](https://github.com/keras-team/keras/issues/7)."
    ).replace("Bad: all cells", "Bad: cells")
    assert "No issue found." in found.page("", [defect()], SAMPLES, ())


def test_what_else_belongs_to_it_and_what_was_not_tried_is_in_the_line() -> None:
    text = found.page("", [defect(also=("raises in a graph",), untried=("torch 3.9.2",))], SAMPLES, ())
    assert "Also raises in a graph. Not tried: torch 3.9.2." in text


def test_sections_go_from_the_gravest_to_the_least() -> None:
    text = found.page("", [defect(10), defect(8), defect(1)], SAMPLES, ())
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings == [
        "## Wrong training, and processes that die",
        "## Wrong values and gradients",
        "## Symbolic types, and changes that are not defects",
    ]


def test_what_people_wrote_outside_the_marks_stays() -> None:
    old = f"# Title\n\nbefore\n\n{found.BEGIN}\nold list\n{found.END}\n\nafter\n"
    text = found.page(old, [defect()], SAMPLES, ())
    assert text.startswith(f"# Title\n\nbefore\n\n{found.BEGIN}\n")
    assert text.endswith(f"{found.END}\n\nafter\n")
    assert "old list" not in text
    assert found.page(text, [defect()], SAMPLES, ()) == text


def test_text_of_results_is_no_markup() -> None:
    text = found.page("", [defect(op="ops.`f`", also=("<b>*x*</b>",))], SAMPLES, ())
    assert "\\<b\\>\\*x\\*\\</b\\>" in text


def test_what_its_script_does_not_confirm_stands_apart() -> None:
    good, bad = defect(), defect(kind="wrong shape")
    verdicts = {good.key: ["confirmed", ""], bad.key: ["not confirmed", "the script ends well"]}
    text = found.page("", [good, bad], SAMPLES, (), verdicts)
    assert "1 confirmed, 1 not confirmed." in text
    before, _, after = text.partition("## Not confirmed by their scripts")
    assert before.count("- `ops.f`") == after.count("- `ops.f`") == 1
    assert "Not confirmed: the script ends well." in after
