"""``runner history``, and what ``matrix`` and ``report`` do with a history, as a user sees it."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runner import cli, history
from runner.model import Better, Cell, Kind, Metric, Sample, Status
from runner.results import store
from runner.util import folders

CELL = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")
NEXT = Cell("torch", "2.15.0", "3.11.3", "3.11", "cpu")


@dataclass
class Line:
    """What a command line gives."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Line]:
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> Line:
        code = cli.run(list(words))
        said = capsys.readouterr()
        return Line(code, said.out, said.err)

    return call


def night(name: str, day: int, *, fails: bool = False, accuracy: float = 0.97) -> Path:
    """A folder of results of two cells, measured on a day of November 2026."""
    folder = Path(name)
    there = store.Store(folder)
    there.open()
    there.record(store.RunRecord(set_name="quick", cells=(CELL, NEXT)))
    for cell in (CELL, NEXT):
        broken = fails and cell == NEXT
        metrics = (
            Metric("free.step_s", 0.1, Kind.TIMING, Better.LOWER, "s"),
            Metric("free.test_accuracy", accuracy, Kind.SEEDED, Better.HIGHER),
        )
        there.save(
            Sample(
                cell, "e", "mnist", {}, 0, 0, "docker", Status.CRASHED if broken else Status.OK,
                "it fell" if broken else "", () if broken else metrics, fingerprint={"host": "atlas", "cpu": "EPYC"},
                started=f"2026-11-{day:02}T01:17:00+00:00", key=f"{day:032}",
            )
        )  # fmt: skip
    return folder


def test_a_run_is_added_listed_and_shown(run: Callable[..., Line]) -> None:
    night("one", 1)
    night("two", 2, fails=True)
    added = run("history", "add", "one", "two", "--history", "h.sqlite")
    assert added.code == 0
    assert [line.partition(" new run")[0] for line in added.out.splitlines()] == ["one:", "two:"]
    listed = run("history", "ls", "--history", "h.sqlite")
    head, first, second, count = listed.out.splitlines()
    assert head.split() == ["run", "began", "(UTC)", "set", "cells", "results", "findings", "exit", "code"]
    assert first.split()[1:] == ["2026-11-01", "01:17", "quick", "2", "2", "0", "0"]
    assert second.split()[1:] == ["2026-11-02", "01:17", "quick", "2", "2", "1", "1"]
    assert count == "2 runs"
    shown = run("history", "show", second.split()[0][:6], "--history", "h.sqlite")
    assert "processes: 1 ok, 1 crashed" in shown.out
    assert "1 new, 0 lasting, 0 gone" in shown.out
    assert "NEW    BROKEN    torch 2.15.0 with keras 3.11.3 crashes (torch 2.2.2 does" in shown.out.replace(
        "works", "does"
    )


def test_a_file_of_a_benchmark_tool_is_a_run(run: Callable[..., Line]) -> None:
    data = Path(__file__).parents[1] / "results" / "tools" / "data"
    for side in ("before", "after"):
        added = run("history", "add", f"build={data}/pyperf-turns-{side}.json", "--history", "h.sqlite")
        assert added.code == 0
        assert added.out.endswith("10 new results\n")
    again = run("history", "add", f"build={data}/pyperf-turns-before.json", "--history", "h.sqlite")
    assert "nothing new, all of it is in run" in again.out
    _, first, second, count = run("history", "ls", "--history", "h.sqlite").out.splitlines()
    assert (first.split()[3], second.split()[3], count) == ("pyperf", "pyperf", "2 runs")
    with history.read(Path("h.sqlite")) as database:
        (series,) = database.series(["build"], metric="time")
    assert (series.probe, series.unit, [point.n for point in series.points]) == ("sort", "s", [10, 10])
    assert series.points[1].value > 2 * series.points[0].value


def test_a_file_that_is_of_no_tool_ends_with_2(run: Callable[..., Line]) -> None:
    Path("x.json").write_text("{}", encoding="utf-8")
    refused = run("history", "add", "x.json", "--history", "h.sqlite")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("runner: x.json: not a file of a known tool; the JSON of asv, ")
    assert run("history", "add", "missing.json", "--history", "h.sqlite").err.endswith("no such file or folder\n")


def test_an_export_replaces_no_history_and_no_pipe(run: Callable[..., Line]) -> None:
    night("one", 1)
    run("history", "add", "one", "--history", "h.sqlite")
    Path("link.csv").symlink_to("h.sqlite")
    os.mkfifo("pipe.csv")
    for target in ("h.sqlite", "link.csv", "pipe.csv"):
        refused = run("history", "export", target, "--history", "h.sqlite")
        assert (refused.code, refused.out) == (2, "")
        assert "name another file" in refused.err
    assert run("history", "ls", "--history", "h.sqlite").out.endswith("1 run\n")
    for _ in range(2):  # an export that is there is replaced
        assert run("history", "export", "out.csv", "--history", "h.sqlite").code == 0


def test_the_same_folder_adds_nothing_the_second_time(run: Callable[..., Line]) -> None:
    night("one", 1)
    run("history", "add", "one", "--history", "h.sqlite")
    again = run("history", "add", "one", "--history", "h.sqlite")
    assert again.code == 0
    assert again.out.startswith("one: nothing new, all of it is in run ")


def test_the_folder_may_move(run: Callable[..., Line]) -> None:
    night("one", 1).rename("elsewhere")
    night("one", 1)
    run("history", "add", "one", "--history", "h.sqlite")
    assert "nothing new" in run("history", "add", "elsewhere", "--history", "h.sqlite").out


def test_a_folder_without_results_is_named(run: Callable[..., Line]) -> None:
    Path("empty").mkdir()
    for words in (("add", "empty"), ("import", "empty"), ("add", "none"), ("import", "none")):
        said = run("history", *words, "--history", "h.sqlite")
        assert said.code == 2
        assert said.err.count("\n") == 1
        assert words[1] in said.err


def test_a_result_that_cannot_be_read_is_named_and_the_others_are_added(run: Callable[..., Line]) -> None:
    folder = night("one", 1)
    path = next(folder.glob("results/torch-2.15*/mnist/*.json"))
    path.write_text(path.read_text()[:-40])
    said = run("history", "add", "one", "--history", "h.sqlite")
    assert said.code == 3
    assert str(path) in said.err
    assert "1 new result" in said.out


def test_results_of_a_newer_program_are_named_next_to_those_of_this_one(run: Callable[..., Line]) -> None:
    folder = night("one", 1)
    path = next(folder.glob("results/torch-2.15*/mnist/*.json"))
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "schema": 99, "crc32": ""}))
    said = run("history", "add", "one", "--history", "h.sqlite")
    assert said.code == 3
    assert "written by a newer program (schema 99" in said.err


def test_many_runs_are_imported_and_one_that_cannot_be_used_stops_nothing(run: Callable[..., Line]) -> None:
    for day in (1, 2):
        night(f"nights/2026-11-0{day}-7{day}/report-quick/merged/shards/a", day)
    Path("nights/2026-11-03-73/report-quick").mkdir(parents=True)
    said = run("history", "import", "nights", "--history", "h.sqlite")
    assert said.code == 3
    assert said.out.count("new run") == 2
    assert "2026-11-03-73/report-quick: skipped: " in said.err
    assert run("history", "ls", "--history", "h.sqlite").out.endswith("2 runs\n")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("import",), "nothing to import: name folders, or --branch results"),
        (("prune",), "nothing to remove: give --keep N or --older-than 90d"),
        (("prune", "--older-than", "soon"), "'soon' is not an age (examples: 36h, 90d, 12w)"),
        (("ls",), "h.sqlite: no such history; `runner history add DIR` begins one"),
        (("prune", "--keep", "3"), "h.sqlite: no such history; `runner history add DIR` begins one"),
        (("import", "a", "b", "--branch", "results"), "--branch takes one repository"),
    ],
)
def test_wrong_usage_is_one_line(run: Callable[..., Line], words: tuple[str, ...], problem: str) -> None:
    said = run("history", *words, "--history", "h.sqlite")
    assert (said.code, said.out, said.err) == (2, "", f"runner: {problem}\n")
    assert not Path("h.sqlite").exists()


def test_an_unknown_run_has_a_suggestion(run: Callable[..., Line]) -> None:
    night("one", 1)
    run("history", "add", "one", "--history", "h.sqlite")
    (known,) = json.loads(run("history", "ls", "--json", "--history", "h.sqlite").out)["runs"]
    typed = known["id"][:-1] + "z"
    assert f"did you mean {known['id']!r}?" in run("history", "show", typed, "--history", "h.sqlite").err
    assert "`runner history ls` shows the runs" in run("history", "show", "zzz", "--history", "h.sqlite").err


def test_a_run_for_programs_has_its_verdicts_and_findings(run: Callable[..., Line]) -> None:
    night("one", 1)
    night("two", 2, fails=True)
    run("history", "add", "one", "two", "--history", "h.sqlite")
    told = json.loads(run("history", "show", "latest", "--json", "--history", "h.sqlite").out)
    assert told["hosts"] == ["atlas (EPYC)"]
    assert {word: len(some) for word, some in told["findings"].items()} == {"new": 1, "lasting": 0, "gone": 0}
    (found,) = told["findings"]["new"]
    assert (found["severity"], found["cells"]) == ("broken", [NEXT.id])
    assert found["commands"][0].startswith("python -m runner bisect torch")
    assert {one["verdict"] for one in told["verdicts"]} >= {"broken"}
    assert [one["status"] for one in told["outcomes"]] == ["crashed", "ok"]


def test_old_runs_are_removed(run: Callable[..., Line]) -> None:
    for day in range(1, 6):
        night(f"n{day}", day)
    run("history", "add", *(f"n{day}" for day in range(1, 6)), "--history", "h.sqlite")
    assert run("history", "prune", "--keep", "2", "--history", "h.sqlite").out == "3 runs removed, 2 left in h.sqlite\n"
    nothing = run("history", "prune", "--keep", "9", "--history", "h.sqlite").out
    assert nothing == "0 runs removed, 2 left in h.sqlite\n"
    left = run("history", "ls", "--history", "h.sqlite").out
    assert "2026-11-04" in left
    assert "2026-11-03" not in left


def test_figures_are_exported_by_the_name_of_the_file(run: Callable[..., Line]) -> None:
    night("one", 1)
    run("history", "add", "one", "--history", "h.sqlite")
    for name, begin in (("f.csv", b"run,set,"), ("f.parquet", b"PAR1")):
        assert run("history", "export", name, "--history", "h.sqlite").out == f"4 figures written to {name}\n"
        assert Path(name).read_bytes().startswith(begin)
    refused = run("history", "export", "f.xml", "--history", "h.sqlite")
    assert (refused.code, Path("f.xml").exists()) == (2, False)
    assert "or give --format" in refused.err
    assert run("history", "export", "f.xml", "--format", "csv", "--history", "h.sqlite").code == 0


# --- report and matrix -----------------------------------------------------------------------------------------------


def test_a_report_shows_and_keeps_what_it_is_asked_to(run: Callable[..., Line]) -> None:
    night("one", 1)
    night("two", 2, fails=True)
    night("three", 3, fails=True)
    for name in ("one", "two"):
        run("report", name, "--history", "h.sqlite")
    said = run("report", "three", "--history", "h.sqlite")
    assert "crashes (torch 2.2.2 works): it fell. Since the night of 2 November" in said.out
    assert "▄▄▄" in said.out or "▅▅▅" in said.out
    assert run("history", "ls", "--history", "h.sqlite").out.endswith("3 runs\n")


@pytest.mark.parametrize("format_", ["markdown", "comment", "json", "github", "junit", "html", "csv", "terminal"])
def test_every_format_takes_a_history(run: Callable[..., Line], format_: str) -> None:
    night("one", 1)
    night("two", 2, fails=True)
    night("three", 3, fails=True)
    run("history", "add", "one", "two", "--history", "h.sqlite")
    with_past = run("report", "three", "--history", "h.sqlite", "--format", format_)
    without = run("report", "three", "--no-history", "--format", format_)
    assert (with_past.code, with_past.err) == (1, "")
    if format_ not in ("csv", "junit"):  # which have figures and comparisons alone
        assert "ince the night of 2 November" in with_past.out
    assert "ince the night" not in without.out


def test_json_has_keys_and_earlier_figures_with_a_history_alone(run: Callable[..., Line]) -> None:
    night("one", 1)
    night("two", 2, fails=True)
    run("history", "add", "one", "--history", "h.sqlite")
    told = json.loads(run("report", "two", "--history", "h.sqlite", "--format", "json").out)
    bare = json.loads(run("report", "two", "--no-history", "--format", "json").out)
    assert [(len(found["key"]), found["since"]) for found in told["findings"] if found["label"] == "BROKEN"] == [
        (16, "")
    ]
    assert all("key" not in found for found in bare["findings"])
    cell = next(one for one in told["cells"] if one["id"] == CELL.id)
    points = cell["probes"]["mnist"]["metrics"]["free.step_s"]["history"]["points"]
    assert [(point["started"][:10], point["value"]) for point in points] == [("2026-11-01", 0.1), ("2026-11-02", 0.1)]


def test_a_history_of_the_user_is_read_but_not_written_by_a_report(run: Callable[..., Line]) -> None:
    night("one", 1, accuracy=0.9)
    night("two", 2)
    assert "history" not in run("report", "two").out
    assert not history.default().exists()
    run("history", "add", "one")
    assert history.default().parent == folders.state_dir()
    assert "history" in run("report", "two").out
    assert "history" not in run("report", "two", "--no-history").out
    assert run("history", "ls").out.endswith("1 run\n")


def test_the_environment_can_name_the_history(run: Callable[..., Line], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNNER_HISTORY", "ci.sqlite")
    night("one", 1)
    run("report", "one")
    assert run("history", "ls").out.endswith("1 run\n")
    assert Path("ci.sqlite").is_file()


def test_a_history_that_was_named_and_cannot_be_used_stops_a_report(run: Callable[..., Line]) -> None:
    night("one", 1)
    Path("h.sqlite").write_text("x" * 5000)
    said = run("report", "one", "--history", "h.sqlite")
    assert (said.code, said.out) == (2, "")
    assert said.err == "runner: h.sqlite: not a history of this program; name another file with --history\n"


def test_a_history_that_was_only_found_does_not_stop_a_report(run: Callable[..., Line]) -> None:
    night("one", 1)
    history.default().parent.mkdir(parents=True)
    history.default().write_text("x" * 5000)
    said = run("report", "one")
    assert said.code == 0
    assert "torch" in said.out
    assert said.err.endswith("name another file with --history; the report goes without it\n")


def test_a_history_that_cannot_be_written_is_read_all_the_same(
    run: Callable[..., Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    night("one", 1)
    night("two", 2, fails=True)
    night("three", 3, fails=True)
    run("history", "add", "one", "two", "--history", "h.sqlite")
    monkeypatch.setattr("os.access", lambda _, mode: mode != os.W_OK)  # the superuser may write everything
    said = run("report", "three", "--history", "h.sqlite")
    assert "Since the night of 2 November" in said.out
    assert said.err.count("\n") == 1
    assert "cannot be written: read-only" in said.err
    assert said.err.endswith("; the report is not added to it\n")


def matrix(run: Callable[..., Line], *words: str) -> Line:
    return run("matrix", "--only", "torch-2.2.2_keras-3.11.3_py3.11_cpu", "--probe", "hello", "--rounds", "1", *words)


def test_a_run_is_added_where_there_is_a_history(run: Callable[..., Line], fake_executor: Any) -> None:
    lengths = itertools.count(1.0)  # no two processes take equally long
    fake_executor.answers = {"*": lambda _: {"wall_s": next(lengths)}}
    assert matrix(run).code == 0
    assert not history.default().exists()
    run("history", "add", "out")
    assert matrix(run, "--fresh", "--out", "again").code == 0
    assert run("history", "ls").out.endswith("2 runs\n")
    matrix(run, "--fresh", "--out", "third", "--no-history")
    assert run("history", "ls").out.endswith("2 runs\n")
    matrix(run, "--fresh", "--out", "fourth", "--history", "other.sqlite")
    assert run("history", "ls").out.endswith("2 runs\n")
    assert run("history", "ls", "--history", "other.sqlite").out.endswith("1 run\n")
    assert len(fake_executor.launched) == 4


def test_a_history_that_cannot_be_used_is_named_before_anything_is_measured(
    run: Callable[..., Line], fake_executor: Any
) -> None:
    Path("h.sqlite").write_text("x" * 5000)
    said = matrix(run, "--history", "h.sqlite")
    assert said.code == 2
    assert "not a history of this program" in said.err
    assert fake_executor.launched == []


def test_a_run_whose_history_fails_at_its_end_keeps_its_answer(
    run: Callable[..., Line], fake_executor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runner.history.files import FileError

    def full(*_: object) -> None:
        raise FileError("h.sqlite: the disk is full")

    monkeypatch.setattr("runner.history.database.History.add", full)
    said = matrix(run, "--history", "h.sqlite")
    assert said.code == 0
    assert "exit code 0" in said.out
    assert "the disk is full; `runner history add DIR` adds the run later" in said.err
    assert fake_executor.launched
