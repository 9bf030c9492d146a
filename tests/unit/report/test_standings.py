"""The list of ``runner defects``: what is wrong in the newest release first."""

from __future__ import annotations

from collections.abc import Sequence

from runner.defects import Defect, cells
from runner.model import Cell, Sample, Status
from runner.report import standings
from runner.report.standings import Standing

RELEASES = ("3.5.0", "3.8.0", "3.9.2")
CELLS = [Cell(framework, "1.0", keras, "3.11", "cpu") for framework in ("jax", "torch") for keras in RELEASES]
SAMPLES = [Sample(cell, "e", "ops", {}, 0, 0, "host", Status.OK, "") for cell in CELLS]
LATEST = standings.newest(CELLS)


def at(*releases: str, framework: str = "torch") -> list[int]:
    return [i for i, cell in enumerate(CELLS) if cell.framework == framework and cell.keras in releases]


def defect(name: str, bad: Sequence[int], severity: int = 8, kind: str = "wrong value", op: str = "") -> Defect:
    good = [i for i in range(len(CELLS)) if i not in bad]
    return cells.defect(
        name, kind, severity, bad, good, SAMPLES,
        op=op or name, kind=kind, pattern="", cases=(f"{name}(x)",), observed="got 1; expected 2", script="print(1)\n",
    )  # fmt: skip


NEW = defect("ops.new", at("3.9.2"))
LOST = defect("ops.lost", at("3.8.0", "3.9.2"))
ALWAYS = defect("ops.always", at(*RELEASES))
PAST = defect("ops.past", at("3.5.0", "3.8.0"))


def listed(*found: Defect, whole: bool = False) -> list[str]:
    ordered = standings.ordered(found, SAMPLES)
    return list(standings.lines(ordered, SAMPLES, (), whole=whole, command="runner defects out"))


def test_the_newest_cells_have_the_newest_framework_and_keras() -> None:
    assert {f"{framework}-1.0_keras-3.9.2_py3.11_cpu" for framework in ("jax", "torch")} == LATEST
    older = Cell("jax", "0.9", "3.10.0", "3.11", "cpu")
    assert standings.newest([*CELLS, older]) == LATEST, "an older framework with a newer Keras is not the newest cell"
    variant = Cell("jax", "1.0", "3.5.0", "3.11", "cpu", "x64")
    assert standings.newest([*CELLS, variant]) == LATEST | {variant.id}


def test_a_defect_stands_by_its_newest_cells() -> None:
    found = [standings.standing(one, LATEST) for one in (NEW, LOST, ALWAYS, PAST)]
    assert found == [Standing.NEW, Standing.LOST, Standing.ALWAYS, Standing.PAST]


def test_what_is_wrong_now_comes_first_and_the_gravest_within() -> None:
    grave, slight = defect("ops.grave", at("3.9.2"), 9), defect("ops.slight", at("3.9.2"), 1)
    assert standings.ordered([PAST, ALWAYS, slight, LOST, grave], SAMPLES) == [grave, slight, LOST, ALWAYS, PAST]


def test_the_list_has_a_line_each_and_counts_what_is_right_again() -> None:
    assert listed(PAST, ALWAYS, LOST, NEW) == [
        "Keras 3.5.0 - 3.9.2 (3 releases) on jax 1.0, torch 1.0; cpu; 6 cells, each probe once",
        "4 defects: 3 in the newest release, 1 right again",
        "",
        "New in the newest release (1)",
        "   1  ops.new: wrong value; right in 3.8.0 (torch)",
        "",
        "Right in an older release, wrong in the newest (1)",
        "   2  ops.lost: wrong value; right until 3.5.0 (torch)",
        "",
        "Wrong in every release that was tried, or from the first that has it (1)",
        "   3  ops.always: wrong value; from 3.5.0 (torch)",
        "",
        "Next: runner defects out --show 1     evidence and script of one",
        "      runner defects out --report 1   as an issue for its project",
        "      runner defects out --all        every line, also what is right again",
    ]
    assert "   4  ops.past: wrong value; first good 3.9.2 (torch)" in listed(PAST, ALWAYS, LOST, NEW, whole=True)


def test_a_long_section_is_cut_and_says_so() -> None:
    many = [defect(f"ops.f{n}", at(*RELEASES)) for n in range(standings.SHOWN + 3)]
    assert "      and 3 more" in listed(*many)
    assert len(listed(*many, whole=True)) == len(listed(*many)) + 3 - 1 - 1, "the count and --all are left out"


def test_nothing_found_offers_nothing() -> None:
    assert listed()[1:] == ["0 defects: 0 in the newest release, 0 right again"]


def test_one_cell_has_no_older_release() -> None:
    ran = SAMPLES[:1]
    (one,) = [defect("ops.f", [0])]
    text = list(standings.lines([one], ran, (), whole=False, command="x"))
    assert text[:4] == [
        "Keras 3.5.0 on jax 1.0; cpu; 1 cell, each probe once", "1 defect", "", "The gravest first",
    ]  # fmt: skip


def test_a_promise_and_a_long_line() -> None:
    promise = defect("saving: a file keeps its weights", at("3.9.2"), kind="is not so", op="saving: keeps")
    assert "   1  saving, not so: a file keeps its weights; right in 3.8.0 (torch)" in listed(promise)
    long = defect("ops." + "f" * 300, at("3.9.2"))
    (line,) = [line for line in listed(long) if line.startswith("   1")]
    assert len(line) == 150
    assert line.endswith("...; right in 3.8.0 (torch)")


def test_one_is_shown_with_evidence_and_script() -> None:
    promise = defect("saving: a file keeps its weights", at("3.9.2"), kind="is not so", op="saving: keeps")
    assert next(standings.shown(promise, ())).startswith("saving, not so: a file keeps its weights - ")
    assert list(standings.shown(NEW, ())) == [
        "ops.new: wrong value - all torch cells with keras 3.9.2",
        "  follows framework, keras; last good 3.8.0; first bad 3.9.2",
        "  got 1; expected 2",
        "",
        "print(1)",
    ]
