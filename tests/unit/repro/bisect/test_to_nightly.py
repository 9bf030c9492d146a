"""``runner bisect --to nightly``: from the release on to the night."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner import cli
from runner.environments import index
from runner.errors import Cause, OutageError

RELEASES = ("3.12.0", "3.13.0", "3.13.1", "3.14.0", "3.14.1", "3.15.0")
DAYS = {"3.12.0": "2025-10-27", "3.13.0": "2025-12-17", "3.13.1": "2026-01-13", "3.14.0": "2026-04-02",
        "3.14.1": "2026-05-06", "3.15.0": "2026-06-24"}  # fmt: skip
NIGHTS = (
    *(f"3.13.0.dev202510{day:02}04" for day in range(20, 31)),
    *(f"3.14.0.dev202512{day:02}04" for day in range(10, 20)),
    *(f"3.14.0.dev202604{day:02}04" for day in range(1, 4)),
    *(f"3.15.0.dev202605{day:02}04" for day in range(1, 11)),
    "3.15.0.dev2026062504",
)


@pytest.fixture(autouse=True)
def _index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "published", lambda *_, **__: RELEASES)
    monkeypatch.setattr(index, "nightly_builds", lambda *_: NIGHTS)
    monkeypatch.setattr(index, "yanked", lambda *_: "")
    monkeypatch.setattr(
        index, "uploaded", lambda _package, asked, _python: {one: DAYS[one] for one in asked if one in DAYS}
    )


@pytest.fixture
def bad(fake_executor: Any) -> Any:
    """Which releases and nights are bad: a set of versions and a function of nights."""

    def chosen(releases: set[str], first_night: str, last_night: str = "9") -> None:
        nights = {night for night in NIGHTS if first_night <= night.partition(".dev")[2] <= last_night}
        fake_executor.answers = {
            f"*keras-{version}_*": {"exit_code": int(version in releases | nights), "log": "", "wall_s": 1.0}
            for version in (*RELEASES, *NIGHTS)
        }

    return chosen


def run(tmp_path: Path, *more: str, good: str = "3.13.0", bad_end: str = "3.15.0") -> int:
    (tmp_path / "s.py").write_text("print()")
    return cli.run([
        "bisect", "keras", "--good", good, "--bad", bad_end, "--pin", "jax==0.4.35", "--python", "3.11",
        "--script", str(tmp_path / "s.py"), "--out", str(tmp_path / "out"), "--executor", "docker",
        "--to", "nightly", *more,
    ])  # fmt: skip


def versions_of(fake_executor: Any) -> list[str]:
    return [cell.split("_")[1].removeprefix("keras-") for cell, _, _ in fake_executor.launched]


def test_the_night_is_found_and_the_report_names_the_release_too(
    tmp_path: Path, fake_executor: Any, bad: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    bad({"3.15.0"}, "20260505")
    assert run(tmp_path) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("## keras 3.15.0.dev2026050504 is the first bad nightly build\n")
    assert "- **last good**: keras 3.15.0.dev2026050404" in shown.out
    assert (
        "- **before that**: keras 3.15.0 (2026-06-24) is the first bad release, 3.14.1 the last good one\n" in shown.out
    )
    assert "13 nightly builds of keras, at most 6 tests" in shown.err
    nights = [version for version in versions_of(fake_executor) if ".dev" in version]
    assert nights[:2] == ["3.14.0.dev2026040204", "3.15.0.dev2026062504"]
    assert len(nights) == len(set(nights)) <= 6


def test_a_patch_release_is_not_on_the_line_of_nights_but_they_may_enclose_it(
    tmp_path: Path, bad: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    bad({"3.14.1", "3.15.0"}, "20260503")
    assert run(tmp_path, bad_end="3.14.1") == 0
    assert "## keras 3.15.0.dev2026050304 is the first bad nightly build" in capsys.readouterr().out


def test_where_the_branch_left_earlier_the_nights_of_the_branch_before_are_searched(
    tmp_path: Path, bad: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    bad({"3.14.0", "3.14.1", "3.15.0"}, "20251215")
    assert run(tmp_path) == 0
    shown = capsys.readouterr()
    assert "3.14.0.dev2025121704 is bad already: on from the night before 3.12.0" in shown.err
    assert "## keras 3.14.0.dev2025121504 is the first bad nightly build" in shown.out


@pytest.mark.parametrize(
    ("releases", "first", "why"),
    [
        (
            {"3.14.0", "3.14.1", "3.15.0"},
            "2025",
            "are both bad: the main line had it before the branch of 3.13.1, which does not",
        ),
        ({"3.14.1", "3.15.0"}, "9", "are both good: what changed 3.14.1 is on its branch alone, and no night has it"),
    ],
)
def test_nights_that_do_not_enclose_it_leave_the_release_and_exit_code_3(
    tmp_path: Path, bad: Any, capsys: pytest.CaptureFixture[str], releases: set[str], first: str, why: str
) -> None:
    bad(releases, first)
    assert run(tmp_path) == 3
    shown = capsys.readouterr()
    assert shown.out.startswith(f"## keras {min(releases)} is the first bad release\n")
    assert "- **not narrowed further**: the night is not known: the nightly builds " in shown.out
    assert why in shown.out
    assert "not narrowed to the night: " in shown.err


def test_a_second_command_tests_nothing(tmp_path: Path, fake_executor: Any, bad: Any) -> None:
    bad({"3.15.0"}, "20260505")
    assert run(tmp_path) == 0
    fake_executor.launched.clear()
    assert run(tmp_path) == 0
    assert fake_executor.launched == []


def test_a_lost_index_is_no_answer(
    tmp_path: Path, fake_executor: Any, bad: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad({"3.15.0"}, "20260505")

    def lost(*_: object) -> tuple[str, ...]:
        raise OutageError(Cause.NETWORK, "the package index cannot be reached", "check the network")

    with monkeypatch.context() as patched:
        patched.setattr(index, "nightly_builds", lost)
        assert run(tmp_path) == 3
    assert "runner: the package index cannot be reached: check the network" in capsys.readouterr().err
    releases = versions_of(fake_executor)
    fake_executor.launched.clear()
    assert run(tmp_path) == 0
    assert not set(releases) & set(versions_of(fake_executor))


def test_ends_that_are_nights_need_no_release(
    tmp_path: Path, fake_executor: Any, bad: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    bad(set(), "20260505")
    assert run(tmp_path, good="nightly-2026-04-02", bad_end="nightly") == 0
    assert "## keras 3.15.0.dev2026050504 is the first bad nightly build" in capsys.readouterr().out
    assert all(".dev" in version for version in versions_of(fake_executor))


def test_a_package_without_nights_is_said_after_the_release(
    tmp_path: Path, bad: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad({"3.15.0"}, "9")
    monkeypatch.setattr(index, "nightly_builds", lambda *_: ())
    assert run(tmp_path) == 3
    assert "compat.toml names no package with nightly builds of keras" in capsys.readouterr().out
