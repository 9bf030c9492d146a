"""Wheels: what is read from them, what is refused, and what a copy under another version contains."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.util import wheel_file

METADATA = "Metadata-Version: 2.4\nName: Own_Package\nVersion: {version}\nSummary: Version: 9\n\nVersion: 8\n"


def made(folder: Path, version: str = "1.2.0", name: str = "", **files: str) -> Path:
    path = folder / (name or f"own_package-{version}-py3-none-any.whl")
    info = f"own_package-{version}.dist-info"
    content = {
        f"{info}/METADATA": METADATA.format(version=version),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
        "own_package/__init__.py": "x = 1\n",
        f"own_package-{version}.data/scripts/run": "#!python\n",
        **files,
    }
    with zipfile.ZipFile(path, "w") as archive:
        for entry, text in content.items():
            archive.writestr(entry, text)
    return path


def test_it_states_its_name_version_and_tags(tmp_path: Path) -> None:
    path = made(tmp_path)
    found = wheel_file.read(path)
    assert (found.project, found.version, found.tags) == ("own-package", "1.2.0", "py3-none-any")
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("own_package-1.0-py3-none-any.whl", b"text", "is not a wheel (it is not a zip file)"),
        ("own_package-1.0-py3-none-any.whl", None, "no such file; build the wheel first"),
    ],
)
def test_what_is_not_a_wheel_is_refused(tmp_path: Path, name: str, content: bytes | None, reason: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        wheel_file.read(path)
    assert str(caught.value).startswith(f"{path}: {reason}")


def test_a_zip_file_without_metadata_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own_package-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(UsageError, match="it has no dist-info folder with METADATA"):
        wheel_file.read(path)


def test_a_wheel_of_another_file_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not named as a wheel"):
        wheel_file.read(made(tmp_path, name="keras.whl"))


@pytest.mark.parametrize("version", ["main", "1.x"])
def test_a_version_that_is_not_one_is_refused(tmp_path: Path, version: str) -> None:
    with pytest.raises(UsageError, match=rf"its version '{version}' is not one by PEP 440 \(example: 3.16.0\)"):
        wheel_file.read(made(tmp_path, version))


def test_a_copy_has_the_other_version_and_is_otherwise_the_same(tmp_path: Path) -> None:
    wheel = wheel_file.read(made(tmp_path))
    copy = wheel_file.copy(wheel, "1.2.0+g1a2b3c4", tmp_path)
    assert copy.name == "own_package-1.2.0+g1a2b3c4-py3-none-any.whl"
    found = wheel_file.read(copy)
    assert (found.project, found.version, found.tags) == ("own-package", "1.2.0+g1a2b3c4", "py3-none-any")
    with zipfile.ZipFile(copy) as archive:
        assert sorted(archive.namelist()) == [
            "own_package-1.2.0+g1a2b3c4.data/scripts/run",
            "own_package-1.2.0+g1a2b3c4.dist-info/METADATA",
            "own_package-1.2.0+g1a2b3c4.dist-info/RECORD",
            "own_package-1.2.0+g1a2b3c4.dist-info/WHEEL",
            "own_package/__init__.py",
        ]
        metadata = archive.read("own_package-1.2.0+g1a2b3c4.dist-info/METADATA").decode()
        assert metadata == METADATA.format(version="1.2.0+g1a2b3c4")
        rows = list(csv.reader(io.StringIO(archive.read("own_package-1.2.0+g1a2b3c4.dist-info/RECORD").decode())))
        assert len(rows) == 5
        for name, digest, size in rows:
            if name.endswith("/RECORD"):
                continue
            content = archive.read(name)
            sha = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            assert (digest, size) == (f"sha256={sha}", str(len(content)))


def test_a_copy_depends_neither_on_the_order_of_its_files_nor_on_their_times(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    for folder in (first, second):
        folder.mkdir()
    one = wheel_file.copy(wheel_file.read(made(first)), "1.2.0+a", tmp_path / "1")
    path = made(second)
    with zipfile.ZipFile(path) as archive:
        content = {entry: archive.read(entry) for entry in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for entry in reversed(content):
            archive.writestr(zipfile.ZipInfo(entry, (2026, 1, 2, 3, 4, 6)), content[entry])
    two = wheel_file.copy(wheel_file.read(path), "1.2.0+a", tmp_path / "2")
    with zipfile.ZipFile(one) as a, zipfile.ZipFile(two) as b:
        assert a.namelist() == b.namelist()
        assert [a.read(name) for name in a.namelist()] == [b.read(name) for name in b.namelist()]
        assert {entry.date_time for entry in (*a.infolist(), *b.infolist())} == {(1980, 1, 1, 0, 0, 0)}
