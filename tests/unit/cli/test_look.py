"""``runner report --open``: the page is written next to the results, and a browser is asked to show it."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import pytest

from runner import cli
from runner.cli import look
from runner.model import Cell, Sample, Status
from runner.results.store import Store

CELL = Cell("torch", "2.2.2", "3.8.0", "3.11", "cpu")
SAMPLE = Sample(
    cell=CELL, environment_id="e", probe="mnist", settings={}, round=0, seed=0, executor="docker", status=Status.OK,
    reason="", key="k" * 12,
)  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that a browser was asked to show."""
    found: list[str] = []

    def show(address: str) -> bool:
        found.append(address)
        return True

    monkeypatch.setattr(webbrowser, "open", show)
    monkeypatch.setenv("DISPLAY", ":0")
    return found


def test_the_page_is_written_next_to_the_results_and_opened(
    tmp_path: Path, asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Store(tmp_path).save(SAMPLE)
    assert cli.run(["report", str(tmp_path), "--open"]) == 0
    path = tmp_path / "report.html"
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert asked == [path.as_uri()]
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", f"opened {path}\n")
    assert cli.run(["report", str(tmp_path)]) == 0  # the page is no result


def test_without_a_screen_the_page_is_written_and_its_place_is_printed(
    tmp_path: Path, asked: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    Store(tmp_path).save(SAMPLE)
    assert cli.run(["report", str(tmp_path), "--open"]) == 0
    assert asked == []
    assert f"wrote {tmp_path / 'report.html'} (no browser" in capsys.readouterr().err


def test_a_browser_that_does_not_start_is_no_error(
    tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: str) -> bool:
        raise webbrowser.Error("none")

    monkeypatch.setattr(webbrowser, "open", refuse)
    assert look.at(["text"], [tmp_path]).read_text(encoding="utf-8") == "text"
    assert asked == []


def test_the_page_goes_to_a_temporary_folder_where_none_can_be_written(
    tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "elsewhere"))
    single = tmp_path / "one.json"
    single.write_text("{}", encoding="utf-8")
    path = look.at(["text"], [single])
    assert path.is_relative_to(tmp_path / "elsewhere")
    assert asked == [path.as_uri()]


def test_open_with_another_format_is_refused(
    tmp_path: Path, asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Store(tmp_path).save(SAMPLE)
    assert cli.run(["report", str(tmp_path), "--open", "--format", "json"]) == 2
    assert "--open shows the HTML page; leave out --format json" in capsys.readouterr().err
    assert asked == []
