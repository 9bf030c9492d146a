"""Finds a Chromium, and starts it for the tests of the HTML report."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")


def missing() -> str:
    """Why no browser can be started; empty where one can."""
    absent = [name for name in ("playwright", "axe_playwright_python") if find_spec(name) is None]
    if absent:
        return f"{' and '.join(absent)} not installed (pip install -e '.[browser]')"
    if _installed() or _own():
        return ""
    return f"no browser: none of {', '.join(NAMES)} is on PATH, and Playwright has none of its own"


def _installed() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def _own() -> bool:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        return Path(driver.chromium.executable_path).exists()


@contextmanager
def started() -> Iterator[Any]:
    """A headless Chromium: Debian's, Google's, or Playwright's own."""
    from playwright.sync_api import sync_playwright

    # the sandbox of Chromium refuses to run as root
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=_installed(), args=arguments)
        try:
            yield browser
        finally:
            browser.close()
