"""The report on terminals of every width, with and without colour and symbols."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from runner.model import Cell, Comparison, Environment, Job, Metric, Plan, ProbeSpec, Sample, Skip, Status, Verdict
from runner.model import Kind as MetricKind
from runner.report import Report, doctor, listing
from runner.report.formats import terminal

ROUNDS = 12


def shown(report: Report, width: int, *, colour: bool = False, encoding: str = "utf-8", **options: bool) -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    system = "truecolor" if colour else None
    console = Console(file=stream, width=width, force_terminal=colour, color_system=system, legacy_windows=False)  # type: ignore[arg-type]
    terminal.print(report, console, **options)
    stream.seek(0)
    return stream.read()


def table_lines(text: str) -> list[str]:
    """The tables: everything from the first probe to the legend."""
    lines = text.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("mnist "))
    return lines[first : lines.index("Not measured")] if "Not measured" in lines else lines[first:]


@pytest.mark.parametrize("width", [40, 47, 60, 72, 80, 100, 120, 200])
def test_only_commands_and_addresses_are_wider_than_the_terminal(quick: Report, width: int) -> None:
    log = "    raise ValueError(" + "x" * 300
    failed = tuple(replace(s, log=log) if s.status is Status.CRASHED else s for s in quick.samples)
    long = [line for line in shown(replace(quick, samples=failed), width).splitlines() if len(line) > width]
    kept = ("next: python -m runner ", "python -m runner ", "https://")
    assert [line for line in long if not line.strip().startswith(kept)] == []


def test_a_terminal_of_eighty_columns_has_all_headline_figures(quick: Report) -> None:
    lines = table_lines(shown(quick, 80))
    assert " ".join(lines[1].split()) == "version keras test accuracy step time first step peak memory"
    assert lines[5] == "torch · against torch 2.2.2"
    assert "  2.15.0  3.11.3  88.53 % ✗−10.00  16.1 ms ✗×1.31  44.0 ms ?×1.06  701 MB ✗×1.37" in lines
    assert "No room for: images/s, import time (a wider terminal or --format json)" in lines
    assert shown(quick, 80).count("step time") == 1


@pytest.mark.parametrize("width", [160, 200])
def test_every_column_is_shown_on_a_wide_terminal(quick: Report, width: int) -> None:
    text = shown(quick, width)
    for heading in ("against", "test accuracy", "step time", "first step", "images/s", "peak memory", "import time"):
        assert heading in text
    assert "No room for" not in text


def test_a_narrow_terminal_says_which_columns_it_leaves_out(quick: Report) -> None:
    text = " ".join(shown(quick, 40).split())
    assert (
        "No room for: step time, first step, peak memory, images/s, import time (a wider terminal or --format json)"
    ) in text


def test_a_row_whose_baseline_is_not_its_groups_keeps_the_column(quick: Report) -> None:
    """conv2d: two rows of jax have different baselines."""
    lines = shown(quick, 80).splitlines()
    assert "  0.10.2  3.8.0   keras 3.11.3       0.240 u =            0.0600 u =" in lines
    assert "  0.10.2  3.11.3  tensorflow 2.21.0  0.240 u =            0.0600 u =" in lines


def test_how_many_processes_failed_is_told_below_a_row_that_is_full(quick: Report) -> None:
    bad = replace(quick.samples[0], status=Status.TIMEOUT, reason="after 900 s", metrics=(), round=ROUNDS)
    report = replace(quick, samples=(*quick.samples, bad))
    assert any(line.endswith("  1 of 13 failed") and "98.56 %" in line for line in shown(report, 160).splitlines())
    lines = table_lines(shown(report, 80))
    row = next(n for n, line in enumerate(lines) if line.startswith("◆ 2.21.0"))
    assert "98.56 %" in lines[row]
    assert "1 of 13 failed" in lines[row] + lines[row + 1]


def test_verdicts_survive_without_colour(quick: Report) -> None:
    text = shown(quick, 160)
    assert "\x1b" not in text
    line = next(line for line in text.splitlines() if line.startswith("  2.15.0"))
    assert "16.1 ms ✗ ×1.31" in line
    assert "44.0 ms ? ×1.06" in line
    assert "2.95 s =" in line
    for meaning in ("✗ worse", "= same", "? too few runs to tell", "~ known failure", "◆ baseline"):
        assert meaning in text


def test_a_terminal_without_unicode_gets_ascii_in_the_same_columns(quick: Report) -> None:
    plain = shown(quick, 120, encoding="ascii")
    assert plain.isascii()
    assert "16.1 ms xx1.31" in plain
    rich_lines, plain_lines = table_lines(shown(quick, 120)), table_lines(plain)
    assert [len(line) for line in plain_lines] == [len(line) for line in rich_lines]


def test_undecided_is_never_red(quick: Report) -> None:
    coloured = shown(quick, 160, colour=True)
    before = coloured.split("? ×1.06")[0]
    style = before[before.rindex("\x1b[") :]
    assert "31m" not in style
    worse = coloured.split("✗ ×1.31")[0]
    assert "31m" in worse[worse.rindex("\x1b[") :]


def test_the_reason_of_a_failure_spans_the_columns(quick: Report) -> None:
    text = shown(quick, 160)
    assert (
        "~ import-failed (known): TypeError: register_pytree_node() got an unexpected keyword argument "
        "'flatten_with_keys_fn'" in text
    )


def test_the_exit_code_and_its_meaning_end_the_report(quick: Report) -> None:
    assert shown(quick, 80).rstrip().endswith("exit code 1: something got worse or broke")


def test_what_frameworks_print_is_never_markup(quick: Report) -> None:
    hostile = "[red]boom[/red] [link=http://evil]x[/link] \x1b]0;title\x07 [/] \x1b[2J"
    samples = tuple(replace(s, reason=hostile) if s.reason else s for s in quick.samples)
    text = shown(replace(quick, samples=samples, notes=(hostile,), title=hostile), 160)
    assert "[red]boom[/red]" in text
    assert "\x1b" not in text
    assert "\x07" not in text


def test_the_last_lines_of_a_failure_are_shown_once_and_only_if_it_is_news(quick: Report) -> None:
    log = "\n".join([*(f"line {n}" for n in range(40)), "    raise [bold]ValueError[/bold]\x1b[2J"])
    samples = tuple(replace(s, log=log) if s.status is not Status.OK else s for s in quick.samples)
    text = shown(replace(quick, samples=samples), 120)
    assert text.count("Last lines of") == 1
    assert "Last lines of jax-0.10.2_keras-3.8.0_py3.11_cpu, mnist" in text
    assert "      raise [bold]ValueError[/bold]\n" in text
    assert "line 33" in text
    assert "line 32" not in text


def test_nothing_measured_is_said_and_is_not_a_success() -> None:
    text = shown(Report((), (), exit_code=4), 80)
    assert "No cell was measured." in text
    assert "No difference" not in text
    assert "exit code 4: nothing was measured" in text


def test_a_single_cell_is_a_table() -> None:
    cell = Cell("mxnet", "1.9.1", None, "3.8", "cpu")
    metric = Metric("answer", 42, MetricKind.INFO)
    text = shown(Report((Sample(cell, "", "hello", {}, 0, 0, "host", Status.OK, "", (metric,)),), ()), 80)
    assert "1 combination · 1 run each · Python 3.8 · cpu" in text
    assert any(line.split() == ["1.9.1", "42"] for line in text.splitlines())


def test_three_hundred_cells_keep_their_rows_and_fold_the_commands(quick: Report) -> None:
    samples, comparisons = [], []
    base = quick.samples[0].cell
    for n in range(300):
        cell = replace(base, keras=f"3.{n}.0")
        samples.append(replace(quick.samples[0], cell=cell))
        comparisons.append(
            Comparison(samples[0].cell.id, cell.id, "keras", "mnist", "free.step_s", Verdict.REGRESSED, "")
        )
    report = Report(tuple(samples), tuple(comparisons[1:]))
    text = shown(report, 120)
    named = {line.split()[1] for line in table_lines(text) if line.startswith("  2.21.0  ")}
    assert named == {f"3.{n}.0" for n in range(1, 300)}
    assert "and 287 more (--format html has all)" in text
    assert text.count("--only") == 1
    assert "Measure one combination again: this one, or another's (runner report DIR --commands has them)" in text
    assert shown(report, 120, commands=True).count("--only") == 300


def test_a_long_report_repeats_its_worst_findings_at_the_end(quick: Report) -> None:
    *_, last = shown(quick, 120).split("\n\n")
    lines = last.splitlines()
    assert lines[0].startswith("BROKEN     jax 0.10.2 with keras 3.8.0 crashes in mnist")
    assert lines[1].startswith("WORSE      torch 2.15.0 with keras 3.11.3 reaches 88.53 % test accuracy")
    assert lines[-2:] == ["           and 2 more, above", "exit code 1: something got worse or broke"]
    assert len(lines) <= 12


def test_a_short_report_says_its_findings_once(quick: Report) -> None:
    first = quick.samples[-1]
    failed = replace(first, status=Status.CRASHED, reason="it fell", metrics=())
    text = shown(Report((failed,), (), exit_code=3), 120)
    assert text.count("it fell") == 2  # the finding and the row of the table
    assert text.count("FAILED ") == 1


def test_a_report_without_bad_news_ends_with_the_exit_code_alone(quick: Report) -> None:
    same = tuple(replace(c, verdict=Verdict.SAME) for c in quick.comparisons if c.metric != "status")
    ran = tuple(s for s in quick.samples if s.status is Status.OK)
    *_, last = shown(replace(quick, samples=ran, comparisons=same, exit_code=0), 120).split("\n\n")
    assert last.splitlines() == ["exit code 0: nothing got worse"]


def test_findings_come_before_the_matrix_and_the_matrix_before_the_tables(quick: Report) -> None:
    text = shown(quick, 120)
    places = [text.index(part) for part in ("BROKEN", "UNDECIDED", "keras 3.15.1  ·", "\nmnist ·", "\nconv2d ·")]
    assert places == sorted(places)


def test_a_command_is_given_once_per_cell(quick: Report) -> None:
    text = shown(quick, 120)
    assert text.count("next: python -m runner bisect torch") == 1
    assert text.count("next: python -m runner diagnose") == 1


def test_the_legend_explains_what_the_tables_have(quick: Report) -> None:
    text = " ".join(shown(quick, 120).split())
    assert "u: units of float32 rounding, up to 8 is rounding" in text
    assert "×: compared run by run, so not exactly the ratio of the figures shown" in text
    free = replace(quick, samples=quick.samples[:1], comparisons=())
    assert "u: units" not in shown(free, 120)


def test_figures_stay_with_their_units_when_a_sentence_wraps(quick: Report) -> None:
    for width in range(50, 120):
        for line in shown(quick, width).splitlines():
            assert not line.strip().startswith(("% ", "%)", "ms ", "u "))


def test_a_plan_lists_jobs_in_order_and_what_is_left_out() -> None:
    cell = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")
    environment = Environment("torch", "2.2.2", "3.11.3", "3.11", "cpu", "linux-x86_64")
    jobs = tuple(Job(cell, environment, ProbeSpec("mnist"), n, n, "docker") for n in range(2))
    skips = (Skip(replace(cell, device="cuda"), Status.UNAVAILABLE, "no [bold]GPU"),)
    console = Console(file=io.StringIO(), width=120)
    listing.print_plan(Plan(jobs, skips, ("a note",)), console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert [line.split()[0] for line in text.splitlines() if cell.id in line] == ["1", "2"]
    assert "unavailable: no [bold]GPU: torch-2.2.2_keras-3.11.3_py3.11_cuda" in text
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    assert lines[lines.index("Notes") + 1] == "- a note"
    assert "Left out" in lines
    assert "2 processes: 1 cell in 1 environment, probes: mnist; 1 cell left out" in text


def test_an_empty_plan_says_so() -> None:
    console = Console(file=io.StringIO(), width=80)
    listing.print_plan(Plan((), ()), console)
    assert "Nothing would run." in console.file.getvalue()  # type: ignore[attr-defined]


class Looked:
    """A check as ``runner.machine.doctor`` makes it."""

    def __init__(self, name: str, state: str, says: str, fix: str = "") -> None:
        self.name, self.state, self.says, self.fix = name, state, says, fix


def test_the_doctor_shows_what_to_do_about_what_is_missing() -> None:
    checks = [Looked("engine", "fail", "no answer", "start Docker"), Looked("disk", "ok", "80 GB free", "not shown")]
    console = Console(file=io.StringIO(), width=80)
    doctor.print_checks(checks, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "✗ engine no answer" in text
    assert "start Docker" in text
    assert "not shown" not in text
    assert "1 missing, 0 to know about." in text
    assert json.loads(doctor.to_json(checks))[0] == {
        "name": "engine",
        "state": "fail",
        "says": "no answer",
        "fix": "start Docker",
    }
