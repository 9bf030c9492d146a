"""The words for cells, changes and failures: an example for each."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from runner.judge.settings import JudgeSettings
from runner.model import Better, Cell, Comparison, Evidence, Kind, Metric, Sample, Skip, Status, Verdict
from runner.report import Report, comparisons, numbers, textlines
from runner.report.data import EXIT_MEANINGS, exit_line
from runner.report.failures import not_measured
from runner.report.findings import findings, none_found
from runner.report.summary import combined, summarise
from runner.report.words import both, listed, times

OLD = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")
NEW = Cell("torch", "2.15.0", "3.11.3", "3.11", "cpu")
FREE = "free.step_s"


def _sample(cell: Cell, *metrics: Metric, status: Status = Status.OK, reason: str = "", probe: str = "p") -> Sample:
    return Sample(cell, cell.id, probe, {}, 0, 0, "host", status, reason, metrics)


def _moved(name: str, verdict: Verdict, effect: float | None, kind: Kind = Kind.TIMING, **more: Any) -> str:
    """The one finding about a metric that moved between two cells."""
    samples = tuple(_sample(cell, Metric(name, 1.0, kind, Better.LOWER, "s")) for cell in (OLD, NEW))
    made = Comparison(OLD.id, NEW.id, "version", "p", name, verdict, "the reason", Evidence(effect=effect))
    (found,) = findings(Report(samples, (replace(made, **more),)))
    return found.text.removeprefix("torch 2.15.0 with keras 3.11.3 ")


def _details(name: str, verdict: Verdict, kind: Kind, **more: Any) -> tuple[str, ...]:
    """The sentences below that finding."""
    samples = tuple(_sample(cell, Metric(name, 1.0, kind, Better.LOWER, "s")) for cell in (OLD, NEW))
    made = Comparison(OLD.id, NEW.id, "version", "p", name, verdict, "the reason")
    (found,) = findings(Report(samples, (replace(made, **more),)))
    return found.details


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (FREE, "takes {} as long per step as torch 2.2.2"),
        ("images_per_s", "has {} the images/s of torch 2.2.2"),
        ("first_step_s", "takes {} as long to its first step as torch 2.2.2"),
        ("fit_s", "takes {} as long to train as torch 2.2.2"),
        ("peak_rss_bytes", "has {} the peak memory of torch 2.2.2"),
        ("import_s", "takes {} as long to import as torch 2.2.2"),
        ("fit_cpu_s", "has {} the fit CPU time of torch 2.2.2"),
        ("time_s", "takes {} as long as torch 2.2.2"),
        ("test_loss", "has {} the test loss of torch 2.2.2"),
        ("a.widgets", "has {} the widgets of torch 2.2.2"),
    ],
)
def test_a_change_is_a_ratio_in_words(name: str, said: str) -> None:
    assert _moved(name, Verdict.REGRESSED, 1.0) == said.format("2.00 times")
    assert _moved(name, Verdict.IMPROVED, -0.5) == said.format("0.50 times")


def test_a_ratio_has_the_figures_that_the_table_shows() -> None:
    figures: dict[str, Any] = {"baseline_value": 0.0123, "candidate_value": 0.0161}
    assert _moved(FREE, Verdict.REGRESSED, 0.31, **figures) == (
        "takes 1.31 times as long per step as torch 2.2.2: 16.1 ms against 12.3 ms"
    )


def test_a_metric_in_two_modes_is_named_with_its_mode() -> None:
    metrics = tuple(Metric(f"{mode}.step_s", 1.0, Kind.TIMING, Better.LOWER, "s") for mode in ("free", "controlled"))
    samples = (_sample(OLD, *metrics), _sample(NEW, *metrics))
    made = Comparison(OLD.id, NEW.id, "version", "p", metrics[1].name, Verdict.REGRESSED, "", Evidence(effect=1.0))
    (found,) = findings(Report(samples, (made,)))
    assert found.text.endswith("takes 2.00 times as long per step as torch 2.2.2 in controlled")


def test_accuracy_is_a_ratio_only_where_its_figures_are_unknown() -> None:
    lower = _moved("test_accuracy", Verdict.REGRESSED, -0.1, Kind.SEEDED)
    assert lower == "has 0.90 times the test accuracy of torch 2.2.2"
    figures = {"baseline_value": 0.5, "candidate_value": 0.6, "evidence": Evidence(n=3, effect=0.2)}
    higher = _moved("test_accuracy", Verdict.IMPROVED, None, Kind.SEEDED, **figures)
    assert higher == "reaches 60.00 % test accuracy - torch 2.2.2 50.00 %"


@pytest.mark.parametrize(
    ("name", "before", "after", "said"),
    [
        ("test_accuracy", 0.5, 0.6, "10 points higher (3 runs each). Unexpectedly good: check that it is real."),
        ("test_loss", 0.5, 0.25, "0.25 lower (3 runs each). Unexpectedly good: check that it is real."),
    ],
)
def test_a_seeded_change_has_its_size_and_a_miracle_is_doubted(
    name: str, before: float, after: float, said: str
) -> None:
    figures = {"baseline_value": before, "candidate_value": after, "evidence": Evidence(n=3, effect=0.2)}
    assert _details(name, Verdict.IMPROVED, Kind.SEEDED, **figures) == (said,)


def test_what_is_not_a_ratio_is_told_by_reason_class_or_verdict() -> None:
    changed = Evidence(classification="tf32-like")
    assert _moved("a.bits", Verdict.REGRESSED, 2.0, Kind.EXACT) == "differs from torch 2.2.2 in bits: the reason"
    told = _moved("a.bits", Verdict.REGRESSED, None, Kind.EXACT, reason="", evidence=changed)
    assert told == "differs from torch 2.2.2 in bits: tf32-like"
    assert _moved("a.bits", Verdict.REGRESSED, None, Kind.EXACT, reason="").endswith("in bits: regressed")


@pytest.mark.parametrize(
    ("effect", "low", "high", "shown"),
    [
        (1.0, 0.5, 1.5, "Compared run by run, over 4 runs: 1.50 to 2.50 times."),
        (-0.5, -0.6, -0.2, "Compared run by run, over 4 runs: 0.40 to 0.80 times."),
        (-0.5, -1.0, -0.2, "Compared run by run, over 4 runs: 0 to 0.80 times."),
        (1.0, None, 1.5, ""),
        (1.0, 0.5, None, ""),
    ],
)
def test_a_ratio_has_its_interval(effect: float, low: float | None, high: float | None, shown: str) -> None:
    verdict = Verdict.REGRESSED if effect > 0 else Verdict.IMPROVED
    assert _details(FREE, verdict, Kind.TIMING, evidence=Evidence(4, effect, low, high)) == ((shown,) if shown else ())


def test_lists_and_ratios() -> None:
    assert [both(list("abc"[:n])) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert listed(list("abcd")) == "a, b, c, d"
    assert listed(list("abcdef")) == "a, b, c, d and 2 more"
    assert [times(effect) for effect in (0.0, 0.31, -0.5, 41.0)] == [
        "1.00 times",
        "1.31 times",
        "0.50 times",
        "42.0 times",
    ]


@pytest.mark.parametrize(
    ("status", "one", "two"),
    [
        (Status.IMPORT_FAILED, "does not import", "do not import"),
        (Status.CRASHED, "crashes", "crash"),
        (Status.OOM, "runs out of memory", "run out of memory"),
        (Status.TIMEOUT, "does not finish in time", "do not finish in time"),
        (Status.BAD_OUTPUT, "gives no usable result", "give no usable result"),
        (Status.BUILD_FAILED, "could not be built", "could not be built"),
        (Status.UNSUPPORTED, "does not support this", "do not support this"),
        (Status.UNAVAILABLE, "cannot run here", "cannot run here"),
        (Status.SKIPPED, "was skipped", "were skipped"),
    ],
)
def test_a_failure_has_its_verb(status: Status, one: str, two: str) -> None:
    def text(*cells: Cell) -> str:
        samples = tuple(_sample(cell, status=status, reason="why") for cell in cells)
        broken = tuple(
            Comparison(OLD.id, cell.id, "version", "p", "status", Verdict.BROKEN, "", baseline_value=Status.OK)
            for cell in cells
        )
        (found,) = findings(Report((_sample(OLD), *samples), broken))
        assert found.cells == tuple(cell.id for cell in cells)
        return found.text

    newest = replace(NEW, version="2.16.0")
    works = "does" if status is Status.IMPORT_FAILED else "works"
    assert text(NEW) == f"torch 2.15.0 with keras 3.11.3 {one} (torch 2.2.2 {works}): why"
    assert text(NEW, newest) == (
        f"torch 2.15.0 with keras 3.11.3 and torch 2.16.0 with keras 3.11.3 {two} (torch 2.2.2 {works}): why"
    )


def test_a_cell_that_runs_again_is_an_improvement() -> None:
    fixed = Comparison(OLD.id, NEW.id, "version", "p", "status", Verdict.FIXED, "")
    report = Report((_sample(OLD, status=Status.CRASHED), _sample(NEW)), (fixed, replace(fixed, probe="q")))
    assert "torch 2.15.0 with keras 3.11.3 runs p and q, which torch 2.2.2 does not" in [
        found.text for found in findings(report)
    ]


def test_a_cell_is_named_by_what_its_cells_differ_in() -> None:
    cuda = replace(OLD, device="cuda", keras=None)
    report = Report((), (), skips=tuple(Skip(cell, Status.UNAVAILABLE, "") for cell in (OLD, cuda)))
    assert not_measured(report) == (
        "torch 2.2.2 without Keras (cuda) and torch 2.2.2 with keras 3.11.3 (cpu): unavailable",
    )
    assert not_measured(replace(report, skips=report.skips[:1])) == ("torch 2.2.2 with keras 3.11.3: unavailable",)


def test_a_few_of_many_processes_are_counted() -> None:
    samples = (_sample(OLD), _sample(OLD, status=Status.UNAVAILABLE, reason="no GPU"))
    assert not_measured(Report(samples, ())) == (
        "torch 2.2.2 with keras 3.11.3: unavailable: p: 1 of 2 processes: no GPU",
    )


def test_no_finding_is_not_the_same_as_no_comparison() -> None:
    same = Comparison(OLD.id, NEW.id, "version", "p", FREE, Verdict.SAME, "")
    assert none_found(Report((), (same,))) == "None: no difference was found."
    for other in (replace(same, baseline=""), replace(same, verdict=Verdict.NOT_COMPARABLE)):
        assert none_found(Report((), (other,))) == "None: nothing could be compared."
    assert none_found(Report((), (replace(same, verdict=Verdict.NO_BASELINE),))) == "None: nothing could be compared."


def test_an_exit_code_has_its_meaning() -> None:
    assert EXIT_MEANINGS == {
        0: "nothing got worse",
        1: "something got worse or broke",
        2: "bad usage or configuration",
        3: "something could not be measured; nothing got worse",
        4: "nothing was measured",
        130: "interrupted; the same command measures the rest",
    }
    assert exit_line(Report((), (), exit_code=130)) == "exit code 130: interrupted; the same command measures the rest"
    assert exit_line(Report((), (), exit_code=77)) == "exit code 77: unknown"


@pytest.mark.parametrize(
    ("values", "unit", "better", "shown"),
    [
        ([0.1, 0.3], "s", Better.LOWER, "400 ms"),
        ([2.0, 3.0], "u", Better.LOWER, "3.00 u"),
        ([2.0, 3.0], "", Better.HIGHER, "2.00"),
        (["ok", "nan", "yes"], "", Better.NEITHER, "2 of 3 ok"),
        (["nan", "inf"], "", Better.NEITHER, "2 figures"),
        ([[3.0, 1.5]], "", Better.LOWER, "1.50"),
        (["text"], "", Better.NEITHER, "text"),
        ([None], "", Better.NEITHER, "none"),
        ([True], "", Better.NEITHER, "yes"),
    ],
)
def test_several_modes_are_one_figure(values: list[Any], unit: str, better: Better, shown: str) -> None:
    metrics = [Metric(f"m{n}.x", value, Kind.INFO, better, unit) for n, value in enumerate(values)]
    assert combined(list(summarise([_sample(OLD, *metrics)]).values())) == shown


def test_a_median_of_whole_numbers_is_whole_where_it_can_be() -> None:
    def median(*values: Any) -> Any:
        return summarise(_sample(OLD, Metric("x", value, Kind.INFO)) for value in values)["x"].shown

    shown = [median(1, 3), median(1, 2), median(1.0, 3.0), median([1.0], [3.0], [2.0])]
    assert [repr(one) for one in shown] == ["2", "1.5", "2.0", "[2.0]"]


# --- tables of comparisons, lines --------------------------------------------------------------------------


def test_comparisons_are_a_table_with_the_error_rate_they_keep() -> None:
    full = Evidence(5, 0.31, 0.2, 0.4, 0.012, 0.024, rounds_needed=7)
    made = Comparison("A", "B", "name", "p", FREE, Verdict.INCONCLUSIVE, "the reason", full)
    bits = Comparison("A", "B", "name", "", "bits", Verdict.SAME, "", Evidence(0, 3.0, classification="equal"))
    half = replace(bits, metric="half", evidence=Evidence(2, -0.5, low=-0.6))
    lines = comparisons.table([made, bits, half], JudgeSettings(alpha=0.05, floor=0.05))
    assert [" ".join(line.split()) for line in lines[:4]] == [
        "metric baseline candidate verdict effect interval p adjusted n needs",
        "p:free.step_s A B inconclusive +31.0% +20.0% .. +40.0% 0.012 0.024 5 7 the reason",
        "bits A B same",
        "half A B same -50.0% -60.0% .. 2",
    ]
    assert lines[0].index("effect") == lines[1].index("+31.0%")
    assert lines[4:6] == ["", "2 same, 1 inconclusive"]
    assert lines[6] == (
        "1 timing comparison: at most 0.05 chance of any false alarm (Holm), 0.005 in each, "
        "over looks after 3, 5, 8, 11, 15, 20 rounds; floor 5%"
    )
    assert comparisons.table([], JudgeSettings()) == ["nothing to compare"]
    assert comparisons.rates([made, made], JudgeSettings())[1].startswith("2 timing comparisons: ")


def test_a_line_end_tears_no_figure_from_its_unit() -> None:
    assert textlines.wrap("aaaaaaaaaaaa 12.3 ms", 17) == ["aaaaaaaaaaaa", "12.3 ms"]
    assert textlines.wrap("aaaaaaaaaaaa 12 mice", 17) == ["aaaaaaaaaaaa 12", "mice"]
    assert textlines.wrap("", 5) == [""]
    assert textlines.wrap("0123456789 01234", 1) == ["0123456789 01234"]  # no line is narrower than 16


def test_a_section_ends_with_how_much_it_leaves_out() -> None:
    lines = [str(line) for line in textlines.section("Notes", [f"note {n}" for n in range(32)], 80)]
    assert lines[:3] == ["", "Notes", "- note 0"]
    assert lines[-2:] == ["- note 29", "  and 2 more (--format html has all)"]
    assert textlines.section("Notes", [], 80) == []
    assert len(textlines.section("Notes", ["a"] * 30, 80)) == 32


def test_ascii_takes_the_place_of_every_symbol() -> None:
    line = textlines.ascii_only(textlines.text("◆✗✓≠Δ…─·×−–µ∞é", "bold"))
    assert line.plain == ">x+#d~--x--uI?"
    for encoding, needed in (("utf-8", False), ("UTF-16", False), ("latin-1", True)):
        stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        assert textlines.needs_ascii(Console(file=stream)) is needed


def test_long_text_is_cut_with_an_ellipsis() -> None:
    assert numbers.shorten("abcdef", 6) == "abcdef"
    assert numbers.shorten("abc defg", 5) == "abc…"
    assert numbers.shorten("abc", 0) == "…"
    assert numbers.plain("\tx", indent=True) == "    x"
    assert numbers.plain(" \t x") == "x"


def test_a_figure_that_depends_on_the_seed_is_shown_by_its_mean() -> None:
    """The verdict rests on the mean: one bad seed of three must be seen."""
    samples = [_sample(OLD, Metric("free.test_accuracy", value, Kind.SEEDED)) for value in (0.98, 0.86, 0.98)]
    summary = summarise(samples)["free.test_accuracy"]
    assert combined([summary], percent=True) == "94.00 %"
    huge = [_sample(OLD, Metric("free.test_accuracy", value, Kind.SEEDED)) for value in (1e308, 1e308, 1e308)]
    assert summarise(huge)["free.test_accuracy"].shown == 1e308  # a sum would not be finite
