"""The archive of a library's tests, and its wheel."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from runner.data import suite
from runner.errors import UsageError
from runner.util import commands, folders

METADATA = """Metadata-Version: 2.4
Name: Tiny.Lib
Version: 0.3
Requires-Dist: keras>=3.9
Requires-Dist: scipy; extra == 'fast'
Provides-Extra: fast

Text: not a header
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "library"
    for name in ("tests/sub/test_a.py", "tests/conftest.py", "tests/data.bin", "src/lib.py", "pyproject.toml"):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(name)
    for name in ("tests/__pycache__/x.pyc", "tests/.git/config"):
        (path / name).parent.mkdir()
        (path / name).write_text("left out")
    monkeypatch.chdir(path)
    return path


def _wheel(folder: Path, name: str = "tiny_lib-0.3-py3-none-any.whl", metadata: str = METADATA) -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny/__init__.py", "x = 1\n")
        archive.writestr("tiny_lib-0.3.data/purelib/extra.py", "y = 2\n")
        archive.writestr("tiny_lib-0.3.data/scripts/tool", "#!python\n")
        archive.writestr("tiny_lib-0.3.dist-info/METADATA", metadata)
    return path


def _names(path: Path) -> list[str]:
    with tarfile.open(path) as archive:
        return archive.getnames()


def test_the_archive_has_the_tests_their_settings_and_the_library(library: Path, tmp_path: Path) -> None:
    made = suite.packed(["tests"], suite.wheel(str(_wheel(tmp_path))), tmp_path / "out").written(tmp_path / "out")
    assert _names(made.path) == [
        "copy/pyproject.toml",
        "copy/tests/conftest.py",
        "copy/tests/data.bin",
        "copy/tests/sub/test_a.py",
        "package/extra.py",
        "package/tiny/__init__.py",
        "package/tiny_lib-0.3.dist-info/METADATA",
        "start.txt",
    ]
    with tarfile.open(made.path) as archive:
        assert (stream := archive.extractfile("start.txt")) is not None
        assert stream.read() == b"tests"
    assert made.name == "Tiny.Lib 0.3"


def test_equal_content_is_one_archive_and_a_changed_test_another(library: Path, tmp_path: Path) -> None:
    first = suite.packed([str(library / "tests")], None, tmp_path / "out").written(tmp_path / "out")
    (library / "tests" / "conftest.py").touch()
    assert suite.packed(["tests"], None, tmp_path / "out").written(tmp_path / "out") == first
    (library / "tests" / "conftest.py").write_text("changed")
    assert suite.packed(["tests"], None, tmp_path / "out").written(tmp_path / "out").sha256 != first.sha256


def test_a_single_file_brings_the_conftest_of_the_folders_above_it(library: Path, tmp_path: Path) -> None:
    made = suite.packed(["tests/sub/test_a.py"], None, tmp_path / "out").written(tmp_path / "out")
    assert _names(made.path) == [
        "copy/pyproject.toml",
        "copy/tests/conftest.py",
        "copy/tests/sub/test_a.py",
        "start.txt",
    ]


def _start(path: Path) -> str:
    with tarfile.open(path) as archive:
        stream = archive.extractfile("start.txt")
        assert stream is not None
        return stream.read().decode()


def test_a_single_test_is_what_pytest_starts_with(library: Path, tmp_path: Path) -> None:
    made = suite.packed(["tests/sub/test_a.py::TestB::test_c[1]"], None, tmp_path / "out").written(tmp_path / "out")
    assert _start(made.path) == "tests/sub/test_a.py::TestB::test_c[1]"
    assert "copy/tests/sub/test_a.py" in _names(made.path)
    again = suite.packed(["tests/../tests"], None, tmp_path / "out", only="tests/sub/test_a.py::test_d")
    assert _start(again.written(tmp_path / "out").path) == "tests/sub/test_a.py::test_d"
    (library / "other.py").touch()
    with pytest.raises(UsageError, match=r"--case other\.py::x: is not among the tests of --pytest"):
        suite.packed(["tests"], None, tmp_path / "out", only="other.py::x")


def test_tests_next_to_the_code_bring_their_whole_package(library: Path, tmp_path: Path) -> None:
    """A package of which only a part is copied would hide the installed one."""
    for name in ("pkg/__init__.py", "pkg/code.py", "pkg/sub/__init__.py", "pkg/sub/a_test.py", "pkg/sub/helper.py"):
        (library / name).parent.mkdir(parents=True, exist_ok=True)
        (library / name).write_text("")
    made = suite.packed(["pkg/sub/a_test.py"], None, tmp_path / "out").written(tmp_path / "out")
    assert [name for name in _names(made.path) if name.startswith("copy/pkg")] == [
        "copy/pkg/__init__.py", "copy/pkg/code.py", "copy/pkg/sub/__init__.py", "copy/pkg/sub/a_test.py",
        "copy/pkg/sub/helper.py",
    ]  # fmt: skip


def test_a_file_in_the_folder_of_the_project_is_packed_alone(library: Path, tmp_path: Path) -> None:
    (library / "test_root.py").write_text("")
    made = suite.packed(["test_root.py"], None, tmp_path / "out").written(tmp_path / "out")
    assert _names(made.path) == ["copy/pyproject.toml", "copy/test_root.py", "start.txt"]


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nope", "no such file"),
        ("test", r"did you mean 'tests'"),
        ("tests::x", "a test lies in a file"),
        ("..", "is not below the folder"),
    ],
)
def test_tests_that_cannot_be_packed_are_named(tmp_path: Path, path: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        suite.packed([path], None, tmp_path / "out").written(tmp_path / "out")


def test_the_folder_of_the_results_is_not_packed(library: Path) -> None:
    first = suite.packed(["."], None, Path("out"))
    first.written(Path("out"))
    assert suite.packed(["."], None, Path("out")) == first
    assert "copy/src/lib.py" in _names(first.written(Path("out")).path)


def test_a_suite_that_is_too_large_is_refused(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "_MOST_BYTES", 10)
    with pytest.raises(UsageError, match="name the tests alone"):
        suite.packed(["tests"], None, tmp_path / "out").written(tmp_path / "out")


def test_a_wheel_has_its_needs_and_the_extras_that_were_asked_for(tmp_path: Path) -> None:
    made = suite.wheel(f"{_wheel(tmp_path)}[fast]")
    assert (made.name, made.version, made.extras) == ("Tiny.Lib", "0.3", ("fast",))
    assert made.needs == ("keras>=3.9", "scipy; extra == 'fast'")
    assert [name for name, _ in made.members] == ["extra.py", "tiny/__init__.py", "tiny_lib-0.3.dist-info/METADATA"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"name": "a-1-cp311-cp311-linux_x86_64.whl"}, "compiled parts"),
        ({"name": "tiny.whl"}, r"tiny.whl: is not named as a wheel: a wheel is a zip file named like keras-3"),
        ({"metadata": METADATA.replace("0.3", "x.y")}, "its version 'x.y' is not one by PEP 440"),
        ({"metadata": METADATA.replace("keras>=3.9", "keras @ file:///x")}, "an address cannot be locked"),
        ({"metadata": METADATA.replace("keras>=3.9", "keras >= >")}, "is not a requirement"),
    ],
)
def test_a_wheel_that_cannot_run_everywhere_is_refused(tmp_path: Path, more: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        suite.wheel(str(_wheel(tmp_path, **more)))


@pytest.mark.parametrize("name", ["bad.whl", "bad-1-py3-none-any.whl"])
def test_a_file_that_is_not_a_wheel_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("text")
    with pytest.raises(
        UsageError, match=rf"^--install {name}: is not a wheel \(it is not a zip file\): a wheel is a zip"
    ):
        suite.wheel(name, root=tmp_path)


@pytest.mark.parametrize(("name", "near"), [("a.whl", ""), ("tests", ""), ("tiny_lib-0.3-py3-none-an.whl", "did you")])
def test_what_is_not_there_is_refused(tmp_path: Path, name: str, near: str) -> None:
    _wheel(tmp_path)
    with pytest.raises(UsageError, match=rf"^--install {name}: no such file or folder.*{near}"):
        suite.wheel(name, root=tmp_path)


def test_an_extra_that_the_library_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Tiny\.Lib has no extra 'fats'; it has: fast"):
        suite.wheel(f"{_wheel(tmp_path)}[fats]")


@pytest.mark.usefixtures("library")
def test_a_folder_without_a_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither a wheel nor a folder with a pyproject"):
        suite.wheel(str(tmp_path))


@pytest.mark.usefixtures("library")
def test_a_project_is_built_by_uv_and_its_error_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def build(command: list[str], **_: Any) -> commands.Ended:
        asked.append(command)
        _wheel(Path(command[command.index("--out-dir") + 1]))
        return commands.Ended(0)

    monkeypatch.setattr(folders, "uv_program", lambda: "uv")
    monkeypatch.setattr(commands, "guarded", build)
    assert suite.wheel(".").version == "0.3"
    assert asked[0][:3] == ["uv", "build", "--wheel"]
    failed = commands.Ended(2, errors="Building\n  × Failed to build `x`\n  ╰─▶ no backend\n")
    monkeypatch.setattr(commands, "guarded", lambda *_, **__: failed)
    with pytest.raises(UsageError, match=r"no wheel could be built: × Failed to build `x` ╰─▶ no backend$"):
        suite.wheel(".")
