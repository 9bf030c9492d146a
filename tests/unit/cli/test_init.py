"""``runner init``: a new configuration, which never takes the place of a file."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from runner import cli
from runner.matrix import configuration


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "repository"
    path.mkdir()
    monkeypatch.chdir(path)
    return path


def test_a_new_file_makes_its_set_the_default(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["init"]) == 0
    assert "runner probe new NAME" in capsys.readouterr().out
    assert cli.run(["list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert cli.run(["list", "--sets"]) == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith("mine ")
    assert first.endswith("(default, budget 10m, keras-matrix.toml)")
    assert second.startswith("quick ")
    assert [path.name for path in folder.iterdir()] == ["keras-matrix.toml"]


@pytest.mark.parametrize("options", [(), ("--pyproject",)])
def test_what_is_there_is_never_overwritten(
    folder: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    path = folder / "keras-matrix.toml"
    path.write_text("schema = 1\n")
    (folder / "pyproject.toml").write_text("")
    assert cli.run(["init", *options]) == 2
    assert "is there already; it is not overwritten" in capsys.readouterr().err
    assert path.read_text() == "schema = 1\n"
    assert (folder / "pyproject.toml").read_text() == ""


def test_a_link_to_nothing_is_not_followed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "keras-matrix.toml").symlink_to(folder / "elsewhere.toml")
    assert cli.run(["init"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert not (folder / "elsewhere.toml").exists()


def test_a_table_is_added_to_the_end_of_pyproject(folder: Path) -> None:
    path = folder / "pyproject.toml"
    path.write_text('[project]\nname = "x"\n\n[tool.other]\nkey = 1  # a comment')
    assert cli.run(["init", "--pyproject"]) == 0
    text = path.read_text()
    assert text.startswith('[project]\nname = "x"\n\n[tool.other]\nkey = 1  # a comment\n\n[tool.keras-matrix]\n')
    assert tomllib.loads(text)["tool"]["other"] == {"key": 1}
    assert cli.run(["init", "--pyproject"]) == 2
    assert path.read_text() == text


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no such file; leave out --pyproject"), ("[tool\n", "not valid TOML"), ("tool = 1\n", "not valid TOML")],
)
def test_a_pyproject_that_cannot_have_a_table_stays_as_it_is(
    folder: Path, capsys: pytest.CaptureFixture[str], content: str | None, message: str
) -> None:
    path = folder / "pyproject.toml"
    if content is not None:
        path.write_text(content)
    assert cli.run(["init", "--pyproject"]) == 2
    assert message in capsys.readouterr().err
    assert (path.read_text() if path.exists() else None) == content


def test_a_configuration_in_a_folder_above_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder.parent / "keras-matrix.toml").write_text("schema = 1\n")
    configuration.forget()
    assert cli.run(["init"]) == 0
    assert f"it takes the place of {folder.parent / 'keras-matrix.toml'}" in capsys.readouterr().err
