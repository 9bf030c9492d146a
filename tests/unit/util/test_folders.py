"""Where caches and state lie, for every kind of user."""

from __future__ import annotations

import os
import pwd
import tempfile
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.executors import interpreters
from runner.util import folders

APP = "keras-version-matrix"


def test_a_user_with_a_home_has_the_folders_of_the_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert folders.home() == tmp_path
    for found in (folders.cache_dir(), folders.state_dir()):
        assert found.is_relative_to(tmp_path)
        assert APP in found.parts


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No HOME, a user id without an entry in passwd, and a temporary folder of its own."""

    def unknown(number: int) -> pwd.struct_passwd:
        raise KeyError(f"getpwuid(): uid not found: {number}")

    for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"{APP}-{os.getuid()}"


def test_a_user_without_a_home_has_a_folder_that_nobody_else_can_enter(homeless: Path) -> None:
    assert folders.home() is None
    assert folders.cache_dir() == homeless / "cache"
    assert folders.state_dir() == homeless / "data"
    assert homeless.stat().st_mode & 0o777 == 0o700
    assert folders.cache_dir() == homeless / "cache"


def test_folders_that_are_named_need_no_home(homeless: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "c"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "d"))
    assert folders.cache_dir() == tmp_path / "c" / APP
    assert folders.state_dir() == tmp_path / "d" / APP
    assert not homeless.exists()


@pytest.mark.parametrize("kind", ["open", "link", "file", "another user's"])
def test_what_somebody_else_may_have_put_there_is_refused(
    homeless: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    if kind == "link":
        (tmp_path / "other").mkdir(mode=0o700)
        homeless.symlink_to("other")
    elif kind == "file":
        homeless.write_text("")
    else:
        homeless.mkdir(mode=0o700)
    if kind == "open":
        homeless.chmod(0o770)
    elif kind == "another user's":
        other = os.getuid() + 1
        homeless.rename(homeless.with_name(f"{APP}-{other}"))
        monkeypatch.setattr(os, "getuid", lambda: other)
    with pytest.raises(UsageError, match="set HOME, or XDG_CACHE_HOME and XDG_DATA_HOME"):
        folders.cache_dir()


@pytest.mark.usefixtures("homeless")
def test_the_pythons_of_a_user_without_a_home_are_those_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYENV_ROOT", "UV_PYTHON_INSTALL_DIR"):
        monkeypatch.delenv(name, raising=False)
    assert interpreters.pythons()
