"""Pages of the HTML report, opened in a real browser."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chromium
import made_reports
import pytest
from opening import LAPTOP, Open, Opened, made

from runner.report import page as html

REAL = Path(__file__).parents[1] / "unit" / "report" / "real_quick.json.gz"
"""The first round of a real run of ``quick``: path below the folder -> content."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    with chromium.started() as running:
        yield running


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pages lie."""
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="session")
def real(folder: Path) -> Path:
    """The page of a real run, made by the program from its result files."""
    results = folder / "real"
    for name, content in json.loads(gzip.decompress(REAL.read_bytes())).items():
        path = results / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return made(results, folder / "real.html")


@pytest.fixture(scope="session")
def whole(folder: Path) -> Path:
    """The page of made-up results with all that it can draw."""
    path = folder / "whole.html"
    path.write_text(html.render(made_reports.whole()), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def hostile(folder: Path) -> Path:
    """The page of results that try to run scripts and to break the layout."""
    path = folder / "hostile.html"
    path.write_text(html.render(made_reports.hostile()), encoding="utf-8")
    return path


@pytest.fixture
def opened(browser: Any) -> Iterator[Open]:
    """Opens a page in a context of its own, offline; at the end nothing may have been said or asked for."""
    contexts: list[Any] = []
    pages: list[Opened] = []

    def new(path: Path, fragment: str = "", size: tuple[int, int] = LAPTOP, **options: Any) -> Opened:
        ready = options.pop("ready", True)
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, offline=True, **options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        shown = Opened(context.new_page(), path)
        pages.append(shown)
        heard = shown.noise.append
        shown.page.on("console", lambda message: heard(f"console: {message.text}"))
        shown.page.on("pageerror", lambda error: heard(f"error: {error}"))
        shown.page.on("dialog", lambda dialog: (heard(f"dialog: {dialog.message}"), dialog.dismiss()))
        context.on("request", lambda asked: asked.url.partition("#")[0] == path.as_uri() or heard(asked.url))
        if ready:
            shown.go(fragment)
        else:
            shown.page.goto(path.as_uri() + fragment)
        return shown

    yield new
    for context in contexts:
        context.close()
    assert [line for shown in pages for line in shown.noise] == []
