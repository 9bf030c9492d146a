"""A page in the browser, as the tests look at it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PHONE, TABLET, LAPTOP, DESKTOP = (390, 844), (768, 1024), (1280, 900), (1920, 1080)


@dataclass
class Opened:
    """A page in the browser, and what happened in it."""

    page: Any
    path: Path
    noise: list[str] = field(default_factory=list)
    """Messages of the console, errors, and every request but that of the page itself."""

    def go(self, fragment: str = "") -> None:
        """Show a fragment of the page."""
        self.page.goto(self.path.as_uri() + fragment)
        self.page.wait_for_selector("html[data-ready]", state="attached")

    def texts(self, selector: str) -> list[str]:
        """The texts of the elements that are shown."""
        found = self.page.locator(selector).filter(visible=True).all_inner_texts()
        return [" ".join(text.split()) for text in found]

    def count(self, selector: str) -> int:
        """How many elements are shown."""
        return int(self.page.locator(selector).filter(visible=True).count())

    @property
    def fragment(self) -> str:
        """The fragment of the address."""
        return str(self.page.evaluate("decodeURIComponent(location.hash)"))

    def until(self, function: str, argument: Any = None) -> None:
        """Wait until a function of the page is true.

        Playwright's own ``wait_for_function`` makes code of text in the page, which its policy forbids.
        """
        ends = time.monotonic() + 20
        while not self.page.evaluate(function, argument):
            assert time.monotonic() < ends, function
            self.page.wait_for_timeout(20)

    def drawn(self) -> None:
        """Wait until every chart in the page is drawn: they are drawn when they come into view."""
        self.page.evaluate(
            """async () => {
              for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight) {
                scrollTo(0, y);
                await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
              }
              scrollTo(0, 0);
              await new Promise((done) => setTimeout(done, 50));
            }"""
        )


Open = Callable[..., Opened]
"""Opens a page: path, fragment, size; other options are those of Playwright's contexts."""


def made(results: Path, page: Path) -> Path:
    """The page that ``runner report`` makes of a folder of results."""
    command = [sys.executable, "-m", "runner", "report", str(results), "--format", "html"]
    done = subprocess.run(command, capture_output=True, check=False, env=dict(os.environ))
    assert done.stdout, done.stderr.decode()
    page.write_bytes(done.stdout)
    return page
