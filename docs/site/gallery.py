"""Makes the gallery of real reports and README's picture.

The results behind them are in ``docs/gallery``.

``python docs/site/gallery.py`` writes the reports to ``build/gallery``; with ``--pictures`` also the pictures in
``docs/images``, by headless Chromium. ``--pack NAME DIR`` keeps the results in DIR as those of a report.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from runner.results import archive

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs/gallery"
IMAGES = ROOT / "docs/images"
LARGEST_SET, LARGEST_PICTURE = 150_000, 150_000
"""Bytes of a packed folder of results and of a picture."""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
"""Names of a browser of the system; where there is none, Playwright's own is used."""
WIDTH, HEIGHT = 1280, 800
INTRODUCTION = (
    "Each report is one file: `runner report DIR --format html`. The results behind them are in the folder "
    "`docs/gallery` of the repository; `python docs/site/gallery.py` makes the reports from them again."
)


class GalleryError(Exception):
    """A report or a picture could not be made."""


@dataclass(frozen=True)
class Entry:
    """One report of the gallery: what it is, and how its results were measured."""

    name: str
    title: str
    text: str
    command: str
    measured: str
    picture: bool = False

    @property
    def packed(self) -> Path:
        """The file with its results."""
        return RESULTS / f"{self.name}.tar.xz"


def entries() -> tuple[Entry, ...]:
    """Returns the reports that ``gallery.toml`` lists, in its order."""
    return tuple(Entry(**table) for table in tomllib.loads((RESULTS / "gallery.toml").read_text("utf-8"))["report"])


def unpack(entry: Entry, folder: Path) -> Path:
    """Writes the results of a report below ``folder``.

    Returns the folder that ``runner report`` takes.
    """
    with tarfile.open(entry.packed, "r:xz") as kept:
        kept.extractall(folder / entry.name, filter="data")
    return folder / entry.name


def pack(name: str, results: Path) -> Path:
    """Keeps the files of a run as those of a report.

    Raises GalleryError.
    """
    made = archive.packed(results)
    if len(made) > LARGEST_SET:
        raise GalleryError(f"{results}: {len(made):,} bytes packed: at most {LARGEST_SET:,}")
    target = RESULTS / f"{name}.tar.xz"
    target.write_bytes(made)
    return target


def reports(target: Path) -> list[Path]:
    """Writes the HTML report of every entry into ``target``. Raises GalleryError."""
    target.mkdir(parents=True, exist_ok=True)
    made = []
    with tempfile.TemporaryDirectory() as folder:
        for entry in entries():
            unpack(entry, Path(folder))
            words = [sys.executable, "-m", "runner", "report", entry.name, "--format", "html"]
            path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
            done = subprocess.run(
                words, cwd=folder, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": path}
            )
            if "<html" not in done.stdout:
                raise GalleryError(f"{entry.name}: {' '.join(words[1:])}: exit code {done.returncode}: {done.stderr}")
            made.append(target / f"{entry.name}.html")
            made[-1].write_text(done.stdout, encoding="utf-8")
    return made


def page() -> str:
    """Returns the page of the gallery."""
    parts = [
        "# Reports of real runs",
        INTRODUCTION,
    ]
    for entry in entries():
        parts += [f"## {entry.title}", entry.text.strip(), f"[Open the report]({entry.name}.html)"]
        parts.append(f"```text\n{entry.command.strip()}\n```")
        parts.append(f"Measured on {entry.measured.strip()}")
    return "\n\n".join(parts) + "\n"


def pictures(made: Sequence[Path]) -> list[Path]:
    """Takes README's pictures of the report that ``gallery.toml`` marks.

    Raises GalleryError.
    """
    from PIL import Image
    from playwright.sync_api import sync_playwright

    name = next(entry.name for entry in entries() if entry.picture)
    report = next(path for path in made if path.stem == name)
    IMAGES.mkdir(parents=True, exist_ok=True)
    taken = []
    with sync_playwright() as playwright:
        options = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=browser_path(), args=options)
        for scheme in SCHEMES:
            view = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme)
            view.goto(report.resolve().as_uri())
            shot = Image.open(io.BytesIO(view.screenshot(animations="disabled")))
            taken.append(IMAGES / f"report-{scheme}.png")
            shot.convert("RGB").quantize(128).save(taken[-1], optimize=True)
            view.close()
        browser.close()
    for path in taken:
        if path.stat().st_size > LARGEST_PICTURE:
            raise GalleryError(f"{path}: {path.stat().st_size:,} bytes: at most {LARGEST_PICTURE:,}")
    return taken


def browser_path() -> str | None:
    """Returns the path of the system's browser; None: Playwright's own."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def main() -> int:
    """Writes the reports, and the pictures where asked for; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build/gallery", help="folder for the reports")
    parser.add_argument("--pictures", action="store_true", help="take README's pictures (needs the extra `browser`)")
    parser.add_argument("--pack", nargs=2, metavar=("NAME", "DIR"), help="keep the results in DIR as a report's")
    given = parser.parse_args()
    try:
        if given.pack:
            print(pack(given.pack[0], Path(given.pack[1])))
            return 0
        made = reports(given.out)
        print("\n".join(map(str, made + (pictures(made) if given.pictures else []))))
    except GalleryError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
