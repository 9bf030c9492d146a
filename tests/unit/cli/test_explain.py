"""``runner matrix --explain``: every new finding is bisected, within the budget."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from runner import cli
from runner.cli import explain
from runner.cluster import keys, running
from runner.environments import index
from runner.errors import UsageError
from runner.judge.rules import Rules
from runner.report import build
from runner.repro.bisect import session
from runner.results import store

OLD, NEW = "*keras-3.8.0_*", "*keras-3.12.4_*"
RELEASES = ("3.8.0", "3.9.0", "3.9.1", "3.10.0", "3.11.0", "3.12.4")


@pytest.fixture(autouse=True)
def _index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "published", lambda *_, **__: RELEASES)
    monkeypatch.setattr(index, "yanked", lambda *_: "")
    monkeypatch.setattr(index, "uploaded", lambda _package, asked, _python: dict.fromkeys(asked, "2025-05-19"))


def _broken_from(fake_executor: Any, first: str, wall_s: float = 1.0) -> None:
    """``hello`` crashes from that release of Keras on."""
    bad = RELEASES[RELEASES.index(first) :]
    fake_executor.answers = {
        f"*keras-{version}_*": {
            "status": "crashed" if version in bad else "ok",
            "reason": "no such layer" if version in bad else "",
            "exit_code": int(version in bad),
            "wall_s": wall_s,
        }
        for version in RELEASES
    }


def matrix(tmp_path: Path, *more: str) -> int:
    return cli.run([
        "matrix", "--set", "keras-history", "--only", "torch-*_keras-3.8.0_*", "--only", "torch-*_keras-3.12.4_*",
        "--probe", "hello", "--executor", "docker", "--no-history", "--out", str(tmp_path / "out"), *more,
    ])  # fmt: skip


def test_a_new_finding_is_bisected_and_the_line_stands_below_it(
    tmp_path: Path, fake_executor: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    _broken_from(fake_executor, "3.10.0")
    assert matrix(tmp_path) == 1
    capsys.readouterr()
    assert matrix(tmp_path, "--explain") == 1
    shown = capsys.readouterr()
    flat = " ".join(shown.out.split())
    report = next((tmp_path / "out" / "bisect").glob("keras-*.md"))
    assert (
        "Bisected: keras 3.10.0 (2025-05-19) is the first bad release, 3.9.1 the last good one "
        f"(report: {report})." in flat
    )
    assert "next: python -m runner bisect keras --good 3.8.0 --bad 3.12.4 --cell torch-" in shown.out
    assert "bisecting: python -m runner bisect keras --good 3.8.0 --bad 3.12.4" in shown.err
    assert report.read_text().startswith("## keras 3.10.0 is the first bad release")


def test_the_same_command_bisects_nothing_again_and_report_shows_it_too(
    tmp_path: Path, fake_executor: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    _broken_from(fake_executor, "3.10.0")
    assert matrix(tmp_path, "--explain") == 1
    fake_executor.launched.clear()
    assert matrix(tmp_path, "--explain") == 1
    assert fake_executor.launched == []
    capsys.readouterr()
    assert cli.run(["report", str(tmp_path / "out"), "--no-history"]) == 1
    assert "Bisected: keras 3.10.0" in " ".join(capsys.readouterr().out.split())


def test_where_nothing_is_new_one_line_says_so(
    tmp_path: Path, fake_executor: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    _broken_from(fake_executor, "3.12.4")
    fake_executor.answers = {}
    assert matrix(tmp_path, "--explain") == 0
    assert explain.NOTHING in capsys.readouterr().err.splitlines()
    assert not (tmp_path / "out" / explain.FILE).exists()


def test_what_an_earlier_run_knew_is_not_new(
    tmp_path: Path, fake_executor: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    _broken_from(fake_executor, "3.10.0")
    words = [
        "matrix", "--set", "keras-history", "--only", "torch-*_keras-3.8.0_*", "--only", "torch-*_keras-3.12.4_*",
        "--probe", "hello", "--executor", "docker", "--history", str(tmp_path / "h.sqlite"),
    ]  # fmt: skip
    assert cli.run([*words, "--out", str(tmp_path / "one")]) == 1
    capsys.readouterr()
    assert cli.run([*words, "--out", str(tmp_path / "two"), "--fresh", "--explain"]) == 1
    assert explain.NOTHING in capsys.readouterr().err


def test_a_budget_that_is_used_ends_the_bisection_and_the_same_command_goes_on(
    tmp_path: Path, fake_executor: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    _broken_from(fake_executor, "3.10.0", wall_s=4.0)
    assert matrix(tmp_path, "--explain", "--budget", "14s") == 1  # 8 s of them by the cells
    flat = " ".join(capsys.readouterr().out.split())
    assert "Not bisected: keras 3.9.1 could not be tested: the budget is used; the same command goes on from" in flat
    before = len(fake_executor.launched)
    assert matrix(tmp_path, "--explain", "--budget", "1h") == 1
    assert "Bisected: keras 3.10.0" in " ".join(capsys.readouterr().out.split())
    assert len(fake_executor.launched) - before == 2  # of four: both ends were tested before


def test_a_bisection_that_finds_nothing_leaves_exit_code_and_report(
    tmp_path: Path, fake_executor: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> object:
        raise UsageError("both ends are good: 3.8.0 and 3.12.4 do not enclose a change")

    _broken_from(fake_executor, "3.10.0")
    monkeypatch.setattr(session, "ended", refused)
    assert matrix(tmp_path, "--explain") == 1
    flat = " ".join(capsys.readouterr().out.split())
    assert "Not bisected: both ends are good: 3.8.0 and 3.12.4 do not enclose a change." in flat


def test_ctrl_c_ends_the_bisections_and_the_report_is_printed(
    tmp_path: Path, fake_executor: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    began: list[object] = []

    def stopped(*asked: object) -> object:
        began.append(asked)
        raise KeyboardInterrupt

    wanted = explain._wanted
    _broken_from(fake_executor, "3.10.0")
    monkeypatch.setattr(session, "ended", stopped)
    monkeypatch.setattr(explain, "_wanted", lambda report: [*wanted(report), *wanted(report)])
    assert matrix(tmp_path, "--explain") == 1
    assert "Not bisected: interrupted" in capsys.readouterr().out
    assert len(began) == 1, "none of the others is begun"


def test_every_bisection_that_a_report_offers_can_be_started(
    tmp_path: Path, fake_executor: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    _broken_from(fake_executor, "3.10.0")
    assert matrix(tmp_path) == 1
    capsys.readouterr()
    report = build.from_folders([tmp_path / "out"], Rules())
    (command,) = explain._wanted(report)
    found = explain._parameters(shlex.split(command)[4:])
    assert (found["package"], found["good"], found["bad"], found["probe"]) == ("keras", "3.8.0", "3.12.4", "hello")


@pytest.mark.parametrize("content", ["", "[1]", '{"a": 1'])
def test_a_file_that_cannot_be_read_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / explain.FILE).write_text(content)
    assert explain.kept([tmp_path, tmp_path / "gone"]) == {}


def test_what_a_cluster_measured_is_bisected_here(
    tmp_path: Path, fake_executor: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _broken_from(fake_executor, "3.10.0")
    assert matrix(tmp_path) == 1

    def measured(_order: Any, work: Any, *_: Any) -> Any:
        return running.Ended(tuple(store.load([tmp_path / "out"])), work.record)

    monkeypatch.setattr(keys, "check_installed", lambda: None)
    monkeypatch.setattr(running, "run", measured)
    capsys.readouterr()
    assert matrix(tmp_path, "--explain", "--cluster", "local:2", "--out", str(tmp_path / "there")) == 1
    report = next((tmp_path / "there" / "bisect").glob("keras-*.md"))
    assert (
        f"Bisected: keras 3.10.0 (2025-05-19) is the first bad release, 3.9.1 the last good one (report: {report})."
        in (" ".join(capsys.readouterr().out.split()))
    )
