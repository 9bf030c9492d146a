"""A probe in a file of the user's: read as text, staged with the payload, part of the key of its results."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from runner import cli
from runner.errors import UsageError
from runner.matrix import configuration, probes, selection, starter
from runner.measure import payload
from runner.model import Cell, Environment, Job, ProbeSpec

CELL = Cell("torch", "2.2.2", "3.8.0", "3.11", "cpu")
TEXT = "DEFAULTS = {'count': 10}\nHEADLINES = ('*_s',)\n\ndef measure(report, settings):\n    report.exact('n', 1)\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the probe ``mine``."""
    path = tmp_path / "repository"
    path.mkdir()
    monkeypatch.chdir(path)
    text = starter.text() + '\n[probes.mine]\nfile = "mine.py"\ntimeout_s = 33\n[sets.mine.probes.mine]\ncount = 5\n'
    (path / "keras-matrix.toml").write_text(text)
    (path / "mine.py").write_text(TEXT)
    return path


def _specs(*settings: str) -> dict[str, ProbeSpec]:
    return {one.name: one for one in selection.probe_specs(selection.choose(None, ()), (), settings)}


def _job(probe: str = "mine") -> Job:
    environment = Environment("torch", "2.2.2", "3.8.0", "3.11", "cpu", "linux-x86_64")
    return Job(CELL, environment, ProbeSpec(probe), 0, 0, "host")


@pytest.mark.usefixtures("folder")
def test_settings_and_headlines_come_from_the_text() -> None:
    assert _specs()["mine"].settings == {"count": 5}
    assert _specs("mine.count=7")["mine"].settings == {"count": 7}
    assert probes.settings("mine") == {"count": 10}
    assert probes.is_headline("mine", "sort_s")
    assert not probes.is_headline("mine", "n")
    with pytest.raises(UsageError, match="mine has no setting 'cuont' \\(did you mean 'count'"):
        _specs("mine.cuont=7")


def test_a_process_gets_the_file_and_a_module_with_its_name(folder: Path, tmp_path: Path) -> None:
    io = tmp_path / "io"
    io.mkdir()
    payload.stage(io, _job(), None, "")
    assert (io / "own_probes" / "mine.py").read_text() == TEXT
    assert "\ndef run(request, report)" in (io / "probe" / "mine.py").read_text()
    assert (io / "probe" / "measuring.py").is_file()
    assert not (io / "probe" / "ops").exists()
    assert json.loads((io / "request.json").read_text())["probe"] == "mine"


def test_a_file_that_is_changed_during_a_run_does_not_come_into_half_of_it(folder: Path, tmp_path: Path) -> None:
    before = probes.probe_hash("mine")
    (folder / "mine.py").write_text(TEXT.replace("1)", "2)"))
    io = tmp_path / "io"
    io.mkdir()
    payload.stage(io, _job(), None, "")
    assert (io / "own_probes" / "mine.py").read_text() == TEXT
    assert probes.probe_hash("mine") == before


def test_the_content_is_part_of_the_hash_and_the_payload_s_probes_keep_theirs(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, mnist = probes.probe_hash("mine"), probes.probe_hash("mnist")
    other = folder / "other"
    other.mkdir()
    (other / "keras-matrix.toml").write_text('schema = 1\n[probes.mine]\nfile = "mine.py"\n')
    (other / "mine.py").write_text(TEXT + "# more\n")
    monkeypatch.chdir(other)
    assert probes.probe_hash("mine") != mine
    assert probes.probe_hash("mnist") == mnist
    assert not {"_own.py", "measuring.py"} & set(probes.files("mnist"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("DEFAULTS = dict(a=1)\n", "DEFAULTS is not a literal"),
        ("DEFAULTS = [1]\n", "DEFAULTS is a dict of names and plain values"),
        ("DEFAULTS = {'a': {1: 2}}\n", "DEFAULTS is a dict of names and plain values"),
        ("HEADLINES = 'step_s'\n", "HEADLINES is a tuple of names of figures"),
        (None, "cannot be read: No such file"),
    ],
)
def test_settings_that_cannot_be_read_are_an_error_before_anything_runs(
    folder: Path, text: str | None, message: str
) -> None:
    (folder / "mine.py").unlink()
    if text is not None:
        (folder / "mine.py").write_text(text)
    with pytest.raises(UsageError, match=r"mine\.py: " + message):
        _specs()
    assert probes.headlines("mine") == ()  # a report of earlier results still works


def test_a_file_that_is_not_python_is_left_to_the_cells(folder: Path) -> None:
    (folder / "mine.py").write_text("def measure(report:\n")
    (folder / "keras-matrix.toml").write_text('schema = 1\n[probes.mine]\nfile = "mine.py"\n')
    chosen = selection.choose(None, ())
    assert [one.name for one in selection.probe_specs(chosen, ("mine",), ())] == ["mine"]


@pytest.mark.usefixtures("folder")
def test_it_is_run_judged_and_reported_like_any_other_probe(
    fake_executor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def step(seconds: float) -> list[dict[str, Any]]:
        figure = {"name": "sort_s", "kind": "timing", "better": "lower", "unit": "s"}
        return [{"metrics": [{**figure, "value": seconds * (1 + 0.001 * (n * 7 % 5))}]} for n in range(12)]

    fake_executor.answers = {"*_keras-3.11.3_*:mine": step(0.01), "*:mine": step(0.02)}
    out = str(tmp_path / "out")
    assert cli.run(["matrix", "--probe", "mine", "--rounds", "10", "--out", out, "--format", "json"]) == 1
    shown = json.loads(capsys.readouterr().out)
    verdicts = {one["metric"]: one["verdict"] for one in shown["comparisons"]}
    assert verdicts["sort_s"] == "regressed"
    assert {probe for _, probe, _ in fake_executor.launched} == {"mine"}
    launched = len(fake_executor.launched)
    assert cli.run(["matrix", "--probe", "mine", "--rounds", "10", "--out", out]) == 1
    assert len(fake_executor.launched) == launched  # every result is reused


def test_a_new_probe_is_written_added_and_planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["probe", "new", "dense"]) == 2
    assert "`runner init` writes one" in capsys.readouterr().err
    assert cli.run(["init"]) == 0
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert cli.run(["probe", "new", "dense"]) == 0
    configuration.forget()
    assert (tmp_path / "probes" / "dense.py").read_text() == starter.probe_text("dense")
    assert _specs()["dense"].name == "dense"
    assert probes.headlines("dense") == ("call_s",)
    assert probes.settings("dense")["units"] == 64
    capsys.readouterr()
    assert cli.run(["probe", "new", "dense"]) == 2
    assert "probes.dense: is there already" in capsys.readouterr().err
    assert cli.run(["probe", "new", "mnist"]) == 2
    assert "the program has 'mnist' already" in capsys.readouterr().err


def test_a_new_probe_in_pyproject_has_the_headers_of_its_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert cli.run(["init", "--pyproject"]) == 0
    assert cli.run(["probe", "new", "dense", "--file", "other/d.py"]) == 0
    configuration.forget()
    assert "\n[tool.keras-matrix.probes.dense]\n" in (tmp_path / "pyproject.toml").read_text()
    assert "dense" in _specs()


def test_a_new_probe_has_types_and_needs_nothing_of_the_runner_in_a_cell() -> None:
    tree = ast.parse(starter.probe_text("dense"))
    (measure,) = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert ast.unparse(measure).startswith("def measure(report: Report, settings: Settings) -> None:")
    imported = [ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert imported
    assert not [line for line in imported if "runner" in line]  # it is imported for type checkers alone


def test_a_file_that_is_there_is_kept_and_the_configuration_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["init"]) == 0
    (tmp_path / "d.py").write_text("mine\n")
    before = (tmp_path / "keras-matrix.toml").read_text()
    assert cli.run(["probe", "new", "dense", "--file", "d.py"]) == 2
    assert "is not overwritten" in capsys.readouterr().err
    assert (tmp_path / "d.py").read_text() == "mine\n"
    assert (tmp_path / "keras-matrix.toml").read_text() == before
