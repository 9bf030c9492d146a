"""``runner bisect --source`` on real git repositories with real builds; only the cells are pretended.

A cell would need a framework. What a commit changes is read from the wheel that was built of it.
"""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner import cli
from runner.environments import index, wheels
from runner.errors import Cause, OutageError, UsageError
from runner.executors import Prepared
from runner.machine import facts
from runner.model import Environment
from runner.repro.bisect import commits, nights, trials
from runner.repro.bisect.search import Mark
from runner.sources import build, history

PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "own_backend"\nbackend-path = ["tools"]\n'
BACKEND = """\
import os, zipfile, pathlib
def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "own_package-1.2.0-py3-none-any.whl"
    info = "own_package-1.2.0.dist-info/"
    text = pathlib.Path("own_package.py").read_text()
    compile(text, "own_package.py", "exec")
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        archive.writestr("own_package.py", text)
        archive.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: own-package\\nVersion: 1.2.0\\n")
        archive.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr(info + "RECORD", "")
    return name
"""


class Repository:
    """A project whose module says whether it is good."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "tools").mkdir(parents=True)
        (folder / "pyproject.toml").write_text(PYPROJECT)
        (folder / "tools" / "own_backend.py").write_text(BACKEND)
        self.git("init", "--quiet")
        self.number = 0

    def git(self, *words: str) -> str:
        own = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "init.defaultBranch=main"]
        done = subprocess.run(["git", *own, *words], cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, module: str | None, subject: str, tag: str = "") -> str:
        """Commit a module, or a file beside it (None). Returns the name of the commit."""
        self.number += 1
        (self.folder / "NOTES").write_text(f"{self.number}")
        if module is not None:
            (self.folder / "own_package.py").write_text(module)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", subject)
        if tag:
            self.git("tag", tag)
        return self.head

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")[:12]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Eight commits on the main line; the sixth breaks it. ``v1.0`` and ``v2.0`` are its ends."""
    made = Repository(tmp_path / "own")
    made.commit("good = 0\n", "Begin", "v1.0")
    made.commit("good = 1\n", "Add a function (#1)")
    made.commit(None, "Update the notes (#2)")
    made.commit("good = 2\n", "Make it faster (#3)")
    made.commit("good = 3\n", "Rename (#4)")
    made.commit("bad = 4\n", "Rewrite the core (#5)")
    made.commit(None, "Update the notes (#6)")
    made.commit("bad = 5\n", "Release 2.0", "v2.0")
    return made


@pytest.fixture
def tested(fake_cells: list[str]) -> list[str]:
    """The versions that were tested, in order."""
    return fake_cells


@pytest.fixture
def fake_cells(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Cells are not made; the trial reads the wheel of the version."""
    ran: list[str] = []

    def prepare(_self: object, environment: Environment, _say: object) -> Prepared:
        return Prepared(environment, "python", packages={"jax": "0.4.35"})

    def run(_self: object, place: Any, *_: object) -> trials.Result:
        (line,) = [one for one in place.environment.custom.pins if one.startswith("own-package==")]
        version = line.partition("==")[2]
        if "+g" not in version:  # a release of the index
            return trials.Result(Mark.GOOD if version == "1.0" else Mark.BAD, "", [], 0.1)
        kept = wheels.find("own-package", version)
        assert kept is not None
        ran.append(version.partition("+g")[2])
        with zipfile.ZipFile(kept.path) as archive:
            text = archive.read("own_package.py").decode()
        if text.startswith("silent"):
            return trials.Result(Mark.SKIP, "exit code 125", ["skip"], 0.1)
        return trials.Result(Mark.GOOD if text.startswith("good") else Mark.BAD, text.strip(), [], 0.1)

    def plain_python(_executor: object, given: Any, _folder: Path) -> Prepared:
        return Prepared(Environment(given.package, "0", None, "3.11", "cpu", facts.here().platform), sys.executable)

    monkeypatch.setattr(build, "_prepared", plain_python)  # the backend needs no package, so no environment
    monkeypatch.setattr("runner.executors.host.HostExecutor.prepare", prepare)
    monkeypatch.setattr("runner.executors.host.HostExecutor.discard", lambda *_: None)
    monkeypatch.setattr(trials.ScriptTrial, "run", run)
    return ran


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every real build, by the commit."""
    made: list[str] = []
    real = build._built

    def counted(given: Any, tree: Any, *more: Any) -> Path:
        made.append(tree.commit[:12])
        return real(given, tree, *more)

    monkeypatch.setattr(build, "_built", counted)
    return made


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(repository: Repository, fake_cells: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command; returns the exit code and what it printed."""
    (tmp_path / "s.py").write_text("print()")

    def bisect(good: str, bad: str, *more: str, source: str | None = None) -> tuple[int, str, str]:
        arguments = [
            "bisect", "own-package", "--good", good, "--bad", bad, "--python", "3.11", "--executor", "host",
            "--cell", "jax-0.4.35_keras-3.8.0_py3.11_cpu", "--script", str(tmp_path / "s.py"),
            "--out", str(tmp_path / "out"), "--source", source or str(repository.folder), *more,
        ]  # fmt: skip
        code = cli.run(arguments)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return bisect


class TestLine:
    def test_the_commit_is_found_with_its_subject_and_pull_request(
        self, run: Run, repository: Repository, builds: list[str]
    ) -> None:
        repository.git("remote", "add", "origin", "git@github.com:someone/own.git")
        broke = repository.git("rev-parse", "v2.0~2")
        code, out, err = run("v1.0", "v2.0")
        assert code == 0, err
        day = repository.git("show", "-s", "--format=%as", broke)
        assert out.startswith(f"## own-package {broke[:12]} is the first bad commit\n")
        assert f'- **first bad**: own-package {broke[:12]} ({day}) "Rewrite the core (#5)" - bad = 4\n' in out
        assert f"- **commit**: https://github.com/someone/own/commit/{broke}\n" in out
        assert "- **pull request**: https://github.com/someone/own/pull/5\n" in out
        assert '"Rename (#4)" - good = 3' in out
        assert "8 commits of own-package, at most 5 builds and tests" in err
        assert len(builds) == len(set(builds)) <= 5

    def test_a_second_command_builds_and_tests_nothing(self, run: Run, builds: list[str], tested: list[str]) -> None:
        assert run("v1.0", "v2.0")[0] == 0
        before = (len(builds), len(tested))
        code, out, err = run("v1.0", "v2.0")
        assert code == 0
        assert (len(builds), len(tested)) == before
        assert "answers from before" in err
        assert "0 of them in this run, 0 builds" in out

    def test_the_command_of_the_report_tests_the_two_commits_alone(
        self, run: Run, repository: Repository, tested: list[str]
    ) -> None:
        run("v1.0", "v2.0")
        tested.clear()
        old, new = (repository.git("rev-parse", f"v2.0~{number}")[:12] for number in (3, 2))
        code, out, _ = run(old, new)
        assert code == 0
        assert f"## own-package {new} is the first bad commit" in out
        assert len(tested) == 2

    def test_commits_that_change_no_file_of_the_package_are_tested_once(
        self, run: Run, repository: Repository, tested: list[str]
    ) -> None:
        same = repository.git("rev-parse", "v2.0~1")
        code, out, _ = run("v2.0~2", same)
        assert code == 2 or "bad" in out
        assert len(tested) == 1

    def test_a_fix_is_found(self, run: Run, repository: Repository) -> None:
        fix = repository.commit("good = 6\n", "Fix the core (#7)")
        code, out, _ = run("HEAD", "v2.0", "--find-fix")
        assert code == 0
        assert out.startswith(f"## own-package {fix} is the first good commit")

    def test_commits_that_do_not_build_or_cannot_tell_are_suspects(
        self, run: Run, repository: Repository, builds: list[str]
    ) -> None:
        repository.git("checkout", "--quiet", "-b", "other", "v1.0")
        repository.commit("good = 10\n", "Still good")
        broken = repository.commit("good = = 11\n", "Does not build (#8)")
        silent = repository.commit("silent = 12\n", "Cannot tell (#9)")
        worse = repository.commit("bad = 13\n", "Is bad (#10)")
        code, out, err = run("v1.0", "other")
        assert code == 3, err
        assert out.startswith(f"## one of 3 commits of own-package is the first bad one, {worse} at the latest\n")
        assert f'  - {broken} "Does not build (#8)"\n  - {silent} "Cannot tell (#9)"\n' in out
        assert f"| {broken} Does not build (#8) | skip | --source own-package=" in out
        assert "SyntaxError" in out
        assert f"| {silent} Cannot tell (#9) | skip | exit code 125 |" in out
        assert builds

    def test_a_lost_network_is_no_answer(self, run: Run, monkeypatch: pytest.MonkeyPatch, tested: list[str]) -> None:
        real = build._install
        calls: list[str] = []

        def install(*more: Any) -> None:
            calls.append("")
            if len(calls) == 3:
                raise OutageError(Cause.NETWORK, "the package index cannot be reached", "check the network")
            real(*more)

        monkeypatch.setattr(build, "_install", install)
        code, _, err = run("v1.0", "v2.0")
        assert code == 3
        assert "could not be tested: the package index cannot be reached: check the network" in err
        assert "the same command goes on from" in err
        before = len(tested)
        code, out, err = run("v1.0", "v2.0")
        assert code == 0
        assert "Rewrite the core (#5)" in out
        assert f"{before} answers from before" in err


class TestReleases:
    """Releases are searched first; their tags are the ends of the commits."""

    @pytest.fixture(autouse=True)
    def index(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(index, "published", lambda *_, **__: ("1.0", "1.5", "2.0"))
        monkeypatch.setattr(index, "yanked", lambda *_: "")
        monkeypatch.setattr(index, "uploaded", lambda _package, asked, _python: dict.fromkeys(asked, "2026-01-02"))

    def test_from_the_release_to_the_commit(self, run: Run, repository: Repository) -> None:
        repository.git("tag", "v1.5", "v2.0~1")
        code, out, err = run("1.0", "2.0")
        assert code == 0, err
        assert '"Rewrite the core (#5)" - the same files as ' in out
        before = "own-package 1.5 (2026-01-02) is the first bad release, 1.0 the last good one"
        assert f"- **before that**: {before}\n" in out
        assert f"{before}; next, the commits between them" in err

    def test_a_release_without_a_tag_leaves_the_release(self, run: Run) -> None:
        code, out, err = run("1.0", "2.0")
        assert code == 3
        assert out.startswith("## own-package 1.5 is the first bad release\n")
        why = "no tag of own-package 1.5 in own (v1.5, 1.5); fetch the tags"
        assert "- **not narrowed further**: the commit is not known: --source" in out
        assert why in out
        assert why in err

    def test_a_release_that_differs_from_its_commits_leaves_the_release(self, run: Run, repository: Repository) -> None:
        repository.git("tag", "v1.5", "v2.0~4")  # good by its source, bad as it was published
        code, out, _ = run("1.0", "2.0")
        assert code == 3
        assert "## own-package 1.5 is the first bad release" in out
        assert "the commit is not known: both ends are good" in out

    def test_the_answers_of_both_searches_are_kept(self, run: Run, repository: Repository, tested: list[str]) -> None:
        repository.git("tag", "v1.5", "v2.0~1")
        assert run("1.0", "2.0")[0] == 0
        tested.clear()
        code, out, _ = run("1.0", "2.0")
        assert (code, tested) == (0, [])
        assert "Rewrite the core (#5)" in out


class TestNights:
    """A nightly build is the newest commit before the hour in its number."""

    @pytest.fixture
    def dated(self, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
        """Commits by the hour in which they were committed."""
        found = {}
        for hour in (2, 3, 5, 7):
            monkeypatch.setenv("GIT_COMMITTER_DATE", f"2026-10-27T{hour:02}:30:00+00:00")
            found[f"{hour}"] = repository.commit(f"good = {hour}\n", f"At {hour}")
        return found

    def test_it_is_newer_than_the_older_end_and_older_than_the_newer_one(
        self, repository: Repository, dated: dict[str, str]
    ) -> None:
        there = history.opened(str(repository.folder))
        begin, end = nights.moments("1.3.0.dev2026102706")
        assert there.before(begin - commits.EARLIER) == dated["3"]  # the checkout may be of the hour before
        assert there.before(end) == dated["5"]
        with pytest.raises(UsageError, match="no commit of own before 1999-12-31 23:00 UTC"):
            there.before(dt.datetime(1999, 12, 31, 23, tzinfo=dt.UTC))

    def test_the_main_branch_of_the_remote_counts_not_what_is_checked_out(
        self, repository: Repository, dated: dict[str, str], tmp_path: Path
    ) -> None:
        copy = tmp_path / "copy"
        repository.git("clone", "--quiet", str(repository.folder), str(copy))
        repository.git("-C", str(copy), "checkout", "--quiet", "v1.0")
        assert history.opened(str(copy)).before(nights.moments("1.3.0.dev2026102706")[1]) == dated["5"]


class TestMerges:
    @pytest.fixture
    def merge(self, repository: Repository) -> str:
        """A branch of three commits, of which the second breaks it, merged into the main line."""
        repository.git("checkout", "--quiet", "-b", "feature", "v1.0")
        repository.commit("good = 20\n", "First of the branch")
        repository.commit("bad = 21\n", "Second of the branch")
        repository.commit("bad = 22\n", "Third of the branch")
        repository.git("checkout", "--quiet", "-b", "trunk", "v1.0")
        repository.git("merge", "--quiet", "--no-ff", "--message", "Merge pull request #11 from feature", "feature")
        return repository.head

    def test_a_merge_is_one_step_of_the_line(self, run: Run, merge: str) -> None:
        code, out, err = run("v1.0", "trunk")
        assert code == 0, err
        assert out.startswith(f"## own-package {merge} is the first bad commit")
        assert "- **pull request**: #11\n" in out
        assert "- **a merge** of 3 commits; --all-parents searches these" in out
        assert "2 commits of own-package" in err

    def test_with_all_parents_the_merged_commit_is_found(self, run: Run, repository: Repository, merge: str) -> None:
        second = repository.git("rev-parse", "feature~1")[:12]
        code, out, err = run("v1.0", "trunk", "--all-parents")
        assert code == 0, err
        assert out.startswith(f"## own-package {second} is the first bad commit")
        assert f"- **before that**: own-package {merge}" in out

    def test_what_only_the_merge_brought_stays_with_the_merge(self, run: Run, repository: Repository) -> None:
        repository.git("checkout", "--quiet", "-b", "feature", "v1.0")
        repository.commit(None, "Only notes")
        repository.git("checkout", "--quiet", "-b", "trunk", "v1.0")
        repository.git("merge", "--quiet", "--no-ff", "--no-commit", "feature")
        merge = repository.commit("bad = 30\n", "Merge with a change of its own")
        code, out, err = run("v1.0", "trunk", "--all-parents")
        assert code == 0, err
        assert out.startswith(f"## own-package {merge} is the first bad commit")
        assert "the merge itself changed it" in err

    def test_a_release_on_a_branch_of_its_own_is_replaced_by_where_the_lines_part(
        self, run: Run, repository: Repository
    ) -> None:
        parting = repository.git("rev-parse", "v1.0~0")[:12]
        repository.git("checkout", "--quiet", "-b", "r1", "v1.0")
        patch = repository.commit("good = 40\n", "Patch", "v1.1")
        code, out, err = run("v1.1", "v2.0")
        assert code == 0, err
        assert f"{patch} (v1.1) is not on the first-parent line of" in err
        assert f"{parting}, where they diverge, is tested first" in err
        assert "Rewrite the core (#5)" in out
        assert f"- **{parting}**: where " in out

    def test_a_fix_on_the_branch_alone_is_not_between_the_two(self, run: Run, repository: Repository) -> None:
        repository.git("checkout", "--quiet", "-b", "r2", "v2.0~1")
        repository.commit("good = 41\n", "Patch", "v1.1")
        code, _, err = run("v1.1", "v2.0")
        assert code == 2
        assert "diverge, is bad already: the change is not between the two" in err
        assert "it was fixed on its own branch" in err


class TestBadInput:
    """Each is one clear line that says what is wrong and what to do."""

    @pytest.mark.parametrize(
        ("good", "bad", "more", "line"),
        [
            ("v1.0", "v9", [], "no commit 'v9' in own; name a commit, a tag or a branch"),
            ("v1.0", "v2.O", [], "no commit 'v2.O' in own (did you mean 'v2.0'"),
            ("deadbeef", "v2.0", [], "no commit 'deadbeef' in own; name a commit, a tag or a branch"),
            ("--all", "v2.0", [], "no commit '--all' in own; name a commit, a tag or a branch"),
            ("v2.0", "v1.0", [], "--good v2.0 is newer than --bad v1.0: swap them, or find the fix with --find-fix"),
            ("v1.0", "v2.0", ["--find-fix"], "--find-fix: --good v1.0 must be the newer one; swap them"),
            ("v1.0", "v1.0", [], "--good v1.0 and --bad v1.0 are the same commit"),
            ("3.0", "v2.0", [], "no tag of own-package 3.0 in own (v3.0, 3.0); fetch the tags"),
            ("v1.0", "v2.0", ["--to", "nightly"], "--to nightly needs releases as --good and --bad"),
            ("v1.0", "v2.0~3", [], "both ends are good"),
            ("v1.0", "v2.0", ["--source", "../other"], "one repository of own-package at a time"),
            ("v1.0", "v2.0", ["--wheel", "own-package=x.whl"], "own-package is what moves; a wheel holds another"),
        ],
    )
    def test_of_ends(self, run: Run, good: str, bad: str, more: list[str], line: str) -> None:
        code, _, err = run(good, bad, *more)
        assert code == 2
        assert line in err.splitlines()[-1]

    @pytest.mark.parametrize(
        ("place", "line"),
        [
            ("{0}x", "{0}x: no such folder (did you mean 'own'?)"),
            ("{0}@v1.0", "{0}@v1.0: leave out @v1.0: --good and --bad name the commits"),
            ("{1}/plain", "{1}/plain: it is not a git repository, so it has no commits to search"),
            ("{1}/empty", "{1}/empty: it has no commits yet"),
            ("{0}/.git", "{0}/.git: it has no working tree; clone it: git clone {0}/.git FOLDER"),
            ("git+https://example.org/x", "git+https://example.org/x: clone it first"),
        ],
    )
    def test_of_places(self, run: Run, repository: Repository, tmp_path: Path, place: str, line: str) -> None:
        (tmp_path / "plain").mkdir()
        Repository(tmp_path / "empty")
        place, line = (text.format(repository.folder, tmp_path) for text in (place, line))
        code, _, err = run("v1.0", "v2.0", source=place)
        assert code == 2
        assert err.startswith(f"runner: --source {line}")
        assert err.count("\n") == 1

    def test_of_another_package(self, run: Run, repository: Repository) -> None:
        backend = repository.folder / "tools" / "own_backend.py"
        backend.write_text(BACKEND.replace("own_package-", "other-").replace("own-package", "other"))
        repository.commit("bad = 50\n", "Another name", "v3.0")
        code, _, err = run("v2.0~1", "v3.0")
        assert code == 2
        assert "that is other 1.2.0, not own-package" in err.splitlines()[-1]

    @pytest.mark.parametrize(
        ("file", "text"),
        [
            ("pyproject.toml", '[project]\nname = "other"\n'),
            ("setup.cfg", "[metadata]\nname = other\n"),
            ("setup.py", 'import setuptools\nsetuptools.setup(packages=[], name="other")\n'),
        ],
    )
    @pytest.mark.parametrize("ends", [("1.0", "2.0"), ("v1.0", "v2.0")])
    def test_the_repository_of_another_package_is_refused_before_anything_is_tested(
        self, run: Run, repository: Repository, ends: tuple[str, str], file: str, text: str, tested: list[str]
    ) -> None:
        (repository.folder / file).write_text(text)
        code, _, err = run(*ends)
        place = repository.folder
        why = "it is the repository of other, not of own-package; give the repository of own-package, or hold this"
        assert (code, tested) == (2, [])
        assert err == f"runner: --source {place}: {why} one fixed: --source other={place}\n"

    def test_a_repository_without_a_tag_of_either_release_is_refused_before_anything_is_tested(
        self, run: Run, repository: Repository, tested: list[str]
    ) -> None:
        repository.git("tag", "--delete", "v1.0", "v2.0")
        code, _, err = run("1.0", "2.0")
        assert (code, tested) == (2, [])
        assert "no tag of own-package 1.0 in own (v1.0, 1.0); fetch the tags" in err

    def test_of_ends_without_a_common_commit(self, run: Run, repository: Repository) -> None:
        repository.git("checkout", "--quiet", "--orphan", "elsewhere")
        repository.commit("bad = 60\n", "Another beginning", "v3.0")
        code, _, err = run("v1.0", "v3.0")
        assert code == 2
        assert "have no commit in common" in err

    def test_of_a_shallow_clone(self, run: Run, repository: Repository, tmp_path: Path) -> None:
        shallow = tmp_path / "shallow"
        repository.git("checkout", "--quiet", "main")
        repository.git("clone", "--quiet", "--depth", "2", f"file://{repository.folder}", str(shallow))
        code, _, err = run("v1.0", "HEAD", source=str(shallow))
        assert code == 2
        assert f"it is a shallow clone: git -C {shallow} fetch --unshallow --tags" in err

    def test_all_parents_is_about_commits(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "s.py").touch()
        ends = ["--good", "3.8.0", "--bad", "3.9.0", "--all-parents"]
        assert cli.run(["bisect", "keras", "--script", str(tmp_path / "s.py"), *ends]) == 2
        assert "--all-parents is about commits: it goes with --source" in capsys.readouterr().err
