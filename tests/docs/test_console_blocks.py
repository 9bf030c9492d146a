"""Runs the console blocks of README and docs; ``docs/site/console.py`` has the classes.

Blocks of the class ``run`` run here, in page order; those of ``engine`` and ``network`` with ``--engine
--blocks``, which CI does.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import console
import gallery
import pytest

ROOT = Path(__file__).parents[2]
PAGES = [path for path in console.pages(ROOT) if path.is_file()]
SHELL = shutil.which("bash") or "/bin/sh"
TIMEOUT_S = 900


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def having(*kinds: str) -> list[Path]:
    return [page for page in PAGES if any(block.kind in kinds for block in console.blocks(page.read_text("utf-8")))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the results of the gallery's first report as ``out``, and the examples."""
    shutil.copytree(ROOT / "docs/examples", tmp_path / "page")
    for name in ("gallery", "schema", "site"):
        shutil.copytree(ROOT / "docs" / name, tmp_path / "page/docs" / name)
    first = gallery.entries()[0]
    shutil.move(gallery.unpack(first, tmp_path), tmp_path / "page/out")
    (tmp_path / "bin").mkdir()
    for name, words in {"runner": f"{sys.executable} -m runner", "python": sys.executable}.items():
        program = tmp_path / "bin" / name
        program.write_text(f'#!/bin/sh\nexec {words} "$@"\n', "utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return tmp_path / "page"


def run(page: Path, folder: Path, *kinds: str) -> int:
    """Runs the blocks of these classes; returns how many commands that were."""
    blocks = list(console.blocks(page.read_text("utf-8")))
    for block in blocks:
        if block.file:
            (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.file).write_text(block.text, "utf-8")
    search = os.pathsep.join([str(folder.parent / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    surroundings = {**os.environ, "PATH": search, "PYTHONPATH": str(ROOT), "COLUMNS": "120", "NO_COLOR": "1"}
    surroundings.pop("FORCE_COLOR", None)
    count = 0
    for block in blocks:
        if block.kind not in kinds:
            continue
        for command in block.commands:
            done = subprocess.run(
                [SHELL, "-c", command.text],
                cwd=folder,
                env=surroundings,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
            )
            where = f"{page.name}:{block.line}: {command.text}"
            assert done.returncode in block.exit_codes, f"{where}: exit code {done.returncode}\n{done.stdout}"
            if command.output is not None:
                shown = "\n".join(command.output)
                fits = console.fits(command.output, done.stdout, varies=block.varies)
                assert fits, f"{where}\n-- shown\n{shown}\n-- printed\n{done.stdout}"
            count += 1
    return count


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_block_has_a_class(page: Path) -> None:
    for block in console.blocks(page.read_text("utf-8")):
        assert (block.kind in console.LEFT_OUT) == bool(block.reason)


@pytest.mark.parametrize("page", having("run"), ids=_name)
def test_blocks_that_need_no_engine(page: Path, folder: Path) -> None:
    assert run(page, folder, "run")


@pytest.mark.engine
@pytest.mark.network
@pytest.mark.parametrize("page", having("engine", "network"), ids=_name)
def test_blocks_that_need_an_engine_or_an_index(page: Path, folder: Path, request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--blocks"):
        pytest.skip("needs --blocks")
    assert run(page, folder, "engine", "network")
