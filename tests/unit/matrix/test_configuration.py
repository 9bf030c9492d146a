"""keras-matrix.toml and [tool.keras-matrix]: found upwards, strict, and added to the program's own sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.judge import expectations_file
from runner.matrix import configuration, selection, sets, starter
from runner.model import Custom
from runner.util import folders

SET = """
[sets.mine]
description = "d"
[[sets.mine.product]]
framework = ["torch"]
version = ["2.2.2"]
keras = ["3.8.0"]
device = ["cpu"]
[sets.mine.probes.hello]
"""
HEAD = "schema = 1\n"


def _write(folder: Path, text: str, name: str = configuration.NAME) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    configuration.forget()
    return path


def test_the_nearest_file_above_the_working_folder_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path, HEAD + 'default = "mine"\n' + SET)
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert [cell.id for cell in selection.choose(None, ()).cells] == ["torch-2.2.2_keras-3.8.0_py3.11_cpu"]
    _write(tmp_path / "a", HEAD)
    assert selection.choose(None, ()).name == "quick"
    with pytest.raises(UsageError, match="no set 'mine'"):
        selection.choose("mine", ())


def test_without_a_file_there_are_the_sets_of_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _write(tmp_path, '[project]\nname = "keras-matrix-user"\n', configuration.PYPROJECT)
    assert configuration.here() is None
    assert configuration.matrix() == sets.load()


def test_a_pyproject_that_is_not_toml_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path, "[tool.keras-matrix\n", configuration.PYPROJECT)
    monkeypatch.chdir(tmp_path)
    assert configuration.here() is None


def test_the_table_of_pyproject_is_the_same_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _write(tmp_path, starter.as_table(starter.text()), configuration.PYPROJECT)
    table = configuration.here()
    assert table is not None
    (tmp_path / configuration.PYPROJECT).unlink()
    _write(tmp_path, starter.text())
    whole = configuration.here()
    assert whole is not None
    assert table.file == whole.file
    assert (table.path.name, whole.path.name) == ("pyproject.toml", "keras-matrix.toml")


def test_two_configurations_in_one_folder_are_refused(tmp_path: Path) -> None:
    _write(tmp_path, HEAD)
    _write(tmp_path, "[tool.keras-matrix]\nschema = 1\n", configuration.PYPROJECT)
    with pytest.raises(UsageError, match="remove one of them"):
        configuration.in_folder(tmp_path)


def test_a_set_takes_the_place_of_one_of_the_program_and_the_others_remain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _write(tmp_path, HEAD + SET.replace("mine", "quick"))
    whole = configuration.matrix()
    assert [cell.id for cell in selection.choose("quick", ()).cells] == ["torch-2.2.2_keras-3.8.0_py3.11_cpu"]
    assert set(whole.sets) == set(sets.load().sets)
    assert configuration.origin("quick") == "keras-matrix.toml"
    assert configuration.origin("full") == "matrix.toml"


def test_locks_are_kept_for_the_sets_of_the_program_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = selection.environments(None, (), every=True)
    monkeypatch.chdir(tmp_path)
    _write(tmp_path, HEAD + SET.replace("mine", "quick").replace("3.8.0", "3.9.1"))
    assert selection.environments(None, (), every=True) == before


def test_the_budget_is_that_of_the_sets_without_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own = SET.replace("mine", "other").replace('"d"', '"d"\nbudget = "1h"')
    _write(tmp_path, HEAD + 'budget = "90s"\n' + SET + own)
    whole = configuration.matrix()
    assert (whole.sets["mine"].budget_s, whole.sets["other"].budget_s) == (90.0, 3600.0)
    assert whole.sets["full"].budget == sets.load().sets["full"].budget


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no schema, the version of the format: begin it with schema = 1"),
        ("schema = 2\nnew_key = 1\n", "schema 2 is another version; this program reads schema 1; upgrade"),
        ('schema = "1"\n', "schema '1' is another version; this program reads schema 1"),
        (HEAD + 'budgets = "10m"\n', "unknown key 'budgets', line 2 (did you mean 'budget'"),
        (HEAD + '[sets.a]\ndescripton = "d"\n', "unknown key 'descripton' in sets.a, line 3 (did you mean 'descr"),
        (HEAD + '[probes.a]\nfiles = "a.py"\n', "unknown key 'files' in probes.a, line 3 (did you mean 'file'"),
        (HEAD + "[probes.a]\n", "the key 'file' is missing in probes.a"),
        (HEAD + "budget = 3\n", "budget (line 2) is a whole number; it has to be a text in quotes"),
        (HEAD + "sets = 3\n", "sets (line 2) is a whole number; it has to be a table"),
        (
            HEAD + '[probes.b]\nfile = "b.py"\n[probes.a]\nfile = "a.py"\ntimed = "x"\n',
            "probes.a.timed (line 6) is a text; it has to be true or false",
        ),
        (
            HEAD + '[sets.b]\ndescription = "d"\n[sets.b.probes.hello]\n[sets.a]\ndescription = "d"\n'
            "[sets.a.probes.hello]\n[sets.a.probes.mnist]\nepochs = {a = 1}\n",
            "sets.a.probes.mnist.epochs (line 9) is a table; it has to be true or false or a whole number",
        ),
        (
            HEAD + '[sets.a]\ndescription = "d"\n[sets.a.product]\n',
            "sets.a.product is a table; it has to be a list in brackets, as [[sets.a.product]]",
        ),
        (HEAD + "[sets.a]\n", "the key 'description' is missing in sets.a"),
        (HEAD + '[probes.mnist]\nfile = "a.py"\n', "probes: the program has 'mnist' already"),
        (HEAD + '[probes.kit]\nfile = "a.py"\n', "probes: the program has 'kit' already"),
        (HEAD + '[probes."../x"]\nfile = "a.py"\n', "probes: '../x' is not a name"),
        (HEAD + '[probes.a]\nfile = "a.txt"\n', "probes.a.file: 'a.txt' is not the name of a Python file"),
        (HEAD + '[sets."a b"]\ndescription = "d"\n', "sets: 'a b' is not a name"),
        (HEAD + 'budget = "soon"\n', "budget: 'soon'"),
        (HEAD + 'default = "quik"\n', "default: no set 'quik' (did you mean 'quick'"),
        (HEAD + '[sets.a]\ndescription = "d"\n[sets.a.probes.mnits]\n', "sets.a: no probe 'mnits' (did you mean 'mn"),
        (HEAD + '[sets.a]\ndescription = "d"\nbudget = "x"\n', "sets.a.budget: 'x'"),
        ("schema = \n", "not valid TOML"),
    ],
)
def test_a_file_that_does_not_fit_is_one_line_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = _write(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        configuration.matrix()
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_table_that_does_not_fit_is_named_with_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _write(tmp_path, "[tool.keras-matrix]\nschema = 3\n", configuration.PYPROJECT)
    with pytest.raises(UsageError, match=r"pyproject\.toml: tool\.keras-matrix: schema 3 is another version"):
        configuration.here()


def test_a_set_without_cells_is_an_error_that_names_the_user_s_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _write(tmp_path, HEAD + '[sets.a]\ndescription = "d"\n')
    with pytest.raises(UsageError, match=r"^keras-matrix\.toml: sets\.a has no cells"):
        selection.choose("a", ())


def test_the_user_s_known_failures_count_before_those_of_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = expectations_file.load(expectations_file.shipped())
    monkeypatch.chdir(tmp_path)
    assert expectations_file.known() == shipped
    _write(tmp_path, HEAD + 'expectations = "known.toml"\n')
    assert expectations_file.default() == tmp_path / "known.toml"
    assert expectations_file.known() == shipped  # the file is not there yet
    (tmp_path / "known.toml").write_text('schema = 1\n[[expect]]\ncell = "jax-*"\nstatus = "crashed"\n')
    own, *rest = expectations_file.known()
    assert (own.cell, own.why) == ("jax-*", "known.toml")
    assert tuple(rest) == shipped
    assert expectations_file.shipped() == folders.matrix_dir() / "expectations.toml"


def test_the_starter_is_a_set_that_can_be_planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _write(tmp_path, starter.text())
    chosen = selection.choose(None, ())
    assert chosen.name == starter.SET
    assert len(chosen.cells) == 2
    assert len({cell.keras for cell in chosen.cells}) == 2
    (spec,) = selection.probe_specs(chosen, (), ())
    assert spec.settings["train_samples"] == 2000


def test_every_commented_line_of_the_starter_can_be_uncommented(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        line.removeprefix("# ") if line.startswith("# [") or " = " in line.partition("`")[0] else line
        for line in starter.text().splitlines()
    ]
    text = "\n".join(line for line in lines)
    assert text.count("\n#") < starter.text().count("\n#")
    monkeypatch.chdir(tmp_path)
    _write(tmp_path, text)
    whole = configuration.matrix()
    assert "dense" in whole.probes
    assert whole.sets[starter.SET].packages
    assert [one.framework for one in whole.sets[starter.SET].include] == ["torch"]


def test_a_set_of_the_file_can_have_nightly_builds_and_debian_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = SET.replace('keras = ["3.8.0"]', 'keras = ["nightly"]').replace("[[sets", 'system = ["g++"]\n[[sets', 1)
    _write(tmp_path, HEAD + 'default = "mine"\n' + more)
    monkeypatch.chdir(tmp_path)

    def nightly(package: str, wanted: str) -> str:
        return {("keras", "nightly"): "3.16.0.dev2026102704"}[package, wanted]

    chosen = selection.choose(None, ("*_keras-nightly_*",), nightly)
    assert [cell.keras for cell in chosen.cells] == ["3.16.0.dev2026102704"]
    assert chosen.definition.custom == Custom(system=("g++",))
    assert chosen.cells[0] in selection.all_cells(nightly)
    (environment,) = selection.environments(None, (), every=False, nightly=nightly)
    assert selection.custom_of(chosen.cells[0], environment.id) == environment.custom == Custom(system=("g++",))
    with pytest.raises(UsageError, match=r"keras-matrix.toml: sets.mine: keras@nightly: a nightly build cannot"):
        selection.choose(None, ())


def test_a_debian_package_of_the_file_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path, HEAD + SET.replace("[[sets", 'system = ["-y"]\n[[sets', 1))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"keras-matrix.toml: sets.mine.system: '-y' is not a Debian package"):
        configuration.matrix()
