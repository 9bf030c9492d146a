"""A share is stored as a whole or not at all, wherever the program is ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner.cluster import receipts
from runner.cluster.receipts import DamagedError, Receipt, Receipts, digest
from runner.cluster.request import File
from runner.util import files

RESULT = "results/torch-2.2.2_keras-3.8.0_py3.11_cpu/mnist/{}.json"


def _receipt(contents: dict[str, bytes], key: str = "k1", **more: Any) -> tuple[Receipt, dict[str, bytes]]:
    """A receipt of files by path, and the contents by digest."""
    listed = tuple(File(path, digest(content), len(content)) for path, content in contents.items())
    made = Receipt(key=key, worker="w", fingerprint={}, files=listed, skips=(), notes=(), locks={}, **more)
    return made, {digest(content): content for content in contents.values()}


def _there(out: Path) -> dict[str, bytes]:
    found = (path for place in ("results", "files") for path in (out / place).rglob("*") if path.is_file())
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in found}


CONTENTS = {RESULT.format("000-a"): b"one", RESULT.format("001-b"): b"two", "files/abc.tar": b"three"}


def test_a_share_is_stored_and_found_again(tmp_path: Path) -> None:
    Receipts(tmp_path).keep(*_receipt(CONTENTS))
    assert _there(tmp_path) == CONTENTS
    again = Receipts(tmp_path)
    assert again.whole("k1") is not None
    assert again.strangers() == []
    assert again.whole("k2") is None
    (tmp_path / "files" / "abc.tar").unlink()
    assert again.whole("k1") is None


class _EndedError(BaseException):
    """The program is killed."""


@pytest.mark.parametrize("writes", range(8))
def test_ended_at_any_write_it_is_all_there_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    real, left = files.write_atomically, [writes]

    def write(path: Path, content: bytes) -> None:
        if not left[0]:
            raise _EndedError
        left[0] -= 1
        real(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(files, "write_atomically", write)
        try:
            Receipts(tmp_path).keep(*_receipt(CONTENTS))
            ended = False
        except _EndedError:
            ended = True
    assert ended == (writes < 7), "three parts, the receipt, three places"
    again = Receipts(tmp_path)
    again.recover()
    expected: dict[str, bytes] = CONTENTS if writes > 3 else {}
    assert _there(tmp_path) == expected
    assert (again.whole("k1") is not None) == bool(expected)
    assert not list((tmp_path / "shares").glob("*.part"))


def test_results_of_a_cell_and_probe_are_those_of_the_last_share(tmp_path: Path) -> None:
    """Those of two machines would be two samples of one round."""
    kept = Receipts(tmp_path)
    kept.keep(*_receipt(CONTENTS))
    kept.keep(*_receipt({RESULT.format("000-c"): b"elsewhere"}, key="k2"))
    assert _there(tmp_path) == {RESULT.format("000-c"): b"elsewhere", "files/abc.tar": b"three"}
    assert kept.whole("k1") is None
    assert kept.whole("k2") is not None


def test_what_is_replaced_goes_even_where_the_program_ended_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Receipts(tmp_path)
    kept.keep(*_receipt({RESULT.format("000-a"): b"one"}))

    def ended(*_: object) -> None:
        raise _EndedError

    with monkeypatch.context() as patch:
        patch.setattr(Receipts, "_placed", ended)
        with pytest.raises(_EndedError):
            kept.keep(*_receipt({RESULT.format("000-c"): b"elsewhere"}, key="k2"))
    Receipts(tmp_path).recover()
    assert _there(tmp_path) == {RESULT.format("000-c"): b"elsewhere"}


def test_results_of_another_run_are_strangers(tmp_path: Path) -> None:
    Receipts(tmp_path).keep(*_receipt(CONTENTS))
    other = tmp_path / "results" / "jax-0.5.0_native_py3.11_cpu" / "hello" / "000-x.json"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"{}")
    assert Receipts(tmp_path).strangers() == ["results/jax-0.5.0_native_py3.11_cpu/hello/000-x.json"]


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "results/../../x", "run.json", "shares/k.json", ""])
def test_a_worker_cannot_write_anywhere_else(tmp_path: Path, path: str) -> None:
    with pytest.raises(DamagedError, match="not a place of results"):
        Receipts(tmp_path / "out").keep(*_receipt({path: b"x"}))
    assert not list(tmp_path.rglob("*"))


@pytest.mark.parametrize("content", [b"on", b"One", b""])
def test_what_is_not_as_promised_is_not_stored(tmp_path: Path, content: bytes) -> None:
    receipt, contents = _receipt({RESULT.format("000-a"): b"one"})
    with pytest.raises(DamagedError, match="not the file that it promised"):
        Receipts(tmp_path).keep(receipt, dict.fromkeys(contents, content))
    assert _there(tmp_path) == {}


def test_what_a_share_has_made_is_listed_without_what_it_read(tmp_path: Path) -> None:
    for path in ("results/c/p/000-a.json", "files/abc.tar", "files/all-def.tar", "run.json", ".lock"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(path.encode())
    found = {file.path: file for file in receipts.made(tmp_path)}
    assert sorted(found) == ["files/abc.tar", "results/c/p/000-a.json"]
    assert found["files/abc.tar"].sha256 == digest(b"files/abc.tar")
