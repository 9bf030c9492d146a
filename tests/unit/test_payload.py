"""What goes into a cell and what its answer comes to."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from runner import matrix, payload
from runner.data import DataFile
from runner.errors import BadOutputError
from runner.model import Cell, Environment, Job, Kind, Outcome, ProbeSpec, Status

CELL = Cell("torch", "2.2.2", "3.8.0", "3.11", "cpu")
JOB = Job(CELL, Environment("torch", "2.2.2", "3.8.0", "3.11", "cpu", "linux-x86_64"), ProbeSpec("mnist"), 3, 5, "host")
FINE = {"schema": 1, "status": "ok", "metrics": [{"name": "a", "value": 1.5, "kind": "timing", "better": "lower"}]}


def _outcome(**changes: Any) -> Outcome:
    fields: dict[str, Any] = {
        "exit_code": 0, "signal": None, "oom": False, "timed_out": False, "wall_s": 2.0, "log": "",
    }  # fmt: skip
    return Outcome(**{**fields, **changes})


def _answer(io: Path, content: object = FINE) -> Path:
    (io / payload.RESULT).write_text(content if isinstance(content, str) else json.dumps(content))
    return io


def test_a_process_finds_the_payload_and_its_request(tmp_path: Path) -> None:
    payload.stage(tmp_path, JOB, DataFile(Path("/d"), "mnist", "5ha"), "/data/mnist.npz")
    request = json.loads((tmp_path / "request.json").read_text())
    assert request["cell"] == {
        "framework": "torch", "version": "2.2.2", "keras": "3.8.0", "python": "3.11", "device": "cpu", "variant": "",
    }  # fmt: skip
    assert (request["probe"], request["round"], request["seed"]) == ("mnist", 3, 5)
    assert request["data"] == {"path": "/data/mnist.npz", "name": "mnist", "sha256": "5ha"}
    assert (tmp_path / "probe" / "__main__.py").is_file()
    assert not list(tmp_path.rglob("__pycache__"))


def test_the_payload_names_its_probes() -> None:
    assert {"hello", "mnist", "conv2d"} <= set(payload.probes())
    assert not {"protocol", "__main__"} & set(payload.probes())


def test_the_settings_of_the_committed_matrix_are_settings_of_its_probes() -> None:
    assert payload.settings("mnist")["epochs"] == 3
    assert payload.settings("hello") == {}
    chosen = [
        (probe, changed) for one in matrix.load().sets.values() for probe, changed in one.probes.items() if changed
    ]
    assert chosen
    for probe, changed in chosen:
        assert changed.keys() <= payload.settings(probe).keys()


def test_a_good_answer_is_read(tmp_path: Path) -> None:
    made = payload.ending(_answer(tmp_path), _outcome())
    assert made.status == Status.OK
    assert made.answer.metrics[0].kind == Kind.TIMING


@pytest.mark.parametrize(
    ("outcome", "status", "reason"),
    [
        (_outcome(exit_code=3, log="a\nboom\n"), Status.CRASHED, "exit code 3: boom"),
        (_outcome(exit_code=139, signal=11), Status.CRASHED, "killed by signal SIGSEGV"),
        (_outcome(exit_code=137, signal=9, oom=True), Status.OOM, "memory"),
        (_outcome(exit_code=143, timed_out=True, wall_s=60.2), Status.TIMEOUT, "60 s"),
    ],
)
def test_how_the_process_ended_outranks_a_cheerful_report(
    tmp_path: Path, outcome: Outcome, status: Status, reason: str
) -> None:
    made = payload.ending(_answer(tmp_path), outcome)
    assert made.status == status
    assert reason in made.reason


@pytest.mark.parametrize(
    "content",
    [
        "", "not json", '{"status": "ok"', "[]", '{"status": "splendid"}', '{"status": "ok", "metrics": [{"name": 1}]}',
        '{"status": "ok", "facts": {"a": ' + "[" * 100_000 + "]" * 100_000 + "}}",
        '{"status": "ok", "metrics": [{"name": "m", "kind": "timing", "value": 1' + "0" * 400 + "}]}",
        '{"status": "build-failed"}', '{"status": "oom"}', '{"status": "timeout"}', '{"status": "skipped"}',
    ],
)  # fmt: skip
def test_garbage_is_bad_output(tmp_path: Path, content: str) -> None:
    with pytest.raises(BadOutputError, match="result file") as caught:
        payload.ending(_answer(tmp_path, content), _outcome())
    assert "\n" not in str(caught.value)


def test_what_a_cell_says_cannot_steer_a_terminal(tmp_path: Path) -> None:
    evil = "\x1b]0;title\x07\x9b2J"
    metric = {"name": evil, "value": 1.5, "kind": "timing", "unit": evil}
    said = {"schema": 1, "status": "ok", "reason": evil, "facts": {evil: [evil]}, "metrics": [metric]}
    answer = payload.ending(_answer(tmp_path, said), _outcome()).answer
    shown = "\ufffd]0;title\ufffd\ufffd2J"
    assert (answer.reason, answer.metrics[0].name, answer.metrics[0].unit) == (shown, shown, shown)
    assert answer.facts == {shown: [shown]}
    kept = {**said, "reason": "two\n\tlines: ü", "facts": {}, "metrics": []}
    assert payload.ending(_answer(tmp_path, kept), _outcome()).reason == "two\n\tlines: ü"


def test_an_answer_without_end_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload, "_RESULT_LIMIT", 100)
    with pytest.raises(BadOutputError, match="larger than"):
        payload.ending(_answer(tmp_path, json.dumps({**FINE, "reason": "x" * 100})), _outcome())


def test_a_process_that_fails_says_why_in_its_answer_rather_than_its_log(tmp_path: Path) -> None:
    _answer(tmp_path, {"schema": 1, "status": "import-failed", "reason": "no module"})
    assert payload.ending(tmp_path, _outcome(exit_code=1, log="last line")).reason == "exit code 1: no module"


def test_text_in_another_encoding_is_bad_output(tmp_path: Path) -> None:
    (tmp_path / payload.RESULT).write_bytes(b'{"status": "ok", "reason": "\xff\xfe"}')
    with pytest.raises(BadOutputError, match="cannot be read"):
        payload.ending(tmp_path, _outcome())


def test_no_answer_and_a_link_instead_of_one_are_bad_output(tmp_path: Path) -> None:
    with pytest.raises(BadOutputError, match="without a result file"):
        payload.ending(tmp_path, _outcome())
    (tmp_path / payload.RESULT).symlink_to("/etc/hostname")
    with pytest.raises(BadOutputError, match="without a result file"):
        payload.ending(tmp_path, _outcome())


def test_the_probe_hash_sees_every_change_of_what_the_probe_can_import_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payload, "_SOURCE", tmp_path)
    texts = {
        "__main__.py": "from . import shared",
        "shared.py": "",
        "one.py": "def run():\n    from .package import (\n        table,\n    )",
        "package/__init__.py": "",
        "package/deep.py": "from .. import (\n    other as o,\n)",
        "package/table.csv": "1",
        "other.py": "",
        "two.py": "",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    def hashed(probe: str) -> str:
        payload.files.cache_clear()
        payload.probe_hash.cache_clear()
        return payload.probe_hash(probe)

    for name in texts:
        before = {probe: hashed(probe) for probe in ("one", "two")}
        with (tmp_path / name).open("a") as file:
            file.write("\n")
        changed = {probe for probe, was in before.items() if hashed(probe) != was}
        expected = {"__main__.py": {"one", "two"}, "shared.py": {"one", "two"}, "two.py": {"two"}}
        assert changed == expected.get(name, {"one"}), name
    assert payload.files("one") == tuple(sorted(set(texts) - {"two.py"}))
    payload.files.cache_clear()
    payload.probe_hash.cache_clear()


@pytest.mark.parametrize("probe", payload.probes())
def test_a_probe_is_staged_with_all_it_can_import(probe: str) -> None:
    """What is left out of a process's folder is imported by nothing in it: held against Python's own parser."""
    source = Path(payload.__file__).parent / "probe"
    staged = payload.files(probe)
    assert "__main__.py" in staged
    known = {path.relative_to(source).parts[0].removesuffix(".py") for path in source.rglob("*.py")}
    there = {name.partition("/")[0].removesuffix(".py") for name in staged}
    for name in staged:
        for node in ast.walk(ast.parse((source / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == name.count("/") + 1:
                wanted = {node.module.split(".")[0]} if node.module else {alias.name for alias in node.names}
                assert wanted & known <= there, f"{name} imports {wanted}"
