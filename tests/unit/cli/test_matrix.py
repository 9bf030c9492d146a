"""``runner matrix``, from the command line to the exit code, with an executor that runs in this process."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner import cli, sources
from runner.environments import lock
from runner.model import Environment, Status
from runner.results import store
from runner.util import outage

OLD, NEW = "torch-2.2.2_keras-3.11.3_py3.11_cpu", "torch-2.15.0_keras-3.11.3_py3.11_cpu"
ONLY = ("--only", OLD, "--only", NEW, "--probe", "mnist")


def _step(seconds: float) -> dict[str, Any]:
    return {"metrics": [{"name": "free.step_s", "value": seconds, "kind": "timing", "better": "lower", "unit": "s"}]}


def _noisy(seconds: float) -> list[dict[str, Any]]:
    return [_step(seconds * (1 + 0.001 * (number * 7 % 5))) for number in range(30)]


def _matrix(out: Path, *more: str) -> int:
    return cli.run(["matrix", *ONLY, "--out", str(out), *more])


def _report(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(capsys.readouterr().out)
    return shown


def test_a_run_measures_judges_and_prints(
    fake_executor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_executor.answers = {OLD: _noisy(0.010), NEW: _noisy(0.020)}
    assert _matrix(tmp_path / "out", "--rounds", "10", "--format", "json") == 1
    verdicts = {c["metric"]: c["verdict"] for c in _report(capsys)["comparisons"] if c["candidate"] == NEW}
    assert verdicts["free.step_s"] == "regressed"
    assert verdicts["status"] == "same"
    record = store.load_records([tmp_path / "out"])
    assert {cell.id for cell in record.cells} == {OLD, NEW}
    assert sorted(record.processes) == [(NEW, "mnist", 10), (OLD, "mnist", 10)]
    assert "synthetic" in " ".join(record.notes)


def test_a_second_run_measures_nothing(fake_executor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _matrix(tmp_path / "out") == 0
    first = capsys.readouterr().out
    fake_executor.launched.clear()
    fake_executor.prepared.clear()
    assert _matrix(tmp_path / "out") == 0
    assert (fake_executor.launched, fake_executor.prepared) == ([], [])
    assert capsys.readouterr().out == first


def _results(out: Path) -> list[Path]:
    return sorted(out.glob("results/*/*/*.json"))


@pytest.mark.parametrize("kind", ["cut", "fifo"])
def test_a_bad_file_in_the_place_of_a_result_is_said_and_measured_again(
    fake_executor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    assert _matrix(tmp_path / "out") == 0
    path = _results(tmp_path / "out")[0]
    if kind == "cut":
        path.write_bytes(path.read_bytes()[:99])
    else:
        path.unlink()
        os.mkfifo(path)
    fake_executor.launched.clear()
    capsys.readouterr()
    assert _matrix(tmp_path / "out") == 0
    (line,) = (line for line in capsys.readouterr().err.splitlines() if str(path) in line)
    assert line.startswith("note     ")
    assert line.endswith(": measured again")
    assert [cell for cell, _, _ in fake_executor.launched] == [path.parent.parent.name]
    assert cli.run(["report", str(tmp_path / "out")]) == 0


def test_a_bad_file_of_a_further_round_is_said_and_not_used(
    fake_executor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_executor.answers = {OLD: _noisy(0.010), NEW: _noisy(0.020)}
    further = ("--rounds", "2", "--budget", "none")
    _matrix(tmp_path / "out", *further)
    path = next(path for path in _results(tmp_path / "out") if path.name.startswith("002-"))
    path.write_bytes(b"{")
    fake_executor.launched.clear()
    capsys.readouterr()
    _matrix(tmp_path / "out", *further)
    (line,) = (line for line in capsys.readouterr().err.splitlines() if str(path) in line)
    assert line.startswith(f"note     {path}: not a whole result file")
    assert line.endswith(": not used")


def test_a_lock_that_cannot_be_read_stops_its_own_environment(
    fake_executor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = tmp_path / "good.txt", tmp_path / "bad.txt"
    environment = Environment("jax", "0.10.2", "3.11.3", "3.11", "cpu", "linux-x86_64")
    good.write_bytes(lock.committed_path(environment).read_bytes())
    bad.write_bytes(b"# environment: cut off")
    monkeypatch.setattr(lock, "committed_path", lambda environment: bad if "2.2.2" in environment.id else good)
    monkeypatch.setattr(fake_executor, "identity", lambda environment: lock.locked(environment).sha256, raising=False)
    assert _matrix(tmp_path / "out", "--format", "json") == 3
    shown = capsys.readouterr()
    assert [cell for cell, _, _ in fake_executor.launched] == [NEW]
    (line,) = _not_measured(shown.out)
    assert str(bad) in line
    assert "unavailable" in line
    statuses = {sample.cell.id: sample.status for sample in store.load([tmp_path / "out"])}
    assert statuses == {OLD: Status.UNAVAILABLE, NEW: Status.OK}


def _not_measured(text: str) -> list[str]:
    found: list[str] = json.loads(text)["not_measured"]
    return found


class TestWithoutTheEngineOfEarlierResults:
    """Results are from containers, and the engine does not answer now."""

    LINE = (
        "runner: {out} has results from containers, and no engine answers: start it and run the same command again, "
        "or give --executor host to measure everything again there\n"
    )

    @pytest.fixture
    def out(self, fake_executor: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        assert _matrix(tmp_path / "out") == 0
        without = replace(fake_executor, problem="no engine answers")
        on_host = replace(fake_executor, label="virtual environments", isolated=False)
        monkeypatch.setattr("runner.executors.make", lambda name: without if name == "docker" else on_host)
        fake_executor.launched.clear()
        return tmp_path / "out"

    @pytest.mark.parametrize("more", [(), ("--dry-run",)])
    def test_the_run_stops_and_says_both_ways_out(
        self, fake_executor: Any, out: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...]
    ) -> None:
        capsys.readouterr()
        record = (out / "run.json").read_bytes()
        assert _matrix(out, *more) == 3
        assert capsys.readouterr() == ("", self.LINE.format(out=out))
        assert fake_executor.launched == []
        assert (out / "run.json").read_bytes() == record

    def test_results_of_an_earlier_version_say_it_too(self, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (out / "run.json").unlink()
        capsys.readouterr()
        assert _matrix(out) == 3
        assert capsys.readouterr().err == self.LINE.format(out=out)

    @pytest.mark.parametrize("more", [("--executor", "host"), ("--fresh",)])
    def test_who_says_so_measures_again(self, out: Path, more: tuple[str, ...]) -> None:
        assert _matrix(out, *more) == 0
        assert _matrix(out) == 0

    def test_another_folder_is_measured_on_the_host_with_a_note(
        self, out: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert _matrix(out.with_name("other")) == 0
        assert "running in virtual environments instead of containers" in capsys.readouterr().err


def test_rounds_are_interleaved_and_the_first_cell_alternates(fake_executor: Any, tmp_path: Path) -> None:
    assert _matrix(tmp_path / "out", "--rounds", "3") == 0
    assert [number for _, _, number in fake_executor.launched] == [0, 0, 1, 1, 2, 2]
    leads = [cell for cell, _, _ in fake_executor.launched[::2]]
    assert leads[0] == leads[2] != leads[1]


def test_undecided_timings_get_further_rounds_until_they_are_decided(
    fake_executor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_executor.answers = {OLD: _noisy(0.010), NEW: _noisy(0.020)}
    assert _matrix(tmp_path / "out", "--rounds", "2", "--max-rounds", "20", "--format", "json") == 1
    rounds = {number for _, _, number in fake_executor.launched}
    assert 2 < len(rounds) < 20
    verdicts = {c["metric"]: c["verdict"] for c in _report(capsys)["comparisons"] if c["candidate"] == NEW}
    assert verdicts["free.step_s"] == "regressed"


def test_ctrl_c_in_a_further_round_reports_the_rounds_before_it(
    fake_executor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(request: dict[str, Any]) -> dict[str, Any]:
        if request["round"] < 3:
            return _noisy(0.01)[int(request["round"])]
        os.kill(os.getpid(), signal.SIGINT)
        return {"exit_code": 130}

    fake_executor.answers = {"*": answer}
    assert _matrix(tmp_path / "out", "--rounds", "2", "--max-rounds", "20", "--format", "json") == 130
    shown = _report(capsys)
    assert shown["exit_code"] == 130
    assert {probe["n"] for cell in shown["cells"] for probe in cell["probes"].values()} == {3}


def test_with_keep_one_environment_is_run_after_the_other(
    fake_executor: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evicted: list[tuple[Any, tuple[str, ...]]] = []
    monkeypatch.setattr(fake_executor, "make_room", lambda room, needed: evicted.append((room.images, needed)))
    monkeypatch.setattr("runner.measure.rounds.still_needed", lambda waiting: tuple(one.id for one in waiting))
    assert _matrix(tmp_path / "out", "--rounds", "2", "--keep", "1") == 3  # timings of two blocks do not compare
    cells = [cell for cell, _, _ in fake_executor.launched]
    assert cells == [cells[0], cells[0], cells[2], cells[2]]
    assert cells[0] != cells[2]
    assert [keep for keep, _ in evicted] == [1, 1]
    assert any(cells[2] in name for name in evicted[0][1])
    assert evicted[1][1] == ()
    blocks = {sample.cell.id: sample.fingerprint["block"] for sample in store.load([tmp_path / "out"])}
    assert len(set(blocks.values())) == 2


def test_a_dry_run_measures_nothing_and_makes_no_folder(
    fake_executor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _matrix(tmp_path / "out", "--dry-run") == 0
    assert OLD in capsys.readouterr().out
    assert fake_executor.launched == []
    assert not (tmp_path / "out").exists()


TEXT = "Docker's network bridge is missing"
LONG = f"failed to create endpoint: {'x' * 400} could not find bridge docker0"
TWELVE = ("--set", "full", "--only", "jax-*_cpu", "--probe", "hello", "--probe", "conv2d")


def test_twelve_environments_that_fail_for_one_reason_are_one_line(
    fake_executor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_executor.outage = outage.of(LONG)
    assert cli.run(["matrix", *TWELVE, "--out", str(tmp_path / "out")]) == 4
    shown = capsys.readouterr()
    assert len(fake_executor.prepared) <= 2
    assert fake_executor.launched == []
    (line,) = [line for line in shown.err.splitlines() if TEXT in line]
    assert line == (
        f"outage   {TEXT}: restart the Docker engine, then run the same command again (12 environments cannot be used)"
    )
    assert " ".join(shown.out.split()).count(f"{TEXT}: restart the Docker engine, then run the same command") == 1
    assert "xxxx" not in shown.out + shown.err
    assert "exit code 4" in shown.out


@pytest.mark.parametrize("form", ["terminal", "markdown", "html", "github"])
def test_every_format_for_people_has_the_reason_once(
    fake_executor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    fake_executor.outage = outage.of(LONG)
    fake_executor.there = ("jax-0.10.2_keras-3.11.3*", "jax-0.7.2_keras-3.11.3*")
    assert cli.run(["matrix", *TWELVE, "--out", str(tmp_path / "out"), "--format", form]) == 3
    shown = " ".join(capsys.readouterr().out.split()).replace("&#39;", "'").replace("\\_", "_")
    assert shown.count("restart the Docker engine") == 1
    assert "xxxx" not in shown
    measured = {cell for cell, _, _ in fake_executor.launched}
    assert measured == {"jax-0.10.2_keras-3.11.3_py3.11_cpu", "jax-0.7.2_keras-3.11.3_py3.11_cpu"}


def test_the_long_text_is_in_one_log(fake_executor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake_executor.outage = outage.of(LONG)
    assert cli.run(["matrix", *TWELVE, "--out", str(tmp_path / "out"), "--format", "json"]) == 4
    shown = capsys.readouterr().out
    assert shown.count("x" * 400) == 1
    assert len(json.loads(shown)["not_measured"]) == 1


def test_with_keep_an_outage_is_one_line_too(
    fake_executor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.measure.rounds.still_needed", lambda _waiting: ())
    fake_executor.outage = outage.of(LONG)
    assert cli.run(["matrix", *TWELVE, "--out", str(tmp_path / "out"), "--keep", "1"]) == 4
    (line,) = [line for line in capsys.readouterr().err.splitlines() if TEXT in line]
    assert line.endswith("(12 environments cannot be used)")
    assert len(fake_executor.prepared) == 1


def test_all_prints_what_does_not_differ_and_commands_name_the_folder(
    fake_executor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = {"name": "plain.error_max", "value": 1.0, "kind": "error", "better": "lower", "unit": "u", "terms": 64}
    fake_executor.answers = {"*": {"metrics": [error]}}
    run = ["matrix", "--only", OLD, "--only", NEW, "--probe", "conv2d", "--out", str(tmp_path / "out")]
    assert cli.run(run) == 0
    shown = capsys.readouterr().out
    assert "every error within rounding in both combinations that run" in shown
    assert "largest error" not in shown
    assert f" --fresh --out {tmp_path / 'out'}\n" in shown
    assert cli.run([*run, "--all"]) == 0
    assert "largest error" in capsys.readouterr().out


class TestSources:
    """`--source` with `--against`: the command for a pull request."""

    OWN = "3.16.0+g1a2b3c4"

    @pytest.fixture(autouse=True)
    def built(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made = (sources.Source("keras", self.OWN, f"keras {self.OWN} is built from commit 1a2b3c4 of keras"),)
        monkeypatch.setattr(sources, "made", lambda given, *_: made if given else ())

    def run(self, out: Path, *more: str) -> int:
        words = ["--only", "torch-*_keras-3.11.3_*", "--probe", "mnist", "--rounds", "10", "--format", "json"]
        return cli.run(["matrix", *words, "--source", "keras=.", "--against", "release", "--out", str(out), *more])

    @pytest.mark.parametrize(("own_s", "code"), [(0.010, 0), (0.020, 1)])
    def test_the_exit_code_is_about_the_build_alone(
        self, fake_executor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], own_s: float, code: int
    ) -> None:
        """torch 2.15.0 is three times as slow as 2.2.2, which is listed as broken with that Keras and runs."""
        fake_executor.answers = {
            f"torch-2.2.2_keras-{self.OWN}_*": _noisy(own_s),
            f"torch-2.15.0_keras-{self.OWN}_*": _noisy(own_s * 3),
            "torch-2.2.2_*": _noisy(0.010),
            "torch-2.15.0_*": _noisy(0.030),
        }
        assert self.run(tmp_path / "out") == code
        report = _report(capsys)
        pairs = {(one["baseline"], one["candidate"]) for one in report["comparisons"] if one["baseline"]}
        assert pairs == {
            (f"torch-{torch}_keras-3.15.1_py3.11_cpu", f"torch-{torch}_keras-{self.OWN}_py3.11_cpu")
            for torch in ("2.2.2", "2.15.0")
        }
        assert cli.run(["report", str(tmp_path / "out"), "--format", "json"]) == code
        assert sorted(map(str, _report(capsys)["comparisons"])) == sorted(map(str, report["comparisons"]))
        record = store.load_records([tmp_path / "out"])
        assert record.against == "3.15.1"
        assert "--source keras=. --against release" in record.invocation

    @pytest.mark.parametrize(
        ("words", "reason"),
        [
            (["--against", "release"], "--against names the release to compare a --source or --wheel with"),
            (["--source", "keras=.", "--against", "release", "--baseline", "x"], "--against and --baseline both"),
            (["--source", "keras=.", "--executor", "current"], "--executor current installs nothing"),
            (["--source", "keras=.", "--against", "newest"], "'newest' is not a release number (example: 2.2.2)"),
        ],
    )
    def test_what_does_not_go_together_is_refused(
        self, capsys: pytest.CaptureFixture[str], words: list[str], reason: str
    ) -> None:
        assert cli.run(["matrix", *words]) == 2
        assert capsys.readouterr().err.startswith(f"runner: {reason}")


# --- a user's script -------------------------------------------------------------------------------------------------

SCRIPT = ("--only", OLD, "--only", NEW, "--script", "train.py")


def _printed(name: str, value: float, kind: str = "timing", better: str = "lower") -> dict[str, Any]:
    return {"metrics": [{"name": f"printed.{name}", "value": value, "kind": kind, "better": better}]}


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script in the working folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "train.py"
    path.write_text("print('step_ms=4.5')\n", encoding="utf-8")
    return path


@pytest.mark.usefixtures("script")
def test_a_script_is_run_alone_in_every_cell_and_judged(fake_executor: Any, capsys: pytest.CaptureFixture[str]) -> None:
    requests: list[dict[str, Any]] = []

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        requests.append(request)
        return _printed("step_ms", (9 if request["cell"]["version"] == "2.15.0" else 4) + request["seed"] % 5 / 1000)

    fake_executor.answers = {"*": answer}
    words = (*SCRIPT, "--metric", r"step_ms=([\d.]+) lower", "--rounds", "10", "--format", "json", "--no-history")
    assert cli.run(["matrix", *words]) == 1
    report = _report(capsys)
    (found,) = [c for c in report["comparisons"] if c["metric"] == "printed.step_ms"]
    assert (found["candidate"], found["verdict"], found["probe"]) == (NEW, "regressed", "script")
    assert {probe for _, probe, _ in fake_executor.launched} == {"script"}
    assert [cell for cell, _, _ in fake_executor.launched[:4]] in ([OLD, NEW, NEW, OLD], [NEW, OLD, OLD, NEW])
    assert {request["seed"] for request in requests} == set(range(10))
    assert requests[0]["settings"] == {
        "script": "train.py",
        "metrics": [r"step_ms=([\d.]+) timing lower"],
        "names": ["step_ms"],
    }
    assert (requests[0]["data"]["name"], len(requests[0]["data"]["sha256"])) == ("train.py", 64)
    assert store.load_records([Path("out")]).invocation == r"--script train.py --metric 'step_ms=([\d.]+) lower'"


@pytest.mark.usefixtures("script")
def test_a_script_goes_next_to_the_probes_that_are_named(fake_executor: Any) -> None:
    assert cli.run(["matrix", *SCRIPT, "--probe", "hello", "--no-history"]) == 0
    assert {probe for _, probe, _ in fake_executor.launched} == {"hello", "script"}


def test_another_content_of_the_script_is_another_result(fake_executor: Any, script: Path) -> None:
    words = ["matrix", *SCRIPT, "--no-history"]
    assert cli.run(words) == 0
    assert len(fake_executor.launched) == 2
    assert cli.run(words) == 0
    assert len(fake_executor.launched) == 2
    script.write_text("print('step_ms=5')\n", encoding="utf-8")
    assert cli.run(words) == 0
    assert len(fake_executor.launched) == 4


def test_all_processes_of_a_run_have_the_script_as_it_was_when_the_run_began(fake_executor: Any, script: Path) -> None:
    seen = []

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        seen.append(Path(request["data"]["path"]).read_text(encoding="utf-8"))
        script.write_text("raise SystemExit('edited meanwhile')\n", encoding="utf-8")
        return {}

    fake_executor.answers = {"*": answer}
    assert cli.run(["matrix", *SCRIPT, "--rounds", "2", "--no-history"]) == 0
    assert seen == ["print('step_ms=4.5')\n"] * 4


@pytest.mark.usefixtures("script")
def test_a_script_that_fails_in_one_release_is_broken_and_can_be_bisected(
    fake_executor: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_executor.answers = {NEW: {"exit_code": 3, "log": "Traceback\nTypeError: no\n"}}
    words = (*SCRIPT, "--network", "--with", "pandas", "--format", "json", "--no-history")
    assert cli.run(["matrix", *words]) == 1
    report = _report(capsys)
    assert "exit code 3: TypeError: no" in report["findings"][0]["text"]
    assert report["findings"][0]["commands"][0] == (
        f"python -m runner bisect torch --good 2.2.2 --bad 2.15.0 --cell {NEW} --script train.py "
        "--network --with pandas"
    )


@pytest.mark.usefixtures("script")
def test_a_figure_that_no_seed_changes_is_one_run(fake_executor: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake_executor.answers = {
        OLD: _printed("accuracy", 0.9712, "seeded", "higher"),
        NEW: _printed("accuracy", 0.9701, "seeded", "higher"),
    }
    words = (*SCRIPT, "--metric", r"accuracy=([\d.]+)", "--budget", "1h", "--format", "json", "--no-history")
    assert cli.run(["matrix", *words]) == 0
    (found,) = [c for c in _report(capsys)["comparisons"] if c["metric"] == "printed.accuracy"]
    assert (found["verdict"], found["evidence"]["n"]) == ("inconclusive", 1)
    assert "the seed has no effect" in found["reason"]
    assert len(fake_executor.launched) == 6  # three rounds show it, and no more are asked for


def test_a_script_reaches_the_network_where_the_user_allows_it(
    fake_executor: Any, monkeypatch: pytest.MonkeyPatch, script: Path
) -> None:
    assert script.is_file()
    launches: list[Any] = []
    execute = fake_executor.execute

    def watched(launch: Any) -> Any:
        launches.append(launch)
        return execute(launch)

    monkeypatch.setattr(fake_executor, "execute", watched)
    for more in ((), ("--network",)):
        assert cli.run(["matrix", "--only", OLD, *SCRIPT[4:], *more, "--no-history"]) == 0
    assert [(launch.network, launch.cut_off) for launch in launches] == [(False, True), (True, True)]
    assert cli.run(["matrix", "--only", OLD, "--probe", "hello", "--no-history"]) == 0
    assert (launches[-1].network, launches[-1].cut_off) == (False, False)


@pytest.mark.usefixtures("script")
def test_packages_of_a_script_are_in_every_environment(fake_executor: Any) -> None:
    assert cli.run(["matrix", *SCRIPT, "--with", "pandas", "--with", "scipy==1.10.1", "--no-history"]) == 0
    assert [one.custom.pins for one in fake_executor.prepared] == [("pandas", "scipy==1.10.1")] * 2
    assert store.load_records([Path("out")]).invocation.endswith("--with pandas --with scipy==1.10.1")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--with", "pandas"), "--with is for a script and for tests: give it with --script or --pytest"),
        (("--script", "train.py", "--with", "-r x"), "--with '-r x': it looks like scipy or scipy==1.10.1"),
        (("--script", "train.py", "--with", "pandas", "--executor", "current"), "--executor current installs nothing"),
        (("--network",), "--network is for a script: give it with --script"),
        (("--script", "train.py", "--pytest", "tests"), "--script and --pytest do not go together: run one after"),
        (("--pytest", "tests", "--network"), "--network is for a script"),
        (("--pytest", "tests", "--metric", "a=(.)"), "--metric is a figure that a script prints"),
        (("--pytest", "tests", "--with", "pandas", "--executor", "current"), "--executor current installs nothing"),
        (("--script", "train.py", "--install", "."), "--install goes with --pytest"),
        (("--metric", "a=(.)"), "--metric is a figure that a script prints: give the script with --script"),
        (("--script", "trian.py"), "trian.py: no such script (did you mean 'train.py'?)"),
        (("--script", "."), ".: is a folder"),
        (("--script", "train.py", "--metric", "a="), "captures nothing"),
        (("--probe", "script"), "the probe 'script' runs your script"),
        (("--script", "train.py", "--setting", "script.epochs=1"), "script has no setting 'epochs'"),
    ],
)
@pytest.mark.usefixtures("script", "fake_executor")
def test_a_script_that_cannot_be_run_is_refused(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    assert cli.run(["matrix", "--only", OLD, *words, "--no-history"]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--executor", "host"), "--pull-from: --executor host uses no images; leave out one of them"),
        (("--executor", "current"), "--pull-from: --executor current uses no images"),
        ((), "--pull-from: 'https://ghcr.io' is not REGISTRY/OWNER (examples: ghcr.io/owner, localhost:5000/owner)"),
    ],
)
@pytest.mark.usefixtures("fake_executor")
def test_a_registry_that_nothing_can_be_pulled_from_is_refused(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["matrix", "--only", OLD, *words, "--pull-from", "https://ghcr.io", "--no-history"]) == 2
    assert says in capsys.readouterr().err
    assert not Path("out").exists()


def test_the_registry_reaches_the_workspace(
    fake_executor: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told: list[str] = []
    monkeypatch.setattr(type(fake_executor), "pull_from", lambda *given: told.append(given[1]), raising=False)
    assert cli.run(["matrix", "--only", OLD, "--probe", "hello", "--pull-from", "ghcr.io/owner", "--no-history"]) == 0
    assert set(told) == {"ghcr.io/owner"}
    assert "--pull-from" not in store.load_records([Path("out")]).invocation
