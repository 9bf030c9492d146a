"""Messages name commands as the user typed them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from runner import cli
from runner.util import program

UV = "/home/me/.cache/uv/archive-v0/pZ3k"
PIPX = "/home/me/.cache/pipx/9a1f0c"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """``started(script, prefix, url)``: the program as if it had been started so, installed from there."""

    def made(script: str, prefix: str = "/usr", url: dict[str, object] | None = None) -> None:
        class Installed:
            @staticmethod
            def read_text(name: str) -> str | None:
                assert name == "direct_url.json"
                return json.dumps(url) if url else None

        monkeypatch.setattr(sys, "argv", [script, "matrix"])
        monkeypatch.setattr(sys, "prefix", prefix)
        monkeypatch.setattr(metadata, "distribution", lambda _: Installed)
        program._started.cache_clear()

    yield made
    program._started.cache_clear()


WHEEL = {"url": "file:///tmp/my%20dist/keras_version_matrix-0.1.0-py3-none-any.whl", "archive_info": {}}
GIT = {"url": "https://github.com/owner/x", "vcs_info": {"vcs": "git", "requested_revision": "v1", "commit_id": "0"}}


@pytest.mark.parametrize(
    ("script", "prefix", "url", "words"),
    [
        ("/clone/runner/__main__.py", "/clone/.venv", None, ("python", "-m", "runner")),
        ("/clone/.venv/bin/runner", "/clone/.venv", None, ("runner",)),
        ("/home/me/.local/bin/keras-version-matrix", "/home/me/.local/share/uv/tools/x", None, (program.PACKAGE,)),
        ("keras-version-matrix.exe", "/x", None, (program.PACKAGE,)),
        (f"{UV}/bin/keras-version-matrix", UV, None, ("uvx", program.PACKAGE)),
        (f"{UV}/bin/runner", UV, None, ("uvx", "--from", program.PACKAGE, "runner")),
        (
            f"{UV}/bin/keras-version-matrix",
            UV,
            WHEEL,
            ("uvx", "--from", "/tmp/my dist/keras_version_matrix-0.1.0-py3-none-any.whl", program.PACKAGE),
        ),
        (
            f"{UV}/bin/keras-version-matrix",
            UV,
            GIT,
            ("uvx", "--from", "git+https://github.com/owner/x@v1", program.PACKAGE),
        ),
        (f"{PIPX}/bin/keras-version-matrix", PIPX, None, ("pipx", "run", program.PACKAGE)),
        ("/home/me/.local/bin/keras-version-matrix", "/home/me/.local/pipx/venvs/x", None, (program.PACKAGE,)),
    ],
)
def test_the_words_that_the_user_typed(
    started: Any, script: str, prefix: str, url: dict[str, object] | None, words: tuple[str, ...]
) -> None:
    started(script, prefix, url)
    assert program.words() == words
    assert program.anywhere() == {
        "python": "runner",
        "uvx": "uvx keras-version-matrix",
        "pipx": "pipx run keras-version-matrix",
    }.get(words[0], words[0])


def test_the_environment_may_say_it_otherwise(monkeypatch: pytest.MonkeyPatch, started: Any) -> None:
    started("/ci/bin/runner", "/ci")
    monkeypatch.setenv(program.VARIABLE, "uvx keras-version-matrix")
    assert program.words() == ("uvx", "keras-version-matrix")
    assert program.named("`runner matrix` runs it") == "`uvx keras-version-matrix matrix` runs it"


def test_a_message_names_its_commands_as_they_were_typed(started: Any) -> None:
    text = "no set; `runner list --sets` prints them, `python -m runner init` writes one; the runner ran"
    assert program.named(text) == text
    started(f"{UV}/bin/keras-version-matrix", UV)
    uvx = "uvx keras-version-matrix"
    assert program.named(text) == f"no set; `{uvx} list --sets` prints them, `{uvx} init` writes one; the runner ran"


@pytest.mark.parametrize("script", ["runner", "keras-version-matrix"])
def test_help_errors_and_files_name_the_command(
    started: Any, script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started(f"{UV}/bin/{script}", UV)
    called = program.name()
    monkeypatch.chdir(tmp_path)
    assert cli.run(["probe", "new", "dense"]) == 2
    assert f"{script}: no keras-matrix.toml" in (err := capsys.readouterr().err)
    assert f"; `{called} init` writes one" in err
    assert cli.run(["matrix", "--help"]) == 0
    shown = "".join(capsys.readouterr().out.split())  # lines end at spaces and at hyphens
    assert shown.startswith(f"Usage: {called} matrix [OPTIONS]".replace(" ", ""))
    assert f"(see `{called} init`)".replace(" ", "") in shown
    assert cli.run(["history", "ls", "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: {called} history ls ")
    assert cli.run(["init"]) == 0
    printed = capsys.readouterr().out
    assert f"`{called} list` prints the cells" in printed
    assert f"`{called} probe new NAME`" in printed
    written = (tmp_path / "keras-matrix.toml").read_text()
    assert "`uvx keras-version-matrix probe new dense` writes" in written  # the file is for other machines too
    assert "`runner" not in written
