"""What goes into a cell and what its answer comes to."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from runner.data import DataFile
from runner.errors import BadOutputError
from runner.matrix import probes, sets
from runner.measure import payload
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


def test_a_file_that_is_changed_during_a_run_does_not_come_into_half_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "payload"
    source.mkdir()
    for name in ("__init__.py", "__main__.py", "mnist.py"):
        (source / name).write_text("first")
    monkeypatch.setattr(payload, "SOURCE", source)
    monkeypatch.setattr(payload, "files", lambda _: ("__init__.py", "__main__.py", "mnist.py"))
    payload._contents.cache_clear()
    try:
        for turn in ("one", "two"):
            (tmp_path / turn).mkdir()
            payload.stage(tmp_path / turn, JOB, None, "")
            assert (tmp_path / turn / "probe" / "mnist.py").read_text() == "first"
            (source / "mnist.py").write_text("second")
    finally:
        payload._contents.cache_clear()


def test_the_payload_names_its_probes() -> None:
    assert {"hello", "mnist", "conv2d"} <= set(probes.probes())
    assert not {"protocol", "__main__"} & set(probes.probes())


def test_headline_figures_are_read_from_the_source() -> None:
    assert probes.headlines("mnist") == ("free.test_accuracy", "free.step_s", "free.first_step_s", "peak_rss_bytes")
    assert probes.headlines("conv2d") == probes.headlines("no-such-probe") == ()


@pytest.mark.parametrize(
    ("probe", "metric", "headline"),
    [
        ("mnist", "free.step_s", True),
        ("mnist", "controlled.step_s", False),
        ("speed", "dense.b32.step_s", True),
        ("speed", "overhead.step_s", True),
        ("speed", "dense.evaluate_step_s", False),
        ("lstm", "test_loss", True),
        ("vqa", "s50.test_accuracy", True),
        ("vqa", "s50.fit_s", False),
        ("conv2d", "import_s", False),
    ],
)
def test_a_headline_figure_can_be_one_of_many_alike(probe: str, metric: str, *, headline: bool) -> None:
    assert probes.is_headline(probe, metric) == headline


def test_the_settings_of_the_committed_matrix_are_settings_of_its_probes() -> None:
    assert probes.settings("mnist")["epochs"] == 3
    assert probes.settings("hello") == {}
    chosen = [(probe, changed) for one in sets.load().sets.values() for probe, changed in one.probes.items() if changed]
    assert chosen
    for probe, changed in chosen:
        assert changed.keys() <= probes.settings(probe).keys()


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
    monkeypatch.setattr(probes, "SOURCE", tmp_path)
    texts = {
        "__init__.py": "",
        "__main__.py": "from . import shared",
        "shared.py": "",
        "one.py": "def run():\n    from .package import (\n        table,\n        deep as d,\n    )",
        "package/__init__.py": "from .face import table",
        "package/face.py": "table = 1",
        "package/deep.py": "from .. import (\n    other as o,\n)\nfrom ..tools.saw import cut",
        "package/unused.py": "",
        "package/table.csv": "1",
        "tools/__init__.py": "MODULES_BY_NAME = {'a': 'in_a'}",
        "tools/in_a.py": "",
        "tools/in_b.py": "",
        "tools/saw.py": "",
        "other.py": "",
        "two.py": "from .tools.in_b import b",
    }
    users = {name: {"one"} for name in texts} | {
        "__init__.py": {"one", "two"},
        "__main__.py": {"one", "two"},
        "shared.py": {"one", "two"},
        "package/unused.py": set(),
        "tools/__init__.py": {"one", "two"},
        "tools/in_a.py": {"one", "two"},
        "tools/in_b.py": {"two"},
        "two.py": {"two"},
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    def hashed(probe: str) -> str:
        probes._imported.cache_clear()
        for cached in (probes._files, probes._hash, probes._imported):
            cached.cache_clear()
        return probes.probe_hash(probe)

    for name in texts:
        before = {probe: hashed(probe) for probe in ("one", "two")}
        with (tmp_path / name).open("a") as file:
            file.write("\n")
        assert {probe for probe, was in before.items() if hashed(probe) != was} == users[name], name
    assert probes.files("one") == tuple(sorted(name for name, using in users.items() if "one" in using))
    probes._imported.cache_clear()
    for cached in (probes._files, probes._hash, probes._imported):
        cached.cache_clear()


def test_a_change_of_one_probe_leaves_the_results_of_the_others_valid() -> None:
    assert not {name for name in probes.files("mnist") if name.startswith(("ops/", "training/", "diagnose/"))}
    assert not {name for name in probes.files("ops") if "mnist" in name or name.startswith("networks/")}
    assert len(probes.files("hello")) < len(probes.files("speed")) < len(probes.files("diagnose"))


@pytest.mark.parametrize("probe", probes.probes())
def test_a_probe_is_staged_with_all_it_can_import(probe: str, tmp_path: Path) -> None:
    """Every relative import of a staged file finds its module among the staged files."""
    staged = set(probes.files(probe))
    assert "__main__.py" in staged
    for name in staged:
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((probes.SOURCE / name).read_bytes())
    modules = {name.removesuffix(".py").removesuffix("/__init__") for name in staged}
    for name in staged:
        for node in ast.walk(ast.parse((tmp_path / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                package = name.split("/")[:-1]
                base = "/".join([*package[: len(package) - node.level + 1], *(node.module or "").split(".")]).strip("/")
                assert not base or base in modules, f"{name} imports {base}"
                for alias in node.names:
                    below = probes.SOURCE / base / alias.name
                    if below.with_suffix(".py").is_file() or (below / "__init__.py").is_file():
                        assert f"{base}/{alias.name}".strip("/") in modules, f"{name} imports {alias.name}"


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"oom": True, "timed_out": True, "exit_code": 137}, Status.OOM, "ran out of the memory it was given"),
        ({"timed_out": True, "exit_code": 143, "wall_s": 61.6}, Status.TIMEOUT, "did not finish within 62 s"),
        ({"exit_code": 139, "signal": 11}, Status.CRASHED, "killed by signal SIGSEGV"),
        ({"exit_code": 227, "signal": 99}, Status.CRASHED, "killed by signal 99"),
        ({"exit_code": 3}, Status.CRASHED, "exit code 3"),
        ({"exit_code": 3, "log": "one\n  two \n \n"}, Status.CRASHED, "exit code 3: two"),
        ({"exit_code": 3, "log": "x" * 301}, Status.CRASHED, "exit code 3: " + "x" * 300),
    ],
)
def test_each_bad_end_in_its_own_words(tmp_path: Path, changes: dict[str, Any], status: Status, reason: str) -> None:
    found = payload.ending(tmp_path, _outcome(**changes))
    assert (found.status, found.reason, found.answer) == (status, reason, payload.Answer(status="crashed"))


def test_a_bad_end_keeps_what_the_probe_had_said(tmp_path: Path) -> None:
    _answer(tmp_path, {**FINE, "reason": "half way"})
    for changes in ({"oom": True}, {"timed_out": True}, {"exit_code": 1}):
        assert payload.ending(tmp_path, _outcome(**changes)).answer.metrics[0].name == "a"
    assert payload.ending(tmp_path, _outcome(exit_code=1, log="x")).reason == "exit code 1: half way"


@pytest.mark.parametrize("status", ["build-failed", "oom", "timeout", "skipped", "", "odd"])
def test_what_a_probe_cannot_know_is_bad_output(tmp_path: Path, status: str) -> None:
    with pytest.raises(BadOutputError) as caught:
        payload.read_answer(_answer(tmp_path, {"status": status}) / payload.RESULT)
    assert str(caught.value) == f"the probe's result file has an unknown status {status!r}"


@pytest.mark.parametrize("status", ["ok", "import-failed", "unsupported", "crashed", "bad-output", "unavailable"])
def test_what_a_probe_can_report_is_its_status(tmp_path: Path, status: str) -> None:
    found = payload.ending(_answer(tmp_path, {"status": status, "reason": "why"}), _outcome())
    assert (found.status, found.reason) == (Status(status), "why")


def test_the_texts_of_bad_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / payload.RESULT

    def said() -> str:
        with pytest.raises(BadOutputError) as caught:
            payload.read_answer(path)
        return str(caught.value)

    assert said() == "the probe ended without a result file"
    (tmp_path / "other").write_text(json.dumps(FINE))
    path.symlink_to(tmp_path / "other")
    assert said() == "the probe ended without a result file"
    path.unlink()
    path.write_text("{")
    assert said().startswith("the probe's result file cannot be read: Input data was truncated")
    path.write_text("[" * 100_000)
    assert said().startswith("the probe's result file cannot be read: ")
    path.write_text(json.dumps(FINE))
    monkeypatch.setattr(payload, "_RESULT_LIMIT", path.stat().st_size)
    payload.read_answer(path)
    monkeypatch.setattr(payload, "_RESULT_LIMIT", path.stat().st_size - 1)
    assert said() == "the probe's result file is larger than 0 MiB"

    def refuse(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(payload, "_RESULT_LIMIT", 64 << 20)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert said() == "the probe's result file cannot be read: Permission denied"


def test_the_whole_request() -> None:
    probe = ProbeSpec("mnist", {"epochs": 2})
    assert payload.request(CELL, probe, 7, 3, None, "/unused") == {
        "schema": 1, "probe": "mnist", "cell": CELL.values, "settings": {"epochs": 2}, "seed": 7, "round": 3,
        "data": None,
    }  # fmt: skip
