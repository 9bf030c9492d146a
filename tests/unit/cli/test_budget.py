"""``runner matrix`` within a budget: whole commands, with an executor that runs in this process."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from runner import cli
from runner.report import build
from runner.results import store

OLD, NEW = "torch-2.2.2_keras-3.11.3_py3.11_cpu", "torch-2.15.0_keras-3.11.3_py3.11_cpu"
ONLY = ("--only", OLD, "--only", NEW, "--probe", "speed")
STEP = "overhead.step_s"
"""A headline figure of the probe ``speed``, which reads no data."""
WALL_S = 0.5
"""What a process of the executor takes."""


def _steps(seconds: float, name: str = STEP, noise: float = 0.001) -> list[dict[str, Any]]:
    """A figure of each round: the same, but for some noise."""
    return [
        {
            "metrics": [
                {"name": name, "value": seconds * (1 + noise * (number * 7 % 5)), "kind": "timing", "better": "lower"}
            ]
        }
        for number in range(30)
    ]


def _matrix(out: Path, *more: str) -> int:
    return cli.run(["matrix", *ONLY, "--out", str(out), *more])


def _rounds(fake: Any) -> int:
    """Rounds that both cells took; their numbers have no gaps."""
    taken = Counter(cell for cell, _, _ in fake.launched)
    numbers = {number for _, _, number in fake.launched}
    assert len(set(taken.values())) == 1
    assert numbers == set(range(len(numbers)))
    return len(numbers)


def _verdict(shown: str) -> str:
    found: str = next(
        c["verdict"] for c in json.loads(shown)["comparisons"] if c["candidate"] == NEW and c["metric"] == STEP
    )
    return found


def test_a_run_without_options_goes_on_until_it_is_decided(
    fake_executor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_executor.answers = {OLD: _steps(0.010), NEW: _steps(0.020)}
    assert _matrix(tmp_path / "out", "--format", "json") == 1
    assert _verdict(capsys.readouterr().out) == "regressed"
    assert 1 < _rounds(fake_executor) < 20


def test_rounds_alone_are_so_many_and_no_more(fake_executor: Any, tmp_path: Path) -> None:
    fake_executor.answers = {OLD: _steps(0.010), NEW: _steps(0.020)}
    assert _matrix(tmp_path / "out", "--rounds", "2") == 0
    assert _rounds(fake_executor) == 2
    record = store.load_records([tmp_path / "out"])
    assert (record.max_rounds, record.budget_s) == (None, None)


def test_rounds_with_a_budget_are_the_first_ones(fake_executor: Any, tmp_path: Path) -> None:
    fake_executor.answers = {OLD: _steps(0.010), NEW: _steps(0.020)}
    assert _matrix(tmp_path / "one", "--budget", "2s", "--rounds", "3") == 0  # used by the first rounds
    assert _rounds(fake_executor) == 3
    fake_executor.launched.clear()
    assert _matrix(tmp_path / "two", "--budget", "1h", "--rounds", "3") == 1
    assert 3 < _rounds(fake_executor) < 20


def test_a_budget_is_not_exceeded_by_what_cannot_be_decided_in_it(fake_executor: Any, tmp_path: Path) -> None:
    fake_executor.answers = {OLD: _steps(0.010, noise=0.02), NEW: list(reversed(_steps(0.0104, noise=0.02)))}
    assert _matrix(tmp_path / "out", "--budget", "12s") == 0
    assert len(fake_executor.launched) * WALL_S <= 12
    assert _rounds(fake_executor) >= 1


def test_a_budget_that_is_too_short_is_one_round(fake_executor: Any, tmp_path: Path) -> None:
    fake_executor.answers = {OLD: _steps(0.010), NEW: _steps(0.020)}
    assert _matrix(tmp_path / "out", "--budget", "0.1s") == 0
    assert _rounds(fake_executor) == 1


def test_no_limit_is_as_many_rounds_as_it_takes(fake_executor: Any, tmp_path: Path) -> None:
    fake_executor.answers = {
        OLD: [{**answer, "wall_s": 1e6} for answer in _steps(0.010)],
        NEW: [{**answer, "wall_s": 1e6} for answer in _steps(0.020)],
    }
    assert _matrix(tmp_path / "out", "--budget", "none") == 1
    assert 1 < _rounds(fake_executor) < 20


def test_what_is_no_headline_figure_gets_no_further_round(fake_executor: Any, tmp_path: Path) -> None:
    fake_executor.answers = {OLD: _steps(0.010, "import_s"), NEW: _steps(0.020, "import_s")}
    assert _matrix(tmp_path / "out") == 0
    assert _rounds(fake_executor) == 1


def test_a_set_without_a_budget_is_measured_once(fake_executor: Any, tmp_path: Path) -> None:
    fake_executor.answers = {"*2.6.0_keras-3.11.3*": _steps(0.010), "*2.9.1_keras-3.11.3*": _steps(0.020)}
    words = ("--set", "full", "--only", "torch-2.6.0_keras-3.11.3*_cpu", "--only", "torch-2.9.1_keras-3.11.3*_cpu")
    assert cli.run(["matrix", *words, "--probe", "speed", "--out", str(tmp_path / "out")]) == 0
    assert _rounds(fake_executor) == 1


def test_rounds_are_interleaved_their_seeds_count_up_and_the_first_cell_alternates(
    fake_executor: Any, tmp_path: Path
) -> None:
    fake_executor.answers = {OLD: _steps(0.010), NEW: _steps(0.020)}
    assert _matrix(tmp_path / "out", "--seed", "5") == 1
    launched = fake_executor.launched
    assert [number for _, _, number in launched] == [n for n in range(_rounds(fake_executor)) for _ in "ab"]
    leads = [cell for cell, _, _ in launched[::2]]
    assert all(a != b for a, b in pairwise(leads))
    assert {(sample.round, sample.seed) for sample in store.load([tmp_path / "out"])} == {
        (n, n + 5) for n in range(_rounds(fake_executor))
    }


def test_a_second_run_runs_nothing_and_judges_once(
    fake_executor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_executor.answers = {OLD: _steps(0.010), NEW: _steps(0.020)}
    assert _matrix(tmp_path / "out") == 1
    first = capsys.readouterr().out
    fake_executor.launched.clear()
    fake_executor.prepared.clear()
    made: list[int] = []
    real = build.report

    def counted(*arguments: Any, **more: Any) -> Any:
        made.append(len(arguments[0]))
        return real(*arguments, **more)

    monkeypatch.setattr(build, "report", counted)
    assert _matrix(tmp_path / "out") == 1
    shown = capsys.readouterr()
    assert (fake_executor.launched, fake_executor.prepared) == ([], [])
    assert len(made) == 1
    assert shown.out == first
    assert "decided" not in shown.err


def test_a_run_that_was_stopped_goes_on_where_it_stopped(
    fake_executor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = {OLD: _steps(0.010), NEW: _steps(0.020)}

    def stops(cell: str) -> Any:
        def answer(request: dict[str, Any]) -> dict[str, Any]:
            if request["round"] == 2:
                os.kill(os.getpid(), signal.SIGINT)
                return {"exit_code": 130}
            return steps[cell][int(request["round"])]

        return answer

    fake_executor.answers = {OLD: stops(OLD), NEW: stops(NEW)}
    assert _matrix(tmp_path / "out", "--format", "json") == 130
    assert {
        probe["n"] for cell in json.loads(capsys.readouterr().out)["cells"] for probe in cell["probes"].values()
    } == {2}
    fake_executor.launched.clear()
    fake_executor.answers = steps
    assert _matrix(tmp_path / "out", "--format", "json") == 1
    assert min(number for _, _, number in fake_executor.launched) == 2
    assert _verdict(capsys.readouterr().out) == "regressed"


def test_a_report_of_the_folder_has_the_verdicts_of_the_run(
    fake_executor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_executor.answers = {OLD: _steps(0.010), NEW: _steps(0.020)}
    assert _matrix(tmp_path / "out", "--budget", "1h", "--format", "json") == 1
    first = json.loads(capsys.readouterr().out)
    assert cli.run(["report", str(tmp_path / "out"), "--format", "json"]) == 1
    again = json.loads(capsys.readouterr().out)
    assert again["comparisons"] == first["comparisons"]
    record = store.load_records([tmp_path / "out"])
    assert (record.max_rounds, record.budget_s) == (20, 3600.0)


@pytest.mark.parametrize("words", [(), ("--max-rounds", "20")], ids=["budget", "max-rounds"])
def test_fresh_measures_the_further_rounds_again(fake_executor: Any, tmp_path: Path, words: tuple[str, ...]) -> None:
    fake_executor.answers = {OLD: _steps(0.010), NEW: _steps(0.020)}
    assert _matrix(tmp_path / "out", *words) == 1
    before = list(fake_executor.launched)
    fake_executor.launched.clear()
    assert _matrix(tmp_path / "out", "--fresh", *words) == 1
    assert fake_executor.launched == before


def test_ctrl_c_while_it_judges_reports_what_was_measured(
    fake_executor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_executor.answers = {OLD: _steps(0.010), NEW: _steps(0.020)}
    real, made = build.report, []

    def stopped(*arguments: Any, **more: Any) -> Any:
        made.append(len(arguments[0]))
        if len(made) == 2:
            raise KeyboardInterrupt
        return real(*arguments, **more)

    monkeypatch.setattr(build, "report", stopped)
    assert _matrix(tmp_path / "out", "--format", "json") == 130
    shown = json.loads(capsys.readouterr().out)
    assert {probe["n"] for cell in shown["cells"] for probe in cell["probes"].values()} == {2}


def test_a_cell_that_failed_in_a_further_round_is_not_asked_again(
    fake_executor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    crashed = {"exit_code": 139, "log": "signal 11"}
    fake_executor.answers = {OLD: _steps(0.010), NEW: [*_steps(0.020)[:2], crashed]}
    assert _matrix(tmp_path / "out", "--format", "json") == 1
    first = capsys.readouterr().out
    assert max(number for _, _, number in fake_executor.launched) == 2
    fake_executor.launched.clear()
    assert _matrix(tmp_path / "out", "--format", "json") == 1
    assert fake_executor.launched == []
    assert json.loads(capsys.readouterr().out)["comparisons"] == json.loads(first)["comparisons"]


def test_a_log_has_a_line_when_a_verdict_falls_and_the_table_once(
    fake_executor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_executor.answers = {OLD: _steps(0.010), NEW: _steps(0.020)}
    assert _matrix(tmp_path / "out") == 1
    shown = capsys.readouterr()
    (line,) = [line for line in shown.err.splitlines() if line.endswith(", decided")]
    assert line.startswith(f"round {_rounds(fake_executor)}: torch 2.15.0")
    assert "torch 2.2.2" in line
    assert "round 2: 2 processes, 9 min 59 s of the budget left" in shown.err.splitlines()
    assert shown.out.count("exit code 1") == 1


def test_eviction_is_one_round_of_one_environment_after_the_other(
    fake_executor: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("runner.measure.rounds.still_needed", lambda _waiting: ())
    fake_executor.answers = {OLD: _steps(0.010), NEW: _steps(0.020)}
    assert _matrix(tmp_path / "out", "--keep", "1") == 3  # timings of two blocks do not compare
    assert _rounds(fake_executor) == 1
    notes = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note     one round: --keep")]
    assert len(notes) == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "up to 20 in all, as long as 10 min of measuring last"),
        (("--budget", "90s", "--max-rounds", "8"), "headline figures, up to 8 in all, as long as 1 min 30 s"),
        (("--budget", "none"), "headline figures, up to 20 in all."),
        (("--max-rounds", "8"), "undecided timings, up to 8 in all."),
        (("--rounds", "2"), ""),
    ],
)
def test_a_dry_run_says_which_rounds_follow(
    fake_executor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    assert _matrix(tmp_path / "out", "--dry-run", *words) == 0
    shown = capsys.readouterr().out
    assert told in shown
    assert ("further rounds" in shown) == bool(told)
    assert fake_executor.launched == []


def test_the_budget_of_a_set_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["list"]) == 0
    shown = capsys.readouterr()
    assert "note: budget: 10 min of measuring" in shown.err
    assert "budget" not in shown.out  # programs read the ids
    assert cli.run(["list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["budget_s"] == 600
    assert cli.run(["list", "--sets"]) == 0
    assert "(default, budget 10m)" in capsys.readouterr().out


def test_a_dry_run_refuses_what_the_run_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["matrix", "--keep", "1", "--budget", "10m", "--dry-run"]) == 2
    assert "--budget needs all images at once" in capsys.readouterr().err
