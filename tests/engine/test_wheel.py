"""The built wheel in an empty folder, run by uvx and pipx as a stranger runs it, from the package index's packages."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from runner.util import folders, program

pytestmark = [pytest.mark.engine, pytest.mark.network]  # a package index; cells run on the host

ROOT = Path(__file__).resolve().parents[2]
CELL = "numpy-2.4.6_keras-3.11.3_py3.11_cpu"

if not (ROOT / "pyproject.toml").is_file() or not (ROOT / "matrix").is_dir():
    pytest.skip("not a checkout: there is nothing to build", allow_module_level=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    out = tmp_path_factory.mktemp("dist")
    words = [folders.uv_program(), "build", "--quiet", "--wheel", "--out-dir", str(out), str(ROOT)]
    subprocess.run(words, check=True, timeout=300)
    (found,) = out.glob("*.whl")
    return found


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A folder without anything of this project."""
    made = tmp_path / "empty"
    made.mkdir()
    return made


def uvx(wheel: Path, empty: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """``uvx --from WHEEL keras-version-matrix WORDS`` in that folder."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    kept["UV_CACHE_DIR"] = str(wheel.parent / "cache")  # every test has a home of its own
    command = [folders.uv_program(), "tool", "run", "--quiet", "--from", str(wheel), program.PACKAGE, *words]
    return subprocess.run(command, cwd=empty, env=kept, capture_output=True, text=True, check=False, timeout=1200)


def test_it_lists_and_plans(wheel: Path, empty: Path) -> None:
    listed = uvx(wheel, empty, "list", "--sets")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert listed.stdout.startswith("quick ")
    planned = uvx(wheel, empty, "matrix", "--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert CELL in planned.stdout
    assert list(empty.iterdir()) == []


def test_it_names_the_command_that_was_typed(wheel: Path, empty: Path) -> None:
    typed = f"uvx --from {wheel} keras-version-matrix"
    helped = uvx(wheel, empty, "matrix", "--help")
    assert "".join(helped.stdout.split()).startswith(f"Usage: {typed} matrix".replace(" ", ""))
    refused = uvx(wheel, empty, "list", "--set", "quik")
    assert refused.returncode == 2
    assert refused.stderr.startswith("keras-version-matrix: ")
    written = uvx(wheel, empty, "init")
    assert f"`{typed} matrix` runs it" in written.stdout
    assert str(wheel) not in (empty / "keras-matrix.toml").read_text()


def test_it_measures(wheel: Path, empty: Path) -> None:
    ran = uvx(wheel, empty, "matrix", "--only", CELL, "--probe", "hello", "--rounds", "1", "--executor", "host")
    assert ran.returncode == 0, ran.stderr
    assert "exit code 0: nothing got worse" in ran.stdout
    assert f"uvx --from {wheel} keras-version-matrix matrix --only '{CELL}' --fresh" in ran.stdout
    (path,) = empty.glob(f"out/results/{CELL}/hello/*.json")
    assert json.loads(path.read_text())["status"] == "ok"
    page = uvx(wheel, empty, "report", "out", "--format", "html")
    assert page.returncode == 0
    assert page.stdout[:15].lower() == "<!doctype html>"


def test_pipx_runs_it_too(wheel: Path, empty: Path, tmp_path: Path) -> None:
    """pipx itself comes from the package index, for this test alone."""
    home = {
        **os.environ,
        "PIPX_HOME": str(tmp_path / "home"),
        "PIPX_BIN_DIR": str(tmp_path / "bin"),
        "PIPX_DEFAULT_BACKEND": "pip",
    }
    tool = [folders.uv_program(), "tool", "run", "--quiet", "--python", sys.executable]
    done = subprocess.run(
        [*tool, "pipx", "run", "--spec", str(wheel), program.PACKAGE, "list", "--set", "quik"],
        cwd=empty, env=home, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 2
    assert re.search(r"^keras-version-matrix: .*'quik'.*did you mean 'quick'", done.stderr, re.MULTILINE)
