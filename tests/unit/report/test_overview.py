"""The matrix as a matrix, as data and on a terminal of 80 columns."""

from __future__ import annotations

import io
import itertools
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from runner.model import Better, Cell, Comparison, Evidence, Kind, Metric, Sample, Skip, Status, Verdict
from runner.report import Finding, Report, Severity
from runner.report.formats import jsonout, markdown, terminal
from runner.report.marks import BASELINE, Mark
from runner.report.overview import ALONE, NO_CELL, SKIPPED, Block, overview

OLD = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")
NEW = Cell("torch", "2.15.0", "3.11.3", "3.11", "cpu")


def ran(cell: Cell, status: Status = Status.OK, probe: str = "mnist") -> Sample:
    metrics = (Metric("free.step_s", 0.1, Kind.TIMING, Better.LOWER, "s"),) if status is Status.OK else ()
    return Sample(cell, cell.id, probe, {}, 0, 0, "host", status, "", metrics)


def judged(baseline: Cell, candidate: Cell, verdict: Verdict, metric: str = "free.step_s", **more: Any) -> Comparison:
    made = Comparison(baseline.id, candidate.id, "version", "mnist", metric, verdict, "", Evidence(n=1))
    return replace(made, **more)


def symbols(block: Block) -> dict[str, str]:
    """The rows of a block as text: ``{"keras 3.11.3": "◆ ✗"}``."""
    return {name: " ".join(tile.symbol for tile in tiles) for name, tiles in block.rows}


def drawn(report: Report, width: int = 80, encoding: str = "utf-8") -> list[str]:
    """The overview's lines on a terminal: those between the findings and the first table."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    terminal.print(report, Console(file=stream, width=width))
    stream.seek(0)
    lines = [line.rstrip() for line in stream.read().splitlines()]
    names = {sample.cell.framework for sample in report.samples}
    first = next(n for n, line in enumerate(lines) if line.startswith("  ") and set(line.split()) <= names)
    last = next(n for n, line in enumerate(lines) if line.startswith("mnist "))
    return lines[first:last]


def matrix(frameworks: dict[str, int], kerases: tuple[str | None, ...], device: str = "cpu") -> list[Cell]:
    """Releases 1.0, 1.1 ... of each framework with every Keras."""
    return [
        Cell(framework, f"1.{n}.0", keras, "3.11", device)
        for framework, count in frameworks.items()
        for n in range(count)
        for keras in kerases
    ]


def test_seven_cells_are_a_block_per_device_with_releases_across_and_keras_down(quick: Report) -> None:
    cpu, cuda = overview(quick).blocks
    assert (cpu.name, cuda.name) == ("cpu", "cuda")
    assert cpu.columns == (
        ("tensorflow", "2.21.0"), ("torch", "2.2.2"), ("torch", "2.15.0"), ("jax", "0.10.2"), ("numpy", "2.4.6"),
    )  # fmt: skip
    assert symbols(cpu) == {"keras 3.8.0": "· · · ✗ ·", "keras 3.11.3": "◆ ◆ ✗ Δ ~", "keras 3.15.1": "· ~ · · ·"}
    assert symbols(cuda) == {"keras 3.11.3": "-"}


def test_a_terminal_shows_seven_cells_as_they_are(quick: Report) -> None:
    assert drawn(replace(quick, skips=())) == [
        "              tensorflow  torch          jax     numpy",
        "              2.21.0      2.2.2  2.15.0  0.10.2  2.4.6",
        "keras 3.8.0   ·           ·      ·       ✗       ·",
        "keras 3.11.3  ◆           ◆      ✗       Δ       ~",
        "keras 3.15.1  ·           ~      ·       ·       ·",
        "◆ baseline, which others are compared with  ✗ worse  ~ known failure",
        "Δ another framework or device, no regression",
        "",
    ]


def test_one_device_and_variant_need_no_heading(quick: Report) -> None:
    assert [block.name for block in overview(replace(quick, skips=())).blocks] == [""]


def test_a_variant_is_a_block_too() -> None:
    plain = replace(NEW, variant="no-onednn")
    assert [block.name for block in overview(Report((ran(NEW), ran(plain)), ())).blocks] == [
        "the plain cell",
        "no-onednn",
    ]


def test_a_cell_without_keras_is_the_first_row_and_named_native() -> None:
    (block,) = overview(Report((ran(NEW), ran(replace(NEW, keras=None)), ran(replace(NEW, keras="3.2.0"))), ())).blocks
    assert [name for name, _ in block.rows] == ["native", "keras 3.2.0", "keras 3.11.3"]


def test_versions_are_in_their_order_and_not_in_that_of_their_letters() -> None:
    cells = [replace(NEW, version=version, keras=keras) for version in ("2.10.0", "2.9.1") for keras in ("3.9", "3.10")]
    (block,) = overview(Report(tuple(map(ran, cells)), ())).blocks
    assert block.columns == (("torch", "2.9.1"), ("torch", "2.10.0"))
    assert [name for name, _ in block.rows] == ["keras 3.9", "keras 3.10"]


def test_a_cell_has_its_worst_verdict() -> None:
    order = (Verdict.SAME, Verdict.INCONCLUSIVE, Verdict.IMPROVED, Verdict.REGRESSED)
    marks = (Mark.SAME, Mark.UNDECIDED, Mark.BETTER, Mark.WORSE)
    metrics = ("free.step_s", "free.test_accuracy", "free.first_step_s", "peak_rss_bytes")
    for count in range(1, 5):
        some = [judged(OLD, NEW, v, m) for v, m in zip(order[:count], metrics, strict=False)]
        for shuffled in itertools.permutations(some):
            (block,) = overview(Report((ran(OLD), ran(NEW)), shuffled)).blocks
            assert [tile.mark for tile in block.rows[0][1]] == [Mark.NONE, marks[count - 1]]


def test_an_undecided_figure_that_is_no_headline_does_not_make_a_cell_undecided() -> None:
    same = judged(OLD, NEW, Verdict.SAME)
    for metric, symbol in (("import_s", "="), ("free.images_per_s", "="), ("free.first_step_s", "?")):
        report = Report((ran(OLD), ran(NEW)), (same, judged(OLD, NEW, Verdict.INCONCLUSIVE, metric)))
        assert symbols(overview(report).blocks[0]) == {"keras 3.11.3": f"{BASELINE} {symbol}"}
    worse = judged(OLD, NEW, Verdict.REGRESSED, "import_s")
    report = Report((ran(OLD), ran(NEW)), (same, worse))
    assert symbols(overview(report).blocks[0]) == {"keras 3.11.3": f"{BASELINE} ✗"}


def test_a_cell_that_failed_is_worse_even_without_a_comparison_and_one_that_was_skipped_is_not() -> None:
    skipped = replace(NEW, keras="3.15.1")
    report = Report((ran(OLD), ran(NEW, Status.CRASHED)), (), (Skip(skipped, Status.UNAVAILABLE, ""),))
    (block,) = overview(report).blocks
    assert symbols(block) == {"keras 3.11.3": f"{ALONE} ✗", "keras 3.15.1": f"{NO_CELL} {SKIPPED}"}
    assert dict(overview(report).legend)[SKIPPED] == "not measured"


def test_the_legend_has_what_is_there_and_nothing_else() -> None:
    report = Report((ran(OLD), ran(NEW)), (judged(OLD, NEW, Verdict.SAME),))
    assert overview(report).legend == (
        (BASELINE, "baseline, which others are compared with"),
        ("=", "no difference"),
    )
    assert overview(Report((), ())) == type(overview(report))((), ())


@pytest.mark.parametrize(
    ("frameworks", "kerases"),
    [
        ({"tensorflow": 4, "torch": 8, "jax": 7, "numpy": 1}, ("3.8.0", "3.11.3")),
        ({"tensorflow": 2, "torch": 2}, (None, *(f"3.{n}.1" for n in range(16)))),
        ({"tensorflow": 6, "torch": 7, "jax": 5, "numpy": 2}, (None, "3.4.1", "3.8.0", "3.11.3")),
    ],
)
@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_large_matrix_fits_the_terminal_and_shows_every_cell_once(
    frameworks: dict[str, int], kerases: tuple[str | None, ...], width: int
) -> None:
    cells = matrix(frameworks, kerases)
    assert 25 <= len(cells) <= 80
    lines = drawn(Report(tuple(map(ran, cells)), ()), width)
    assert max(map(len, lines)) <= width
    assert sum(
        line.split(maxsplit=1)[-1].count(ALONE) for line in lines if line.startswith(("keras", "native"))
    ) == len(cells)
    if len(cells) == 80:
        assert sum("tensorflow" in line for line in lines) == (2 if width == 40 else 1)


def test_every_symbol_stands_below_its_release() -> None:
    """Also where a framework's name is longer than its only release in a band."""
    cells = [Cell("tensorflow", f"2.{n}", None, "3.11", "cpu") for n in range(9)]
    cells += [Cell("torch", "2", "3.11.3", "3.11", "cpu")]
    for width in range(40, 81):
        lines = drawn(Report(tuple(map(ran, cells)), ()), width)
        assert max(map(len, lines)) <= width
        for names, releases, *rows in _bands(lines):
            for row in rows:
                for place, symbol in enumerate(row[12:], 12):
                    assert symbol in " ·" or releases[place] != " "
            if "torch" in names:
                assert releases[names.index("torch")] == "2"
                assert releases[names.index("torch") - 1] == " "


def _bands(lines: list[str]) -> list[list[str]]:
    bands: list[list[str]] = []
    for line in lines:
        if line.lstrip().startswith(("tensorflow", "torch")):
            bands.append([])
        if bands and line and line[0] in " nk":
            bands[-1].append(line)
    return bands


def test_two_devices_are_two_blocks_of_a_large_matrix() -> None:
    cells = [cell for device in ("cpu", "cuda") for cell in matrix({"tensorflow": 4, "torch": 8}, ("3.8.0",), device)]
    view = overview(Report(tuple(map(ran, cells)), ()))
    assert [(block.name, len(block.columns)) for block in view.blocks] == [("cpu", 12), ("cuda", 12)]


def test_a_hostile_version_neither_breaks_the_line_nor_widens_it() -> None:
    hostile = replace(NEW, version="9\x1b[31m" + "9" * 90)
    lines = drawn(Report((ran(OLD), ran(hostile)), ()))
    assert max(map(len, lines)) <= 80
    assert not any("\x1b" in line for line in lines)


def test_without_unicode_the_symbols_still_differ(quick: Report) -> None:
    lines = drawn(replace(quick, skips=()), encoding="ascii")
    assert lines[3] == "keras 3.11.3  >           >      x       d       ~"
    assert lines[5].startswith("> baseline, which others are compared with  x worse  ~ known failure")


def test_json_and_markdown_have_the_same_cells(quick: Report) -> None:
    block = jsonout.to_dict(quick)["overview"][0]
    assert block["columns"][:2] == ["tensorflow 2.21.0", "torch 2.2.2"]
    assert block["rows"][0] == {
        "keras": "keras 3.8.0",
        "cells": [{"id": "jax-0.10.2_keras-3.8.0_py3.11_cpu", "verdict": "worse", "symbol": "✗"}],
    }
    assert "| keras 3.11.3 | ◆ | ◆ | ❌ | Δ | 🟣 |\n" in markdown.render(quick)


def test_a_figure_that_cannot_be_used_is_not_comparable_and_no_question_of_runs() -> None:
    unusable = judged(OLD, NEW, Verdict.INCONCLUSIVE, evidence=Evidence(n=0))
    report = Report((ran(OLD), ran(NEW)), (unusable,))
    assert symbols(overview(report).blocks[0]) == {"keras 3.11.3": f"{BASELINE} ≠"}


def test_what_the_reader_must_know_about_the_baseline_stands_below_the_matrix() -> None:
    odd, general = "keras 3.11.3 against the metadata of torch", "the data are synthetic"
    samples = (replace(ran(OLD), notes=(odd, general)), replace(ran(NEW), notes=(general,)))
    report = Report(samples, (judged(OLD, NEW, Verdict.SAME),))
    assert overview(report).baseline_notes == (odd,)
    assert f"The baseline: {odd}" in drawn(report)
    assert overview(Report(samples, ())).baseline_notes == ()


def test_a_cell_that_does_not_run_is_never_without_a_difference() -> None:
    """Where the baseline fails too, the comparison of the two says ``same``."""
    first, second = (Cell("torch", version, "3.11.3", "3.11", "cpu") for version in ("2.2.2", "2.15.0"))
    for status, symbol in ((Status.CRASHED, "✗"), (Status.UNAVAILABLE, SKIPPED)):
        samples = tuple(replace(ran(cell), status=status, metrics=()) for cell in (first, second))
        both = Comparison(
            first.id, second.id, "version", samples[0].probe, "status", Verdict.SAME, "neither runs",
            baseline_value=str(status), candidate_value=str(status),
        )  # fmt: skip
        (block,) = overview(Report(samples, (both,))).blocks
        assert symbols(block) == {"keras 3.11.3": f"{symbol} {symbol}"}


@pytest.mark.parametrize(
    ("severity", "mark"),
    [(Severity.REGRESSED, Mark.WORSE), (Severity.EXPECTED, Mark.EXPECTED), (Severity.DIFFERENT, Mark.SAME)],
)
def test_a_defect_of_a_sweep_shows_in_the_cells_that_have_it(severity: Severity, mark: Mark) -> None:
    found = Finding(severity, "ops.median: wrong value", (NEW.id, "a cell that is not here"))
    same = judged(OLD, NEW, Verdict.SAME)
    report = Report((ran(OLD), ran(NEW)), (same,), extra=(found,))
    assert {tile.cell: tile.mark for tile in overview(report).blocks[0].rows[0][1]} == {
        OLD.id: Mark.NONE, NEW.id: mark
    }  # fmt: skip
