"""Builds the documentation site: ``python docs/site/make.py`` writes ``site/``.

Pages for the site are staged in ``build/site`` (README and docs, the reference, the gallery), built by Zensical, and
checked. A warning of the generator, a link without a target, and a load from another host end it with exit code 1.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import check
import gallery
import reference
import stage

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "docs/site/zensical.toml"
WORK = ROOT / "build/site"
FIRST_OF_FILES = "files/"
"""Pages below are reached by links alone, not by the navigation."""


class BuildError(Exception):
    """The site could not be built."""


def navigation(config: dict[str, Any]) -> list[str]:
    """Returns the pages that the navigation names, in its order."""

    def below(entries: list[Any]) -> Iterator[str]:
        for entry in entries:
            for target in entry.values() if isinstance(entry, dict) else [entry]:
                if isinstance(target, list):
                    yield from below(target)
                else:
                    yield target

    return list(below(config["project"]["nav"]))


def build(out: Path, url: str = "") -> None:
    """Builds the site into ``out``, which is replaced.

    ``url`` is the address that it will have; only 404.html and the sitemap need it. Raises BuildError with
    all that is wrong.
    """
    _refuse_others(out)
    generated = {f"reference/{name}": text for name, text in reference.pages().items()}
    generated["gallery/index.md"] = gallery.page()
    try:
        pages = stage.stage(ROOT, WORK / "pages", generated)
        gallery.reports(WORK / "pages/gallery")
    except (stage.BrokenLinkError, gallery.GalleryError) as error:
        raise BuildError(str(error)) from None
    named = navigation(tomllib.loads(CONFIG.read_text("utf-8")))
    missing = sorted(set(named) - set(pages))
    forgotten = sorted(page for page in set(pages) - set(named) if not page.startswith(FIRST_OF_FILES))
    if missing or forgotten:
        raise BuildError(f"{CONFIG.name}: nav names what does not exist: {missing}; does not name: {forgotten}")
    made = _generate(url)
    _no_foreign_code(made)
    if found := check.faults(made, f"{urlsplit(url).path.rstrip('/')}/"):
        raise BuildError("\n".join(found))
    if out.exists():
        shutil.rmtree(out)
    shutil.copytree(made, out)


def _refuse_others(out: Path) -> None:
    """Raises BuildError for what is there and is not a site: it would be deleted."""
    is_site = out.is_dir() and (not any(out.iterdir()) or (out / "404.html").is_file())
    if out.exists() and not is_site:
        raise BuildError(f"{out}: is there, and not an earlier site; name an empty or a new folder with --out")


def _generate(url: str) -> Path:
    """Runs Zensical strictly over the staged pages and returns the folder of the site."""
    config = CONFIG.read_text("utf-8")
    if url:
        config = config.replace("[project]\n", f"[project]\nsite_url = {json.dumps(url)}\n", 1)
    (WORK / "zensical.toml").write_text(config, "utf-8")
    for name in ("made", ".cache"):
        shutil.rmtree(WORK / name, ignore_errors=True)
    words = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "-f", "zensical.toml"]
    done = subprocess.run(
        words, cwd=WORK, capture_output=True, text=True, check=False, env=os.environ | {"NO_COLOR": "1"}
    )
    if done.returncode or not (WORK / "made/index.html").is_file():
        said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)  # it colours whatever it is asked
        raise BuildError(said.partition("Traceback (most recent call last)")[0].strip() or said)
    return WORK / "made"


def _no_foreign_code(made: Path) -> None:
    """Removes the addresses in the theme's scripts from which it could load more.

    These pages do not use what it would load: diagrams and picture viewers are such parts. Without the address, a page
    that begins to use one loads nothing.
    """
    for path in sorted(made.rglob("*.js")):
        text = path.read_text("utf-8")
        if check.FOREIGN_CODE.search(text):
            path.write_text(check.FOREIGN_CODE.sub("data:,", text), encoding="utf-8")


def main() -> int:
    """Builds the site; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "site", help="folder for the site (default: site)")
    parser.add_argument("--url", default="", help="address that the site will have: https://OWNER.github.io/NAME/")
    given = parser.parse_args()
    if importlib.util.find_spec("zensical") is None:
        print("no Zensical here: pip install -e '.[docs]'", file=sys.stderr)
        return 2
    try:
        build(given.out.resolve(), given.url)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    print(given.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
