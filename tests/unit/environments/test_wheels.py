"""Wheels of this machine are versions like any other: found by them, locked with their hash."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from runner.environments import lock, resolve, wheels
from runner.environments.lockfile import Recipe
from runner.errors import BuildError
from runner.matrix import compat
from runner.model import Environment
from runner.util import folders, wheel_file

VERSION = "3.16.0+g1a2b3c4"
OWN = Environment("jax", "0.10.2", VERSION, "3.11", "cpu", "linux-x86_64")


def kept(tmp_path: Path, label: str = "g1a2b3c4", origin: str = "tree:1", text: str = "a") -> wheels.Kept:
    path = tmp_path / "keras-3.16.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("keras/__init__.py", text)
        archive.writestr("keras-3.16.0.dist-info/METADATA", "Name: keras\nVersion: 3.16.0\n")
    return wheels.keep(wheel_file.read(path), label, origin, f"keras 3.16.0+{label} is built from somewhere")


@pytest.fixture(autouse=True)
def without_places_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UV_FIND_LINKS", raising=False)


@pytest.fixture
def uv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[tuple[Recipe, list[str]]]]:
    """What uv is asked; it answers with JAX, Keras and the hash of the wheel in the store."""
    asked: list[tuple[Recipe, list[str]]] = []

    def compile_(recipe: Recipe, extra: Iterable[str], *_: object) -> str:
        asked.append((recipe, list(extra)))
        found = wheels.find("keras", VERSION)
        assert found is not None
        return (
            f"jax==0.10.2 \\\n    --hash=sha256:{'0' * 64}\n    # via -r requirements.in\n"
            f"keras=={VERSION} \\\n    --hash=sha256:{found.entry.sha256}\n    # via -r requirements.in\n"
        )

    monkeypatch.setattr(resolve, "compile_", compile_)
    for name in ("compat.toml", "latest.toml"):
        (tmp_path / name).write_text((folders.matrix_dir() / name).read_text())
    monkeypatch.setattr(folders, "matrix_dir", lambda: tmp_path)
    compat.forget()
    yield asked
    compat.forget()


def test_a_wheel_is_found_by_its_version(tmp_path: Path) -> None:
    assert wheels.find("keras", VERSION) is None
    made = kept(tmp_path)
    assert made.version == VERSION
    assert made.entry.sha256 == hashlib.sha256(made.path.read_bytes()).hexdigest()
    assert wheels.find("keras", VERSION) == made
    assert wheels.of(["keras[gcs]==" + VERSION, "numpy", "jax==0.10.2", "h5py>=3"]) == (made,)
    assert wheels.find_links([made]) == ["--find-links", str(made.path.parent)]


def test_places_of_the_user_are_asked_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = kept(tmp_path)
    monkeypatch.setenv("UV_FIND_LINKS", "/a,/b")
    assert wheels.find_links([made])[1::2] == [str(made.path.parent), "/a", "/b"]
    assert wheels.find_links([]) == []


@pytest.mark.parametrize("version", ["3.16.0", "3.16.0+g9999999", "3.16.0.dev2026102704"])
def test_no_other_version_is_found(tmp_path: Path, version: str) -> None:
    kept(tmp_path)
    assert wheels.find("keras", version) is None


def test_the_same_source_stays_and_another_of_the_same_name_takes_its_place(tmp_path: Path) -> None:
    first = kept(tmp_path)
    assert kept(tmp_path, text="b") == first
    other = kept(tmp_path, origin="tree:2", text="b")
    assert other.entry.sha256 != first.entry.sha256
    assert wheels.find("keras", VERSION) == other


def test_an_entry_that_cannot_be_read_is_not_there(tmp_path: Path) -> None:
    made = kept(tmp_path)
    (made.path.parent / "wheel.json").write_text("{")
    assert wheels.find("keras", VERSION) is None


def test_a_lock_pins_its_hash_and_states_where_it_is_from(tmp_path: Path, uv: list[tuple[Recipe, list[str]]]) -> None:
    made = kept(tmp_path)
    found = lock.locked(OWN)
    ((recipe, extra),) = uv
    assert recipe.requirements == ("jax==0.10.2", f"keras=={VERSION}", "numpy")
    assert extra == ["--find-links", str(made.path.parent), "--exclude-newer-package", "keras=false"]
    assert found.packages["keras"] == VERSION
    assert found.recipe.wheels == (f"keras=={VERSION} sha256:{made.entry.sha256}",)
    assert found.notes == (made.entry.note,)
    assert f"    --hash=sha256:{made.entry.sha256}" in found.rest_lines
    assert str(tmp_path) not in found.path.read_text()
    assert lock.install_arguments(found)[-2:] == ["--find-links", str(made.path.parent)]
    assert lock.locked(OWN) == found
    assert len(uv) == 1


def test_a_lock_of_another_wheel_of_the_same_version_is_made_again(
    tmp_path: Path, uv: list[tuple[Recipe, list[str]]]
) -> None:
    kept(tmp_path)
    first = lock.locked(OWN)
    kept(tmp_path, origin="tree:2", text="b")
    assert lock.locked(OWN).sha256 != first.sha256
    assert len(uv) == 2


def test_a_build_that_is_not_on_this_machine_is_an_error_of_its_cell(uv: list[tuple[Recipe, list[str]]]) -> None:
    with pytest.raises(BuildError) as caught:
        lock.locked(OWN)
    assert str(caught.value) == (
        f"keras {VERSION} is a build that this machine does not have: "
        "make it again with --source keras=... or --wheel keras=..."
    )
    assert uv == []
