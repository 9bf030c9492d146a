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


def shown(report: Report, width: int, *, colour: bool = False, encoding: str = "utf-8", **options: bool) -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    system = "truecolor" if colour else None
    console = Console(file=stream, width=width, force_terminal=colour, color_system=system, legacy_windows=False)  # type: ignore[arg-type]
    terminal.print(report, console, **options)
    stream.seek(0)
    return stream.read()


def table_lines(text: str) -> list[str]:
    """The lines before the findings: everything that is laid out in columns."""
    return text.partition("\nFindings\n")[0].splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 160, 250])
def test_no_table_is_wider_than_the_terminal(quick: Report, width: int) -> None:
    assert max(len(line) for line in table_lines(shown(quick, width))) <= width


@pytest.mark.parametrize("width", [80, 100, 120, 160])
def test_every_column_is_shown_at_usual_widths(quick: Report, width: int) -> None:
    text = shown(quick, width)
    for heading in ("test accuracy", "step time", "first step", "images/s", "peak RSS", "import time"):
        assert heading in text


def test_a_narrow_terminal_says_which_columns_it_leaves_out(quick: Report) -> None:
    text = " ".join(shown(quick, 40).split())
    assert "Also measured: images/s, peak RSS, import time, test loss, loss per step (--format json has all)" in text


def test_verdicts_survive_without_colour(quick: Report) -> None:
    text = shown(quick, 160)
    assert "\x1b" not in text
    line = next(line for line in text.splitlines() if line.startswith("  2.15.0"))
    assert "16.1 ms ✗ +31 %" in line
    assert "44.0 ms ? +6.1 %" in line
    assert "2.95 s =" in line
    for meaning in ("✗ worse", "= same", "? undecided", "~ expected", "◆ baseline"):
        assert meaning in text


def test_a_terminal_without_unicode_gets_ascii_in_the_same_columns(quick: Report) -> None:
    plain = shown(quick, 120, encoding="ascii")
    assert plain.isascii()
    assert "16.1 ms x +31 %" in plain
    rich_lines, plain_lines = table_lines(shown(quick, 120)), table_lines(plain)
    assert [len(line) for line in plain_lines] == [len(line) for line in rich_lines]


def test_undecided_is_never_red(quick: Report) -> None:
    coloured = shown(quick, 160, colour=True)
    before = coloured.split("? +5.0 %")[0]
    style = before[before.rindex("\x1b[") :]
    assert "31m" not in style
    worse = coloured.split("✗ +31 %")[0]
    assert "31m" in worse[worse.rindex("\x1b[") :]


def test_the_reason_of_a_failure_spans_the_columns(quick: Report) -> None:
    text = shown(quick, 160)
    assert (
        "~ import-failed (expected): TypeError: register_pytree_node() got an unexpected keyword argument "
        "'flatten_with_keys_fn'" in text
    )


def test_the_exit_code_and_its_meaning_end_the_report(quick: Report) -> None:
    assert shown(quick, 80).rstrip().endswith("exit code 1: something regressed or broke")


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
    assert "1 cell · 1 process · Python 3.8 · cpu" in text
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
    assert "and 269 more (--format json has all)" in text
    assert "and 288 more: `runner report DIR --commands`, or another cell's id after --only" in text
    assert shown(report, 120, commands=True).count("--only") == 300


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
