"""Runs from the branch `results` of a real git repository, as nightly.yml makes it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runner import cli, history
from runner.model import Cell, Kind, Metric, Sample, Status
from runner.results import store

CELL = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


def git(repository: Path, *words: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "protocol.file.allow=always"]
    done = subprocess.run(["git", *who, "-C", str(repository), *words], check=True, capture_output=True, text=True)
    return done.stdout


def report(folder: Path, set_name: str, day: int, hour: int = 1) -> None:
    """What the artifact `report-SET` of one night holds."""
    (folder / "report").mkdir(parents=True)
    (folder / "report" / "report.html").write_text("<p>a report")
    there = store.Store(folder / "merged" / "shards" / f"shard-linux-01-of-{set_name}")
    there.open()
    record = store.RunRecord(set_name=set_name, cells=(CELL,))
    for place in (there, store.Store(folder / "merged" / "plan")):
        place.out.mkdir(parents=True, exist_ok=True)
        place.record(record)
    began = f"2026-11-{day:02}T{hour:02}:30:00+00:00"
    metrics = (Metric("free.step_s", 0.1 * day, Kind.TIMING, unit="s"),)
    there.save(Sample(CELL, "e", "mnist", {}, 0, 0, "docker", Status.OK, "", metrics, started=began, key=f"{day}"))


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A repository whose branch `results` has two nights of two sets, and that is on another branch."""
    repository = tmp_path / "repository"
    repository.mkdir()
    git(repository, "init", "--quiet", "-b", "results")
    for day in (11, 12):
        for number, name in enumerate(("full", "mps")):
            report(repository / f"2026-11-{day}-77{day}" / f"report-{name}", name, day, number + 1)
        git(repository, "add", "--all")
        git(repository, "commit", "--quiet", "-m", f"night {day}")
    (repository / "index.html").write_text("not a night")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "-m", "a page")
    git(repository, "checkout", "--quiet", "--orphan", "main")
    git(repository, "rm", "-r", "-f", "--quiet", ".")
    git(repository, "commit", "--quiet", "--allow-empty", "-m", "code")
    return repository


Said = Callable[[], tuple[str, str]]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    def read() -> tuple[str, str]:
        found = capsys.readouterr()
        return found.out, found.err

    return read


def test_every_set_of_every_night_is_a_run(published: Path, tmp_path: Path, said: Said) -> None:
    path = tmp_path / "h.sqlite"
    words = ["history", "import", "--branch", "results", str(published), "--history", str(path)]
    assert cli.run(words) == 0
    out, errors = said()
    assert errors == ""
    assert [line.partition(":")[0] for line in out.splitlines()] == [
        f"2026-11-{day}-77{day}/report-{name}" for day in (11, 12) for name in ("full", "mps")
    ]
    with history.read(path) as database:
        assert [(run.set_name, run.started[:10]) for run in database.runs()] == [
            ("full", "2026-11-11"), ("mps", "2026-11-11"), ("full", "2026-11-12"), ("mps", "2026-11-12"),
        ]  # fmt: skip
    assert cli.run(words) == 0
    assert said()[0].count("nothing new") == 4
    assert git(published, "status", "--porcelain") == ""
    assert git(published, "branch", "--show-current") == "main\n"


def test_a_clone_has_the_branch_of_its_origin(published: Path, tmp_path: Path, said: Said) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(published), str(clone))
    path = tmp_path / "h.sqlite"
    assert cli.run(["history", "import", "--branch", "results", str(clone), "--history", str(path)]) == 0
    assert said()[0].count("new run") == 4


def test_a_checked_out_branch_gives_the_same_runs(published: Path, tmp_path: Path) -> None:
    git(published, "checkout", "--quiet", "results")
    a, b = tmp_path / "a.sqlite", tmp_path / "b.sqlite"
    assert cli.run(["history", "import", str(published), "--history", str(a)]) == 0
    assert cli.run(["history", "import", "--branch", "results", str(published), "--history", str(b)]) == 0
    with history.read(a) as one, history.read(b) as other:
        assert one.runs() == other.runs()


@pytest.mark.parametrize(
    ("branch", "problem"),
    [
        ("nothing", "has no branch 'nothing'; `git fetch origin nothing` brings it here"),
        ("--help", "has no branch '--help'"),
        ("main", "branch 'main' has no results: folders as 2026-08-14-123456 are expected there"),
    ],
)
def test_a_branch_without_results_is_named(
    published: Path, tmp_path: Path, said: Said, branch: str, problem: str
) -> None:
    path = tmp_path / "h.sqlite"
    assert cli.run(["history", "import", f"--branch={branch}", str(published), "--history", str(path)]) == 2
    assert problem in said()[1]
    assert not path.exists()


def test_a_folder_that_is_not_a_repository_is_named(tmp_path: Path, said: Said) -> None:
    for folder, problem in ((tmp_path, "not a git repository"), (tmp_path / "none", "no such folder")):
        assert cli.run(["history", "import", "--branch", "results", str(folder), "--history", "h"]) == 2
        assert problem in said()[1]
