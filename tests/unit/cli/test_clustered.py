"""The options of a cluster, before anything is reached."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner import cli
from runner.cli.progress import Progress
from runner.measure.context import Event

ON = ("--scheduler", "tls://night:8786")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((*ON, "--cluster", "local:2"), "--scheduler is one that runs already, --cluster starts one"),
        (("--tls", "keys"), "--tls goes with --scheduler"),
        (("--cluster", "local:2", "--insecure"), "--insecure goes with --scheduler"),
        (("--block-minutes", "0"), "--block-minutes goes with --scheduler or --cluster"),
        ((*ON, "--keep", "2"), "only for what this machine runs"),
        ((*ON, "--keep-failed"), "--keep-failed: only for what this machine runs"),
        (("--cluster", "local:0", "--dry-run"), "is not a number of workers"),
        (("--scheduler", ""), "--scheduler is empty: give it a value, or leave it out"),
        (("--scheduler", "tcp://night:8786"), "plain TCP lets anybody"),
        (("--scheduler", "night"), "is not the address of a scheduler"),
        (("--cluster", "local:none"), "is not a number of workers"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_options_that_contradict_each_other_are_one_line(
    words: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.run(["matrix", "--set", "quick", "--out", str(tmp_path / "out"), *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line
    assert not (tmp_path / "out").exists()


def test_results_of_a_local_run_are_left_as_they_are(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    there = tmp_path / "results" / "cell" / "hello" / "0.json"
    there.parent.mkdir(parents=True)
    there.write_text("{}")
    (tmp_path / "run.json").write_text("of the earlier run")
    assert cli.run(["matrix", "--probe", "hello", "--scheduler", "tcp://127.0.0.1:1", "--out", str(tmp_path)]) == 2
    assert "has results of a run without a cluster (results/cell/hello/0.json)" in capsys.readouterr().err
    assert (tmp_path / "run.json").read_text() == "of the earlier run"


def test_the_plan_lists_blocks_and_reaches_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["matrix", "--set", "quick", "--probe", "mnist", "--probe", "conv2d", "--rounds", "2", "--dry-run"]
    assert cli.run([*words, *ON, "--block-minutes", "0"]) == 0
    *blocks, last = capsys.readouterr().out.splitlines()
    assert last == f"{len(blocks)} blocks; the cells of one are measured on one worker, one block at a time."
    timed = [line for line in blocks if "(mnist)" in line]
    free = [line for line in blocks if "(conv2d)" in line]
    assert len(timed) + len(free) == len(blocks)
    assert any(" and " in line for line in timed)
    assert not any(" and " in line for line in free)
    assert all(line.endswith(": 2 processes on one worker") for line in free)


def test_progress_shows_workers_blocks_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    lines: list[str] = []

    class Console:
        is_terminal = False

        def print(self, line: str, **_: Any) -> None:
            lines.append(line)

    shown = Progress(Console())  # type: ignore[arg-type]
    shown(Event("cluster", text="2 workers, 3 of 9 blocks, about 5 min left"))
    shown(Event("block", "torch-2.2.2_native_py3.11_cpu (mnist)", "night-1", seconds=12.34, count=4))
    (line,) = lines
    assert line.startswith("block    torch-2.2.2_native_py3.11_cpu (mnist): 4 processes, 12.3 s on night-1 ")
    assert line.endswith(" (2 workers, 3 of 9 blocks, about 5 min left)")
