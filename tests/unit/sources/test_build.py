"""What a source states about its build, and what a failed build means for the user."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import SourceError, UnbuildableError, UsageError
from runner.model import Outcome
from runner.sources import build
from runner.sources.build import Backend
from runner.sources.checkout import Tree
from runner.sources.given import Given

GIVEN = Given("--source", "keras", "../keras")
LEGACY = Backend("setuptools.build_meta:__legacy__", ("setuptools",))


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (
            {"pyproject.toml": '[build-system]\nrequires = ["hatchling>=1"]\nbuild-backend = "hatchling.build"\n'},
            Backend("hatchling.build", ("hatchling>=1",)),
        ),
        ({"pyproject.toml": '[build-system]\nrequires = ["setuptools"]\n'}, LEGACY),
        ({"pyproject.toml": '[project]\nname = "x"\n'}, LEGACY),
        ({"setup.py": ""}, LEGACY),
        ({"pyproject.toml": "[tool.ruff]\n", "setup.py": ""}, LEGACY),
        (
            {"pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["tools"]\n'},
            Backend("own", (), ("tools",)),
        ),
    ],
)
def test_the_backend_is_the_one_that_the_source_names(tmp_path: Path, files: dict[str, str], found: Backend) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert build.backend(tmp_path) == found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "no build backend: it has neither pyproject.toml with"),
        ("[tool.ruff]\n", "no build backend: it has neither pyproject.toml with"),
        ("[build-system\n", "its pyproject.toml cannot be read: "),
        ("[build-system]\nrequires = 3\n", "is not as PEP 517 describes it"),
        ("[build-system]\nrequires = [3]\n", "is not as PEP 517 describes it"),
        ('[build-system]\nbuild-backend = ["x"]\n', "is not as PEP 517 describes it"),
        ('[build-system]\nbuild-backend = "x"\nbackend-path = ["../y"]\n', "leaves the source"),
        ('[build-system]\nbuild-backend = "x"\nbackend-path = ["/y"]\n', "leaves the source"),
    ],
)
def test_a_source_that_cannot_be_built_is_refused(tmp_path: Path, text: str | None, reason: str) -> None:
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(SourceError) as caught:
        build.backend(tmp_path)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("error", "log", "kind", "line"),
    [
        (
            "InvalidVersion: Invalid version: 'main'",
            "",
            SourceError,
            "--source keras=../keras: its version 'main' is not one by PEP 440 (example: 3.16.0)",
        ),
        (
            "URLError: <urlopen error [Errno -3] Temporary failure in name resolution>",
            "",
            SourceError,
            (
                "--source keras=../keras: its build needs the network, and a build has none: "
                "name all packages that it needs in [build-system] requires"
            ),
        ),
        (
            "SystemExit: 1",
            "compiling\nfatal error: Python.h: No such file\n\n",
            UnbuildableError,
            "--source keras=../keras: its build failed: fatal error: Python.h: No such file",
        ),
        (
            "OSError: 'a'\nis not there",
            "",
            UnbuildableError,
            "--source keras=../keras: its build failed: OSError: 'a' is not there",
        ),
    ],
)
def test_a_failed_build_is_explained_in_one_line(error: str, log: str, kind: type[Exception], line: str) -> None:
    found = build.failure(GIVEN, error, log)
    assert type(found) is kind
    assert str(found) == line


def test_where_builds_can_reach_the_network_its_absence_is_not_the_fault_of_the_source() -> None:
    found = build.failure(GIVEN, "URLError: Temporary failure in name resolution", "", closed=False)
    assert type(found) is UsageError


def test_a_build_that_left_nothing_is_explained_by_its_end() -> None:
    def ended(*, oom: bool = False, timed_out: bool = False) -> str:
        return build.ending(Outcome(137, 9, oom, timed_out, 1.0, ""))

    assert ended(timed_out=True) == "it did not end within 30 minutes"
    assert ended(oom=True) == "it ran out of memory"
    assert ended() == "exit code 137"


@pytest.mark.parametrize(
    ("commit", "dirty", "label"),
    [
        ("1a2b3c4d5e", False, "g1a2b3c4"),
        ("1a2b3c4d5e", True, "g1a2b3c4.dirty9f8e7d6"),
        ("", False, "t9f8e7d6"),
    ],
)
def test_a_local_version_names_commit_and_changes(commit: str, dirty: bool, label: str) -> None:
    assert Tree("9f8e7d6c5b", commit, dirty, "", {}).label(7) == label
