"""What travels to a real worker with a share: the registry, locks, and wheels of the user's."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from runner.environments import lockfile
from runner.util import folders

pytestmark = pytest.mark.cluster

ONE = ("--probe", "nap", "--only", "torch-*")


def _samples(out: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(out.glob("results/*/*/*.json"))]


def _wheel(folder: Path) -> Path:
    """A build of Keras."""
    path, info = folder / "keras-3.0.0-py3-none-any.whl", "keras-3.0.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("keras/__init__.py", "")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: keras\nVersion: 3.0.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def test_the_registry_is_one_that_the_worker_pulls_from(place: Any) -> None:
    here = place(versions=1, keras=1)
    _, address = here.scheduler()
    here.worker(address, PRETEND_HOST="night")
    code, text = here.matrix(*ONE, "--pull-from", "ghcr.io/owner", "--scheduler", address, PRETEND_HOST="desk").ended()
    assert code == 0, text
    assert "night pulls from ghcr.io/owner" in json.loads((here.folder / "out" / "run.json").read_text())["notes"]
    assert "desk pulls from" not in text


def test_a_lock_that_this_machine_has_made_is_that_of_the_worker(place: Any, tmp_path: Path) -> None:
    here = place(versions=1, keras=1)
    made = min((folders.matrix_dir() / "locks").glob("torch-*.txt"))
    _, address = here.scheduler()
    here.worker(address, XDG_CACHE_HOME=str(tmp_path / "there"))
    mine = {"XDG_CACHE_HOME": str(tmp_path / "here"), "PRETEND_LOCK": str(made)}
    code, text = here.matrix(*ONE, "--scheduler", address, **mine).ended()
    assert code == 0, text
    (sample,) = _samples(here.folder / "out")
    assert sample["lock_hash"] == lockfile.parse(made.read_text(), made).sha256
    assert not list((tmp_path / "there").rglob("locks/*.txt")), "it is that of this share alone"


def test_a_wheel_travels_by_its_digest(place: Any, tmp_path: Path) -> None:
    here = place(versions=1, keras=1)
    _, address = here.scheduler()
    here.worker(address, XDG_CACHE_HOME=str(tmp_path / "there"))
    words = (*ONE, "--wheel", f"keras={_wheel(tmp_path)}", "--scheduler", address)
    code, text = here.matrix(*words, XDG_CACHE_HOME=str(tmp_path / "here")).ended()
    assert code == 0, text
    (sample,) = _samples(here.folder / "out")
    (mine,) = (tmp_path / "here").rglob("wheels/keras-3.0.0+w*/*.whl")
    assert sample["cell"]["keras"] == mine.parent.name.removeprefix("keras-")
    (found,) = [metric["value"] for metric in sample["metrics"] if metric["name"] == "wheel"]
    digest, where = found.split(" ")
    assert digest == hashlib.sha256(mine.read_bytes()).hexdigest()
    assert Path(where).is_relative_to(tmp_path / "there")


@pytest.mark.parametrize(("content", "says"), [(None, "cannot be read any more: No such"), (b"x", "has changed since")])
def test_a_wheel_that_is_not_there_any_more_is_said(
    place: Any, tmp_path: Path, content: bytes | None, says: str
) -> None:
    here = place(versions=1, keras=1)
    _, address = here.scheduler()
    words = (*ONE, "--wheel", f"keras={_wheel(tmp_path)}", "--scheduler", address)
    run = here.matrix(*words, XDG_CACHE_HOME=str(tmp_path / "here"))
    run.said("dashboard: ")
    (mine,) = (tmp_path / "here").rglob("wheels/keras-3.0.0+w*/*.whl")
    mine.unlink()
    if content is not None:
        mine.write_bytes(content)
    here.worker(address, XDG_CACHE_HOME=str(tmp_path / "there"))
    code, text = run.ended()
    assert code == 3, text
    assert f"runner: {mine}: {says}" in text
    assert "run the same command again" in text
