"""Pages and news of the nights: made by the program's own commands from folders as the branch has them."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import issues
import pages
import pytest

from runner.model import Better, Cell, Kind, Metric, Sample, Status
from runner.results.store import RunRecord, Store

OLD = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")
BROKEN = Cell("torch", "2.15.0", "3.11.3", "3.11", "cpu")
JAX = Cell("jax", "0.10.2", "3.11.3", "3.11", "cpu")


def _measured(folder: Path, date: str, set_name: str, broken: bool) -> None:
    """Results of one set in one night; torch 2.15.0 does not import where it is broken."""
    store = Store(folder / "merged/shards/linux-01")
    store.open()
    store.record(RunRecord(set_name=set_name))
    for cell in (OLD, BROKEN, JAX):
        failed = broken and cell is BROKEN
        metrics = () if failed else (Metric("free.step_s", 0.01, Kind.TIMING, Better.LOWER, "s"),)
        store.save(
            Sample(
                cell,
                f"{cell.id}_linux-x86_64",
                "mnist",
                {},
                0,
                0,
                "docker",
                Status.IMPORT_FAILED if failed else Status.OK,
                "TypeError: <script>alert(1)</script> @somebody" if failed else "",
                metrics,
                started=f"{date}T01:{17 + len(set_name)}:00+00:00",
                key="k",
            )
        )


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Three nights of ``full``, of which the last has a break; ``mps`` in the first one only; a file of people."""
    folder = tmp_path / "results"
    for number, (date, broken) in enumerate([("2026-11-11", False), ("2026-11-12", False), ("2026-11-13", True)], 8):
        _measured(folder / f"{date}-{number}/report-full", date, "full", broken)
    _measured(folder / "2026-11-11-8/report-mps", "2026-11-11", "mps", broken=False)
    (folder / "README.md").write_text("what this branch is")
    (folder / "drafts").mkdir()
    return folder


class _Links(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("href", "src")]


def _links(text: str) -> list[str]:
    parser = _Links()
    parser.feed(text)
    return parser.found


def _made(results: Path, *more: str) -> tuple[int, Path, Path]:
    out, news = results.parent / "pages", results.parent / "news"
    words = ["--results", results, "--history", results.parent / "history.sqlite", "--out", out, "--news", news]
    return pages.main([*map(str, words), *more]), out, news


def test_every_set_has_a_page_of_its_newest_night_and_its_news(results: Path) -> None:
    (results.parent / "pages/docs").mkdir(parents=True)
    (results.parent / "pages/docs/index.html").write_text("docs")
    code, out, news = _made(results, "--url", "https://owner.github.io/name/")
    assert code == 0
    index = (out / "index.html").read_text("utf-8")
    links = _links(index)
    assert links == ["full/index.html", "mps/index.html", "trend-step-time.html", "docs/index.html"]
    assert all((out / link).stat().st_size for link in links)
    rows = re.findall(r"<tr .*?</tr>", index, re.DOTALL)[1:]
    assert "the night of 13 November 2026" in rows[0]
    assert "1 BROKEN; 1 new" in rows[0]
    assert "exit code 1: something got worse or broke" in rows[0]
    assert "the night of 11 November 2026; not in the newest night" in rows[1]
    told = {path.stem: json.loads(path.read_text("utf-8")) for path in news.iterdir()}
    assert set(told) == {"full", "mps"}
    (finding,) = [one for one in told["full"]["findings"] if one["label"] == "BROKEN"]
    assert finding["state"] == "new"
    assert "(https://owner.github.io/name/full/index.html)" in finding["body"]
    assert finding["cells"] == [BROKEN.id]
    for path in ("full/index.html", "trend-step-time.html"):
        page = (out / path).read_text("utf-8")
        assert OLD.id in page
        assert "<script>alert" not in page
    badge = json.loads((out / "full/badge.json").read_text("utf-8"))
    assert (badge["schemaVersion"], badge["message"], badge["color"]) == (1, "1 broken", "red")
    night = issues.read((str(path), path.read_text("utf-8")) for path in news.iterdir())
    (change,) = issues.plan(night, [])
    assert (change.what, change.wanted.severity) == ("open", "broken")
    assert change.wanted.sets == {"full"}
    assert "@somebody" not in re.sub(r"@<!-- -->", "", change.wanted.body)


def test_a_branch_without_a_night_is_red(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("drafts", "2026-11-11-1"):
        (tmp_path / "results" / name).mkdir(parents=True)
        code, out, _ = _made(tmp_path / "results")
        assert code == 3
        assert "::error title=No pages::the branch has no night with results\n" in capsys.readouterr().out
        assert not out.exists()


# --- parts -----------------------------------------------------------------------------------------------------------


def _answers(monkeypatch: pytest.MonkeyPatch, **answers: tuple[int, str]) -> list[list[str]]:
    """Commands of the program answer with an exit code and a text, by their first word; returns what was asked."""
    asked: list[list[str]] = []

    def runner(*words: str) -> subprocess.CompletedProcess[str]:
        asked.append(list(words))
        code, text = answers[words[0]]
        return subprocess.CompletedProcess(words, code, text)

    monkeypatch.setattr(pages, "runner", runner)
    return asked


@pytest.mark.parametrize(("code", "text", "made"), [(0, "x", True), (3, "x", True), (2, "", False), (1, "", False)])
def test_a_report_counts_by_what_it_printed(
    code: int, text: str, made: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _answers(monkeypatch, report=(code, text))
    assert pages.page(tmp_path / "h", tmp_path, tmp_path / "full/index.html") is made
    assert (tmp_path / "full/index.html").is_file() is made
    assert (tmp_path / "full/badge.json").is_file() is made


def test_figures_over_all_nights_have_a_page_where_there_are_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _answers(monkeypatch, trend=(0, "<!DOCTYPE html>"))
    found = pages.trend_pages(tmp_path / "history.sqlite", tmp_path)
    assert found[0] == ("Step time", "trend-step-time.html")
    assert [words[1] for words in asked] == list(pages.TRENDS)
    assert all((tmp_path / file).is_file() for _, file in found)
    _answers(monkeypatch, trend=(2, ""))
    assert pages.trend_pages(tmp_path / "history.sqlite", tmp_path) == []


def _row(**more: Any) -> pages.Row:
    row = {"name": "full", "when": "a night", "exit_code": 0, "meaning": "nothing got worse", "counts": (), "new": 0}
    return pages.Row(**{**row, "page": True, "newest": True, **more})


def test_the_index_says_what_is_missing() -> None:
    index = pages.index([_row(page=False), _row(name="mps", newest=False)], [("Step time", "trend.html")], docs=False)
    assert "full (the page could not be made)" in index
    assert "a night; not in the newest night" in index
    assert _links(index) == ["mps/index.html", "trend.html"]


def test_the_index_has_no_markup_from_outside_and_loads_nothing() -> None:
    index = pages.index([_row(name="<img src=x>", when='"<b>"', meaning="<i>")], [], docs=False)
    assert _links(index) == ["&lt;img src=x&gt;/index.html".replace("&lt;", "<").replace("&gt;", ">")]
    assert "<img" not in index
    assert "<b>" not in index
    (style,) = re.findall(r"<style>(.*?)</style>", index, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in index


def test_the_newest_hundred_nights_are_read_in_their_order(tmp_path: Path) -> None:
    for number in range(120):
        (tmp_path / f"2026-{number // 28 + 1:02d}-{number % 28 + 1:02d}-{number}").mkdir()
    (tmp_path / "2027-01-01-99").mkdir()
    (tmp_path / "2027-01-01-100").mkdir()
    found = [path.name for path in pages.nights(tmp_path)]
    assert len(found) == 100
    assert found[-2:] == ["2027-01-01-99", "2027-01-01-100"]
    assert found[0] == "2026-01-23-22"
