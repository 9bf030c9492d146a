"""Which metrics become columns, what they are called, and how verdicts are drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runner.model import Better, Cell, Comparison, Evidence, Kind, Metric, Sample, Status, Verdict
from runner.report import Report, Severity, columns
from runner.report.formats import markdown, terminal
from runner.report.marks import Mark, mark
from runner.report.table import tables

OLD = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")
NEW = Cell("torch", "2.15.0", "3.11.3", "3.11", "cpu")


@pytest.mark.parametrize(
    ("name", "label", "cause", "percent"),
    [
        ("free.test_accuracy", "test accuracy", "accuracy", True),
        ("accuracy", "test accuracy", "accuracy", True),
        ("small.error_max", "largest error", "numerics", False),
        ("max_backward_error", "largest error", "numerics", False),
        ("largest_error", "largest error", "numerics", False),
        ("max_u", "largest error", "numerics", False),
        ("small.error_rms", "RMS error", "numerics", False),
        ("rms_backward_error", "RMS error", "numerics", False),
        ("rms_u", "RMS error", "numerics", False),
        ("a.outcome", "outcome", "outcome", False),
        ("a.shape", "shape", "outcome", False),
        ("controlled.loss_per_step", "loss per step", "trajectory", False),
        ("free.step_s", "step time", "step", False),
        ("median_step_wall_s", "step time", "step", False),
        ("free.images_per_s", "images/s", "step", False),
        ("sequences_per_s", "sequences/s", "step", False),
        ("free.first_step_s", "first step", "start", False),
        ("time_to_first_step_s", "first step", "start", False),
        ("train_s", "training time", "step", False),
        ("total_fit_s", "training time", "step", False),
        ("training_s", "training time", "step", False),
        ("peak_rss_bytes", "peak memory", "memory", False),
        ("peak_gpu_bytes", "peak GPU", "memory", False),
        ("import_s", "import time", "import", False),
        ("fit_cpu_s", "fit CPU time", "cpu", False),
        ("cpu_s", "CPU time", "cpu", False),
        ("free.test_loss", "test loss", "accuracy", False),
        ("loss", "test loss", "accuracy", False),
        ("val_accuracy", "val accuracy", "accuracy", True),
        ("validation_accuracy_top5", "validation accuracy top5", "accuracy", True),
        ("loss_per_epoch", "loss per epoch", "accuracy", False),
        ("small.digest", "digest", "numerics", False),
        ("weights_digest", "weights digest", "numerics", False),
        ("bits", "bits", "numerics", False),
        ("small.time_s", "time", "step", False),
        ("wall", "time", "step", False),
        ("seconds", "time", "step", False),
        # figures that nobody has named
        ("free.rng_draws", "RNG draws", "free.rng_draws", False),
        ("a.swap_bytes", "swap", "a.swap_bytes", False),
        ("a.error_u", "error", "a.error_u", False),
        ("a.reads_per_s", "reads/s", "a.reads_per_s", False),
        ("a.load_s", "load time", "a.load_s", False),
        ("a.", "a.", "a.", False),
        ("printed.accuracy", "accuracy", "printed.accuracy", False),
        ("printed.step_ms", "step ms", "printed.step_ms", False),
        ("accuracy_of_something", "accuracy of something", "accuracy_of_something", False),
    ],
)
def test_a_figure_has_a_label_and_a_cause(name: str, label: str, cause: str, *, percent: bool) -> None:
    assert (columns.label(name), columns.cause(name), columns.percent(name)) == (label, cause, percent)


def test_the_mode_is_what_comes_before_the_figure() -> None:
    assert columns.mode("cnn_small.b32.step_s") == "cnn small.b32"
    assert columns.mode("import_s") == ""


def _metric(name: str, kind: Kind = Kind.TIMING, value: Any = 1.0, unit: str = "") -> Metric:
    return Metric(name, value, kind, Better.LOWER, unit)


def _names(probe: str, *metrics: Metric | str, bad: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    made = [_metric(one) if isinstance(one, str) else one for one in metrics]
    return [pick.names for pick in columns.choose(probe, made, dict.fromkeys(bad, ("a cell",)))]


@pytest.mark.parametrize(
    ("probe", "order"),
    [
        (
            "mnist",
            [
                "free.test_accuracy",
                "free.step_s",
                "free.first_step_s",
                "free.images_per_s",
                "peak_rss_bytes",
                "import_s",
            ],
        ),
        (
            "conv2d",
            [
                "issue_20804.error_max",
                "a.error_max",
                "a.error_rms",
                "a.outcome",
                "a.time_s",
                "peak_rss_bytes",
                "import_s",
            ],
        ),
        (
            "ops",
            [
                f"cases.{name}"
                for name in ("ok", "wrong", "inaccurate", "nan", "shape", "dtype", "raises", "unsupported")
            ],
        ),
        ("training", [f"cases.{name}" for name in ("ok", "wrong", "nan", "raises", "unsupported")]),
    ],
)
def test_a_known_probe_has_its_columns_in_order(probe: str, order: list[str]) -> None:
    picked = _names(probe, "not.listed", *reversed(order))
    first = [names[0] for names in picked]
    assert first == order
    assert _names(probe, order[-1], "not.listed") == [(order[-1],)]


def test_one_figure_in_all_modes_is_one_column_of_conv2d() -> None:
    assert _names("conv2d", "a.error_max", "error_max", "b.error_max", "b.error_max_of") == [
        ("a.error_max", "b.error_max")
    ]


def test_unknown_probes_show_numerics_first_then_accuracy_speed_and_the_rest() -> None:
    kinds = [Kind.INFO, Kind.EXACT, Kind.TIMING, Kind.SEEDED, Kind.ERROR]
    names = _names("new", *(_metric(f"m.{kind}_figure", kind) for kind in kinds))
    assert names == [(f"m.{kind}_figure",) for kind in reversed(kinds[:2] + kinds[2:])]
    assert _names("new", "unheard_of", "import_s", "step_s") == [("step_s",), ("import_s",), ("unheard_of",)]
    assert _names("new", "b", "a") == [("b",), ("a",)]  # else as the probe wrote them


def test_no_more_than_six_columns_of_an_unknown_probe() -> None:
    assert len(_names("new", *(f"figure_{n}" for n in range(6)))) == 6
    assert len(_names("new", *(f"figure_{n}" for n in range(7)))) == 6
    modes = [f"{mode}.{figure}" for mode in "abcd" for figure in ("x", "y")]
    assert _names("new", *modes) == [
        ("a.x", "b.x", "c.x", "d.x"),
        ("a.y", "b.y", "c.y", "d.y"),
    ]


def test_what_a_reader_must_see_becomes_a_column_unless_its_cause_has_one() -> None:
    mnist = ("free.test_accuracy", "free.step_s")
    more = ("free.fit_s", "fit_cpu_s", "a.x", "b.x", "c.x")
    every = (*mnist, *more)
    assert _names("mnist", *every, bad=("free.fit_s",)) == [*((n,) for n in mnist), ("free.fit_s",)]
    assert _names("mnist", *every, bad=("free.step_s", "free.fit_s")) == [(n,) for n in mnist]
    assert _names("mnist", *every, bad=("status", "free.step_s")) == [(n,) for n in mnist]
    assert _names("mnist", *every, bad=more[1:]) == [*((n,) for n in mnist), ("fit_cpu_s",), ("a.x",), ("b.x",)]


def test_columns_of_one_label_have_their_mode() -> None:
    made = [_metric(name) for name in ("free.step_s", "fast_path.step_s", "step_s", "import_s")]
    assert [(pick.names, pick.label) for pick in columns.choose("new", made)] == [
        (("free.step_s",), "free step time"),
        (("fast_path.step_s",), "fast path step time"),
        (("step_s",), "step time"),
        (("import_s",), "import time"),
    ]


def _sample(cell: Cell, *metrics: Metric) -> Sample:
    return Sample(cell, cell.id, "unheard-of", {}, 0, 0, "host", Status.OK, "", metrics)


def test_an_unknown_probe_with_one_figure_in_two_modes_is_a_whole_table() -> None:
    """Each mode has its own column, in every cell, where a cell lacks one of them too."""
    samples = (
        _sample(OLD, _metric("plain.widgets", Kind.EXACT, 3), _metric("fast.widgets", Kind.EXACT, 4)),
        _sample(NEW, _metric("fast.widgets", Kind.EXACT, 5)),
    )
    judged = Comparison(
        OLD.id, NEW.id, "version", "unheard-of", "fast.widgets", Verdict.REGRESSED, "4 -> 5",
        Evidence(classification="changed"),
    )  # fmt: skip
    report = Report(samples, (judged,), everything=True)
    (table,) = tables(report)
    assert [column.label for column in table.columns] == ["plain widgets", "fast widgets"]
    assert [[figure and (figure.text, figure.mark, figure.delta) for figure in row.figures] for row in table.rows] == [
        [("3", Mark.NONE, ""), ("4", Mark.NONE, "")],
        [None, ("5", Mark.WORSE, "changed")],
    ]
    assert table.folded == ()
    text = terminal.render(report)
    assert "\nunheard-of · 1 run each · against torch 2.2.2\n" in text
    assert "\nversion   keras   plain widgets  fast widgets\n" in text
    assert "\n◆ 2.2.2   3.11.3              3   4\n" in text
    assert "\n  2.15.0  3.11.3              ·   5 ✗ changed\n" in text
    assert "|  | version | keras | plain widgets | fast widgets |\n" in markdown.render(report)
    assert "|  | 2.15.0 | 3.11.3 |  | **5 ✗ changed** |\n" in markdown.render(report)
    (table,) = tables(replace(report, everything=False))
    assert [column.label for column in table.columns] == ["fast widgets"]
    assert table.folded == ("Not compared: plain widgets",)


# --- marks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("drawn", "symbol", "ascii_symbol", "meaning", "style"),
    [
        (Mark.WORSE, "✗", "x", "worse", "bold red"),
        (Mark.BETTER, "✓", "+", "better", "green"),
        (Mark.SAME, "=", "=", "same", "dim"),
        (Mark.UNDECIDED, "?", "?", "too few runs to tell", "yellow"),
        (Mark.EXPECTED, "~", "~", "known failure", "magenta"),
        (Mark.FIXED, "!", "!", "known failure is gone", "bold yellow"),
        (Mark.INCOMPARABLE, "≠", "#", "not comparable", "dim"),
        (Mark.DIFFERS, "Δ", "d", "another framework or device, no regression", "cyan"),
        (Mark.NONE, "", "", "", ""),
    ],
)
def test_a_mark_has_its_symbols_meaning_and_style(
    drawn: Mark, symbol: str, ascii_symbol: str, meaning: str, style: str
) -> None:
    assert (drawn.symbol, drawn.ascii_symbol, drawn.meaning, drawn.style) == (symbol, ascii_symbol, meaning, style)


@pytest.mark.parametrize(
    ("verdict", "more", "drawn"),
    [
        (Verdict.SAME, {}, Mark.SAME),
        (Verdict.REGRESSED, {}, Mark.WORSE),
        (Verdict.BROKEN, {}, Mark.WORSE),
        (Verdict.IMPROVED, {}, Mark.BETTER),
        (Verdict.INCONCLUSIVE, {"evidence": Evidence(n=1)}, Mark.UNDECIDED),
        (Verdict.INCONCLUSIVE, {}, Mark.INCOMPARABLE),
        (Verdict.EXPECTED, {}, Mark.EXPECTED),
        (Verdict.NOT_COMPARABLE, {}, Mark.INCOMPARABLE),
        (Verdict.NO_BASELINE, {}, Mark.NONE),
        (Verdict.FIXED, {}, Mark.BETTER),
        (Verdict.FIXED, {"issue": "https://e.org/1"}, Mark.FIXED),
        (Verdict.REGRESSED, {"gates": False}, Mark.DIFFERS),
        (Verdict.IMPROVED, {"gates": False}, Mark.DIFFERS),
        (Verdict.BROKEN, {"gates": False}, Mark.DIFFERS),
        (Verdict.SAME, {"gates": False}, Mark.SAME),
        (Verdict.INCONCLUSIVE, {"evidence": Evidence(n=1), "gates": False}, Mark.UNDECIDED),
    ],
)
def test_a_verdict_has_its_mark(verdict: Verdict, more: dict[str, Any], drawn: Mark) -> None:
    assert mark(Comparison(OLD.id, NEW.id, "version", "p", "m", verdict, "", **more)) is drawn


def test_what_was_not_compared_has_no_mark() -> None:
    assert mark(None) is Mark.NONE


def test_a_severity_has_the_mark_of_the_tables() -> None:
    assert [(severity.label, severity.mark) for severity in Severity] == [
        ("BROKEN", Mark.WORSE),
        ("WORSE", Mark.WORSE),
        ("FAILED", Mark.WORSE),
        ("GONE", Mark.FIXED),
        ("CHANGED", Mark.WORSE),
        ("KNOWN", Mark.EXPECTED),
        ("DEFECT", Mark.DIFFERS),
        ("DIFFERENT", Mark.DIFFERS),
        ("BETTER", Mark.BETTER),
        ("NOT JUDGED", Mark.INCOMPARABLE),
        ("UNDECIDED", Mark.UNDECIDED),
        ("FINE", Mark.SAME),
    ]


def test_every_known_figure_has_a_sentence_for_a_ratio() -> None:
    assert columns.known("free.step_s").takes == "takes {times} as long per step as {other}"  # type: ignore[union-attr]
    assert columns.known("peak_rss_bytes").takes == "has {times} the {label} of {other}"  # type: ignore[union-attr]
    for one in columns.KNOWN:
        assert one.takes.format(times="2 times", label="time", other="torch 2.2.2").count("torch 2.2.2") == 1
        assert "{times}" in one.takes
