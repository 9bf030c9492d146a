"""Files that processes leave: archives by content, joined for those who read them."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from runner.errors import BadOutputError
from runner.results import left


def folder(tmp_path: Path, name: str, **files: str) -> Path:
    made = tmp_path / name
    made.mkdir()
    for file, text in files.items():
        (made / file).write_text(text)
    return made


def names(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]


def test_the_same_files_make_the_same_archive(tmp_path: Path) -> None:
    one = folder(tmp_path, "one", b="2", a="1")
    two = folder(tmp_path, "two", a="1", b="2")
    os.utime(two / "a", (1, 1))
    kept = left.keep(one, tmp_path / "out")
    assert left.keep(two, tmp_path / "out") == kept
    assert (kept.count, kept.size) == (2, 2)
    assert names(left.path(tmp_path / "out", kept.sha256)) == {"a": b"1", "b": b"2"}
    assert left.keep(folder(tmp_path, "three", a="other"), tmp_path / "out").sha256 != kept.sha256


def test_links_and_pipes_are_left_out(tmp_path: Path) -> None:
    made = folder(tmp_path, "one", a="1")
    (made / "link").symlink_to("/etc/passwd")
    os.mkfifo(made / "pipe")
    kept = left.keep(made, tmp_path / "out")
    assert list(names(left.path(tmp_path / "out", kept.sha256))) == ["a"]


def test_what_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(left, "MOST_BYTES", 1 << 20)
    with pytest.raises(BadOutputError, match="2 MiB of files: at most 1"):
        left.keep(folder(tmp_path, "one", a="x" * (2 << 20)), tmp_path / "out")


def test_the_files_of_cells_are_put_together(tmp_path: Path) -> None:
    out = tmp_path / "out"
    digests = {name: left.keep(folder(tmp_path, name, file=name), out).sha256 for name in ("b", "a")}
    path, digest = left.together(out, digests)
    assert names(path) == {"a/file": b"a", "b/file": b"b"}
    assert left.together(out, dict(sorted(digests.items()))) == (path, digest)
    assert left.together(out, {"a": digests["a"]})[1] != digest
