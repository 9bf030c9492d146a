"""``runner matrix --pytest --install``: the tests of a library in every cell."""

from __future__ import annotations

import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from runner import cli, sources
from runner.errors import BuildError
from runner.matrix import configuration
from runner.model import Environment
from runner.results import store

OLD, NEW = "torch-2.15.0_keras-3.11.3_py3.11_cpu", "torch-2.2.2_keras-3.11.3_py3.11_cpu"
ONLY = ("--only", OLD, "--only", NEW, "--rounds", "1", "--format", "json")


@pytest.fixture(autouse=True)
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "library"
    (path / "tests").mkdir(parents=True)
    (path / "tests" / "test_a.py").write_text("def test_a(): pass\n")
    monkeypatch.chdir(path)
    return path


def _wheel(folder: Path, name: str, *needs: str) -> str:
    path = folder / f"{name}-1-py3-none-any.whl"
    lines = [f"Name: {name}", "Version: 1", *(f"Requires-Dist: {need}" for need in needs), "", ""]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/__init__.py", "")
        archive.writestr(f"{name}-1.dist-info/METADATA", "\n".join(lines))
    return str(path)


def _cases(status: str) -> dict[str, Any]:
    records = {"tests/test_a.py::test_a": [status, None, "", "", "", ""]}
    return {"metrics": [{"name": "cases.ok", "value": 1, "kind": "info"}], "details": {"cases": records}}


def test_only_the_tests_run_and_a_failure_is_a_finding(
    fake_executor: Any, library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_executor.answers = {OLD: _cases("wrong"), NEW: _cases("ok")}
    assert cli.run(["matrix", *ONLY, "--pytest", "tests"]) == 1
    shown = json.loads(capsys.readouterr().out)
    (text,) = [one["text"] for one in shown["findings"] if one["severity"] == "regressed"]
    assert text == "passes with torch 2.2.2, fails with 2.15.0: 1 test: tests/test_a.py::test_a"
    assert {probe for _, probe, _ in fake_executor.launched} == {"suite"}


def test_the_command_below_a_failed_test_bisects_that_test(
    fake_executor: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    records = {f"tests/test_a.py::test_{name}": ["wrong", None, "", "", "", ""] for name in "ab"}
    fake_executor.answers = {OLD: {"details": {"cases": records}}, NEW: _cases("ok")}
    given = ["--with", "scipy", "--pytest", "tests", "--setting", 'suite.args=["-x"]']
    assert cli.run(["matrix", *ONLY, *given]) == 1
    (found,) = [one for one in json.loads(capsys.readouterr().out)["findings"] if one["severity"] == "regressed"]
    (command,) = found["commands"]
    assert command == (
        f"python -m runner bisect torch --good 2.2.2 --bad 2.15.0 --cell {OLD} --pytest tests "
        "--case tests/test_a.py::test_a --setting 'suite.args=[\"-x\"]' --with scipy"
    )


class TestConfiguration:
    """The tests of the table [pytest]."""

    TABLE = 'schema = 1\n[pytest]\ntests = ["tests"]\ninstall = "{0}"\narguments = ["-k", "not slow"]\n'

    @pytest.fixture(autouse=True)
    def written(self, library: Path) -> None:
        self.wheel = _wheel(library, "tiny", "keras>=3.9")
        (library / "keras-matrix.toml").write_text(self.TABLE.format(Path(self.wheel).name))
        configuration.forget()

    @pytest.mark.parametrize("words", [("--pytest",), ("--probe", "suite")])
    def test_no_argument_is_needed(
        self, words: tuple[str, ...], fake_executor: Any, library: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fake_executor.answers = {"*": _cases("ok")}
        monkeypatch.chdir(library / "tests")
        assert cli.run(["matrix", *ONLY, "--out", str(library / "out"), *words]) == 0
        assert {one.custom.needs for one in fake_executor.prepared} == {("pytest", "keras>=3.9")}
        (sample, *_) = store.load([library / "out"])
        assert sample.settings["args"] == ["-k", "not slow"]
        (archive,) = (library / "out" / "tests").glob("*.tar")
        with tarfile.open(archive) as packed:
            assert {"copy/tests/test_a.py", "package/tiny/__init__.py"} <= set(packed.getnames())

    def test_a_set_can_run_them_next_to_other_probes(self, fake_executor: Any, library: Path) -> None:
        mine = '[sets.mine]\ndescription = "d"\n[[sets.mine.include]]\nframework = "torch"\nversion = "2.2.2"\n'
        mine += 'keras = "3.11.3"\ndevice = "cpu"\nreason = "r"\n[sets.mine.probes.hello]\n[sets.mine.probes.suite]\n'
        path = library / "keras-matrix.toml"
        path.write_text(path.read_text() + mine + 'args = ["-x"]\n')
        configuration.forget()
        fake_executor.answers = {"*": _cases("ok")}
        assert cli.run(["matrix", "--set", "mine", "--rounds", "1"]) == 0
        assert {probe for _, probe, _ in fake_executor.launched} == {"hello", "suite"}
        assert [one.settings["args"] for one in store.load([Path("out")]) if one.probe == "suite"] == [["-x"]]

    def test_the_command_line_outranks_the_table(self, fake_executor: Any, library: Path) -> None:
        (library / "other").mkdir()
        (library / "other" / "test_b.py").write_text("def test_b(): pass\n")
        fake_executor.answers = {"*": _cases("ok")}
        assert cli.run(["matrix", *ONLY, "--pytest", "other"]) == 0
        (archive,) = Path("out/tests").glob("*.tar")
        with tarfile.open(archive) as packed:
            assert not {"copy/tests/test_a.py", "package/tiny/__init__.py"} & set(packed.getnames())
        assert {one.custom.needs for one in fake_executor.prepared} == {("pytest",)}

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("schema = 1\n", "no tests to run: name them, as --pytest tests, or in the table [pytest]"),
            ("schema = 1\n[pytest]\ntests = []\n", "pytest.tests: name the tests"),
            ('schema = 1\n[pytest]\ntest = ["tests"]\n', "unknown key 'test' in pytest, line 3 (did you mean 'tests'"),
            ('schema = 1\n[pytest]\ntests = ["nope"]\n', "--pytest nope: no such file or folder"),
        ],
    )
    @pytest.mark.usefixtures("fake_executor")
    def test_a_table_that_names_no_tests_is_one_line(
        self, text: str, message: str, library: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (library / "keras-matrix.toml").write_text(text)
        configuration.forget()
        assert cli.run(["matrix", *ONLY, "--pytest"]) == 2
        assert message in capsys.readouterr().err


def test_the_library_s_needs_hold_in_every_environment_and_take_no_line_s_place(
    fake_executor: Any, library: Path
) -> None:
    fake_executor.answers = {"*": _cases("ok")}
    wheel = _wheel(library, "tiny", "keras>=3.9", "scipy>=1; python_version < '3.12'", "old; python_version < '3.9'")
    assert cli.run(["matrix", *ONLY, "--pytest", "tests", "--install", wheel]) == 0
    assert len(fake_executor.prepared) == 2
    for environment in fake_executor.prepared:
        assert environment.custom.needs == ("pytest", "keras>=3.9", "scipy>=1")
        assert environment.custom.pins == ()
    (archive,) = (library / "out" / "tests").glob("*.tar")
    with tarfile.open(archive) as packed:
        assert "package/tiny/__init__.py" in packed.getnames()


def test_a_conflict_fails_its_cell_only(
    fake_executor: Any, library: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_executor.answers = {"*": _cases("ok")}
    prepare = fake_executor.prepare

    def conflicting(environment: Environment, say: Any) -> Any:
        if environment.version == "2.2.2":
            raise BuildError("cannot resolve x: because you require torch==2.2.2 and torch>=2.3")
        return prepare(environment, say)

    monkeypatch.setattr(fake_executor, "prepare", conflicting)
    wheel = _wheel(library, "tiny", "torch>=2.3")
    assert cli.run(["matrix", *ONLY, "--pytest", "tests", "--install", wheel]) == 3
    samples = json.loads(capsys.readouterr().out)["cells"]
    assert "because you require torch==2.2.2" in json.dumps(samples)
    assert [cell for cell, _, _ in fake_executor.launched] == [OLD]


def test_a_changed_test_is_measured_again_and_an_unchanged_one_is_not(fake_executor: Any, library: Path) -> None:
    fake_executor.answers = {"*": _cases("ok")}
    for expected in (2, 2):
        assert cli.run(["matrix", *ONLY, "--pytest", "tests"]) == 0
        assert len(fake_executor.launched) == expected
    (library / "tests" / "test_a.py").write_text("def test_a(): assert True\n")
    assert cli.run(["matrix", *ONLY, "--pytest", "tests"]) == 0
    assert len(fake_executor.launched) == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--install", "."), "--install goes with --pytest"),
        (("--pytest", "nope"), "--pytest nope: no such file or folder"),
        (("--pytest", "tests", "--install", "."), "neither a wheel nor a folder with a pyproject.toml"),
        (("--pytest", "tests", "--setting", "suite.durations=1"), "durations is str"),
    ],
)
@pytest.mark.usefixtures("fake_executor")
def test_what_cannot_be_run_is_one_line(
    words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["matrix", *ONLY, *words]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.usefixtures("fake_executor")
def test_a_dry_run_writes_nothing(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["matrix", *ONLY, "--pytest", "tests", "--dry-run"]) == 0
    assert "suite" in capsys.readouterr().out
    assert [path.name for path in library.iterdir()] == ["tests"]


@pytest.mark.usefixtures("fake_executor")
def test_an_export_of_tests_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["export", OLD, "--probe", "suite"]) == 2
    assert "export has no tests of a library" in capsys.readouterr().err


@pytest.mark.usefixtures("fake_executor")
def test_keras_itself_is_an_axis_and_not_installed(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["matrix", *ONLY, "--pytest", "tests", "--install", _wheel(library, "keras")]) == 2
    assert "keras is an axis of the matrix" in capsys.readouterr().err


@pytest.mark.usefixtures("library")
def test_packages_of_the_tests_are_pins_next_to_what_the_library_needs(fake_executor: Any) -> None:
    fake_executor.answers = {"*": _cases("ok")}
    assert cli.run(["matrix", *ONLY, "--pytest", "tests", "--with", "pytest-timeout", "--with", "pytest==8.3.5"]) == 0
    for environment in fake_executor.prepared:
        assert environment.custom.pins == ("pytest-timeout", "pytest==8.3.5")
        assert environment.custom.needs == ("pytest",)
    words = "--with pytest-timeout --with pytest==8.3.5 --pytest tests"
    assert store.load_records([Path("out")]).invocation.endswith(words)


class TestSources:
    """Tests of a library with a build in the place of a release."""

    OWN = "3.16.0+g1a2b3c4"

    @pytest.fixture(autouse=True)
    def built(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def made(given: Any, *_: Any) -> tuple[sources.Source, ...]:
            return tuple(sources.Source(one.package, self.OWN, "built from a commit") for one in given)

        monkeypatch.setattr(sources, "made", made)

    @pytest.mark.parametrize(("status", "code"), [("ok", 0), ("wrong", 1)])
    def test_a_test_that_fails_with_the_build_alone_is_a_finding(
        self, fake_executor: Any, library: Path, capsys: pytest.CaptureFixture[str], status: str, code: int
    ) -> None:
        fake_executor.answers = {f"*_keras-{self.OWN}_*": _cases(status), "*": _cases("ok")}
        words = ("--only", OLD, "--rounds", "1", "--format", "json", "--source", "keras=.", "--against", "3.15.1")
        wheel = _wheel(library, "tiny", "keras>=3.9")
        assert cli.run(["matrix", *words, "--pytest", "tests", "--install", wheel]) == code
        texts = [one["text"] for one in json.loads(capsys.readouterr().out)["findings"]]
        told = f"passes with keras 3.15.1, fails with {self.OWN} (torch): 1 test: tests/test_a.py::test_a"
        assert texts == [told] * code
        assert {(one.keras, one.custom.needs) for one in fake_executor.prepared} == {
            (version, ("pytest", "keras>=3.9")) for version in ("3.15.1", self.OWN)
        }

    @pytest.mark.usefixtures("fake_executor")
    def test_a_library_that_is_built_already_is_not_installed_twice(
        self, library: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = ("--source", "tiny-lib=.", "--pytest", "tests", "--install", _wheel(library, "tiny_lib"))
        assert cli.run(["matrix", *ONLY, *words]) == 2
        assert "--source or --wheel installs tiny-lib already; leave out one" in capsys.readouterr().err
