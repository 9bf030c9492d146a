"""What uv is asked when it resolves, and what its answer means."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from runner.environments import resolve
from runner.environments.lockfile import Recipe
from runner.errors import BuildError, UnavailableError
from runner.util import commands, folders

RECIPE = Recipe(
    "id", "3.11", "x86_64-manylinux_2_36", "cpu", "2026-11-20T00:00:00Z", ("keras==3.8.0", "torch"), ("numpy<2",)
)


class Uv:
    """Stands in for ``commands.guarded``."""

    def __init__(self) -> None:
        self.command: list[str] = []
        self.options: dict[str, Any] = {}
        self.files: dict[str, str] = {}
        self.code: int | None = 0
        self.errors, self.late = "", False

    def __call__(self, command: list[str], **options: Any) -> commands.Ended:
        self.command, self.options = command, options
        folder = Path(options["folder"])
        self.files = {path.name: path.read_text() for path in folder.iterdir()}
        (folder / "resolved.txt").write_text("the answer\n")
        return commands.Ended(self.code, "", self.errors, self.late)


@pytest.fixture
def uv(monkeypatch: pytest.MonkeyPatch) -> Uv:
    made = Uv()
    monkeypatch.setattr(commands, "guarded", made)
    monkeypatch.setattr(folders, "uv_program", lambda: "/bin/uv")
    return made


def test_uv_is_asked_for_another_python_and_platform_as_of_a_date(uv: Uv) -> None:
    assert resolve.compile_(RECIPE, ["--no-deps"], "label", {"X": "y"}, ["torch==2.2.2"]) == "the answer\n"
    assert uv.command == [
        *("/bin/uv", "pip", "compile", "requirements.in", "--overrides", "overrides.txt"),
        *("--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_36"),
        *("--exclude-newer", "2026-11-20T00:00:00Z", "--only-binary", ":all:", "--generate-hashes"),
        *("--no-header", "--annotation-style", "split", "--quiet", "--no-python-downloads"),
        *("--output-file", "resolved.txt", "--no-deps"),
    ]
    assert uv.files == {
        "requirements.in": "keras==3.8.0\ntorch\n",
        "overrides.txt": "numpy<2\n",
        "resolved.txt": "torch==2.2.2\n",
    }
    folder = Path(uv.options.pop("folder"))
    assert folder.name.startswith("lock-")
    assert not folder.exists()
    assert uv.options.pop("variables")["X"] == "y"
    assert uv.options == {"timeout_s": 600}


@pytest.mark.parametrize("code", [None, -9])
def test_a_resolution_that_somebody_ended_is_no_failure(uv: Uv, code: int | None) -> None:
    uv.code = code
    with pytest.raises(UnavailableError, match="something ended uv while it resolved the label"):
        resolve.compile_(RECIPE, [], "the label")


def test_a_resolution_that_fails_says_why(uv: Uv) -> None:
    uv.code, uv.errors = 1, "error: it\n  cause: broke\n"
    with pytest.raises(BuildError) as caught:
        resolve.compile_(RECIPE, [], "the label")
    assert str(caught.value) == "cannot resolve the label: it broke"
    assert caught.value.log == uv.errors


def test_one_that_hangs_is_given_up(uv: Uv) -> None:
    uv.late = True
    with pytest.raises(UnavailableError, match=r"^uv did not resolve the label within 600 s$"):
        resolve.compile_(RECIPE, [], "the label")


SWITCHES = (
    *("UV_EXCLUDE_NEWER", "UV_TORCH_BACKEND", "UV_CONSTRAINT", "UV_OVERRIDE", "UV_EXCLUDE", "UV_PRERELEASE"),
    *("UV_RESOLUTION", "UV_PYTHON", "UV_NO_BINARY", "UV_NO_BUILD", "UV_OFFLINE", "UV_NO_ANNOTATE", "VIRTUAL_ENV"),
)


@pytest.mark.parametrize("name", SWITCHES)
def test_each_switch_that_changes_the_answer_is_left_out(uv: Uv, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for other in SWITCHES:  # an activated virtual environment, for one
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, "set")
    monkeypatch.setenv("UV_INDEX_URL", "https://mirror.example")
    resolve.compile_(RECIPE, [], "label")
    assert uv.options["variables"] == {key: value for key, value in os.environ.items() if key != name}


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("error: it\n  cause: broke\n\nhint: try\n", "it broke"),
        ("error: No solution found\n  cause: a\n     b\n", "a b"),
        ("error: No solution found when\n", "No solution found when"),
        ("", ""),
        ("x" * 400, "x" * 400),
        ("x" * 401, "x" * 397 + "..."),
        (
            "error: a\nhint: the requested version, 1.2, was published at 2025-01-07T1",
            "1.2 was published on 2025-01-07 only: a",
        ),
    ],
)
def test_the_explanation_of_uv_in_one_line(said: str, text: str) -> None:
    assert resolve.explain(said) == text
