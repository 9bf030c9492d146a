"""What is asked of the package index, and how its answers are read."""

from __future__ import annotations

import subprocess

import pytest

from runner.environments import index
from runner.errors import UsageError
from runner.util import versions


class TestReleases:
    def test_upload_dates_are_the_earliest_files(self) -> None:
        lock = (
            '[[package]]\nname = "keras"\nversion = "3.8.0"\nwheels = [\n'
            '{ url = "x", upload-time = "2025-01-08T01:02Z" }, { url = "y", upload-time = "2025-01-07T01:02Z" }]\n'
        )
        assert index.upload_date(lock, "keras") == "2025-01-07"
        assert index.upload_date(lock, "torch") == ""

    def test_prereleases_are_known(self) -> None:
        assert [v for v in ("2.0", "2.0rc1", "2.0.dev3", "2.0.post1", "2.0a1") if versions.is_prerelease(v)] == [
            "2.0rc1", "2.0.dev3", "2.0a1"
        ]  # fmt: skip

    @pytest.mark.parametrize(("version", "found"), [("2.2.9", "2.2.2"), ("1.0", "2.1.0"), ("9", "2.3.0")])
    def test_the_nearest_release_is_offered(self, version: str, found: str) -> None:
        assert index.nearest(version, ["2.1.0", "2.2.2", "2.3.0"]) == found

    def test_what_the_index_does_not_have_is_told_with_the_nearest_that_it_has(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def published(package: str, _python: str, *, prereleases: bool = False) -> tuple[str, ...]:
            assert prereleases
            if package != "torch":
                raise UsageError(f"the package index has no {package!r}")
            return ("2.1.0", "2.2.2", "2.3.0rc1", "2.3.0")

        monkeypatch.setattr(index, "published", published)
        assert index.unknown(("torch==2.2.2+cpu", "torch==2.3", "torch"), "3.11") == []
        assert index.unknown(("torch==2.2.9", "scipyy"), "3.11") == [
            "torch 2.2.9: no such release with a wheel for Python 3.11; the nearest is 2.2.2",
            "the package index has no 'scipyy'",
        ]

    def test_the_index_is_asked_for_a_framework_by_its_name_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []

        def run(command: list[str], *_: object) -> subprocess.CompletedProcess[str]:
            asked.extend(command)
            return subprocess.CompletedProcess(
                command, 0, "paddlepaddle (3.3.1)\nAvailable versions: 3.3.1, 3.3.0\n", ""
            )

        monkeypatch.setattr(index, "_run", run)
        assert index.published("paddle", "3.11", prereleases=True) == ("3.3.0", "3.3.1")
        assert "paddlepaddle" in asked
        assert "paddle" not in asked

    def test_a_name_that_is_none_asks_nobody(self) -> None:
        with pytest.raises(UsageError, match="not a name of a package"):
            index.published("--index-url", "3.11")
