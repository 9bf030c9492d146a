"""``runner repro`` from the command line to its exit code."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner import cli
from runner.environments import index
from runner.errors import BuildError, UnavailableError
from runner.executors import Launch
from runner.model import Custom, Environment, Status
from runner.repro import pins, reconstruct
from runner.repro.script import Ran
from runner.repro.session import Request, command, exit_code


class TestCommand:
    """The command that is shown below a cell makes the same environment again, however that was chosen."""

    ASKED = Request(
        Path("my script.py"), ("--epochs", "2"), (), (), None, None, None, "cpu", "auto", (), False, ("scipy==1.10.1",),
        ("data.csv",), False, None, None, None,
    )  # fmt: skip

    def test_pins_date_packages_and_arguments_are_in_it(self) -> None:
        wanted = pins.Wanted(
            pins.parse(("torch==2.2.2", "keras==3.8.0", "numpy==1.26.4")),
            pins.packages(self.ASKED.extra),
            dt.date(2025, 1, 4),
        )
        (target,) = pins.targets(wanted, lambda *_: "")
        text = command(target.cell.id, self.ASKED, wanted)
        assert text == (
            "python -m runner repro 'my script.py' --cells torch-2.2.2_keras-3.8.0_py3.11_cpu --pin numpy==1.26.4"
            " --as-of 2025-01-04 --with scipy==1.10.1 --mount data.csv -- --epochs 2"
        )
        again = pins.on_cell(target.cell, replace(wanted, pins={"numpy": "1.26.4"}))
        assert again.custom == target.custom

    def test_of_the_options_those_that_are_no_defaults(self) -> None:
        asked = replace(self.ASKED, executor="host", timeout_s=30.0, network=True, extra=(), mounts=(), arguments=())
        assert command("jax-0.5.0_native_py3.11_cpu", asked, pins.Wanted({})).endswith(
            "_cpu --executor host --timeout 30.0 --network"
        )


CELLS = ("--cells", "jax-0.10.2_keras-3.11.3_py3.11_cpu", "--cells", "torch-2.2.2_keras-3.11.3_py3.11_cpu")
JAX, TORCH = CELLS[1], CELLS[3]


class TestRun:
    """The whole command, on an executor that runs no processes."""

    @pytest.fixture
    def script(self, tmp_path: Path) -> str:
        (tmp_path / "s.py").write_text("print()")
        return str(tmp_path / "s.py")

    def test_outputs_figures_and_commands_are_shown(
        self, script: str, fake_executor: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", "90")
        fake_executor.answers = {"jax-*": {"log": "acc=0.91\n", "wall_s": 1.5}, "torch-*": {"log": "acc=0.92\n"}}
        assert cli.run(["repro", script, *CELLS]) == 0
        shown = capsys.readouterr()
        lines = shown.out.splitlines()
        # two columns of 43 characters: the ids are wrapped in them
        assert [line[43:46] for line in lines[:4]] == [" | "] * 4
        assert [line.split() for line in lines if line.startswith("acc ")] == [
            ["acc", "0.91", "0.92", "differ", "by", "1.09", "%"]
        ]
        assert [line for line in lines if line.startswith("acc=")] == [f"{'acc=0.91':43} | acc=0.92"]
        assert lines[-3:] == [
            "Run one cell again",
            f"  python -m runner repro {script} --cells {JAX}",
            f"  python -m runner repro {script} --cells {TORCH}",
        ]
        assert f"{JAX}: installing" in shown.err
        assert f"{JAX}: running on docker" in shown.err
        assert fake_executor.launched == [(JAX, "script", 0), (TORCH, "script", 0)]

    def test_json_has_one_object_per_cell_with_all_that_is_known(
        self, script: str, fake_executor: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        log = "{'loss': 0.3}\nfinal 7\nacc=0.91\n"
        fake_executor.answers = {"jax-*": {"log": log, "wall_s": 1.5}, "torch-*": {"exit_code": 3, "log": "oops\n"}}
        assert cli.run(["repro", script, *CELLS, "--json", "--metric", r"final (\d)"]) == 1
        first, second = json.loads(capsys.readouterr().out)
        assert first == {
            "cell": JAX,
            "status": "ok",
            "exit_code": 0,
            "reason": "",
            "output": log,
            "wall_s": 1.5,
            "packages": {"numpy": "2.0.0"},
            "notes": [],
            "command": f"python -m runner repro {script} --cells {JAX} --metric 'final (\\d)'",
            "values": {"acc": 0.91, r"final (\d)": 7.0},
        }
        assert (second["status"], second["reason"]) == ("crashed", "exit code 3: oops")

    def test_what_is_printed_is_json_whatever_a_script_prints(
        self, script: str, fake_executor: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        log = 'loss=nan best=inf worst=-inf\n{"a": NaN, "b": [1, NaN]}\n\x1b]52;c;eA==\x07\x7f\n'
        fake_executor.answers = {"jax-*": {"log": log}}

        def refuse(name: str) -> None:
            raise AssertionError(f"{name} is not JSON")

        assert cli.run(["repro", script, "--cells", JAX, "--json"]) == 0
        shown = capsys.readouterr().out
        (found,) = json.loads(shown, parse_constant=refuse)
        assert found["values"] == {"loss": None, "best": None, "worst": None, "a": None, "b": "[1, NaN]"}
        assert found["output"] == log
        assert "\x1b" not in shown
        assert "\x7f" not in shown

    def test_one_script_with_deep_braces_does_not_lose_the_others(
        self, script: str, fake_executor: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        deep = '{"a": ' * 600 + "1" + "}" * 600
        fake_executor.answers = {"jax-*": {"log": f"{deep}\nacc=0.5\n"}, "torch-*": {"log": "acc=0.25\n"}}
        assert cli.run(["repro", script, *CELLS]) == 0
        assert [line.split()[:3] for line in capsys.readouterr().out.splitlines() if line.startswith("acc ")] == [
            ["acc", "0.5", "0.25"]
        ]

    def test_a_cell_that_cannot_be_built_is_named_with_the_nearest_release_and_the_others_run(
        self, script: str, fake_executor: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(index, "published", lambda *_, **__: ("1.0", "2.2.1", "3.11.3"))
        prepare = fake_executor.prepare

        def failing(environment: Environment, say: Any) -> Any:
            if environment.framework == "torch":
                raise BuildError("no such version", "the log")
            return prepare(environment, say)

        monkeypatch.setattr(fake_executor, "prepare", failing)
        assert cli.run(["repro", script, *CELLS, "--with", "scipy>=1", "--json"]) == 3
        first, second = json.loads(capsys.readouterr().out)
        assert (first["cell"], first["status"]) == (JAX, "ok")
        assert (second["status"], second["exit_code"], second["output"]) == ("build-failed", None, "the log")
        assert second["reason"] == (
            "no such version; torch 2.2.2: no such release with a wheel for Python 3.11; the nearest is 2.2.1"
        )

    def test_an_engine_that_is_gone_is_reported_without_asking_the_index(
        self, script: str, fake_executor: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        fake_executor.answers = {"*": {"raises": UnavailableError("the engine has gone")}}
        assert cli.run(["repro", script, *CELLS]) == 4
        assert f"{JAX}: the engine has gone" in capsys.readouterr().out

    def test_a_cell_that_this_machine_cannot_run_is_reported_first(
        self, script: str, fake_executor: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        mps = "torch-2.2.2_keras-3.11.3_py3.11_mps"
        assert cli.run(["repro", script, "--cells", JAX, "--cells", mps, "--json"]) == 3
        first, second = json.loads(capsys.readouterr().out)
        assert (first["cell"], first["status"], first["exit_code"]) == (mps, "unavailable", None)
        assert "MPS" in first["reason"]
        assert second["cell"] == JAX
        assert [cell for cell, _, _ in fake_executor.launched] == [JAX]

    def test_an_interrupt_stops_what_is_still_being_prepared(
        self, script: str, fake_executor: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        fake_executor.answers = {"jax-*": {"raises": KeyboardInterrupt()}}
        assert cli.run(["repro", script, *CELLS]) == 130
        assert [cell for cell, _, _ in fake_executor.launched] == [JAX]
        assert capsys.readouterr().out == ""

    @pytest.mark.parametrize(
        ("words", "reach"),
        [([], "the network or files"), (["--network"], "files")],
    )
    def test_on_the_host_a_note_says_what_the_script_can_reach(
        self,
        words: list[str],
        reach: str,
        script: str,
        fake_executor: Any,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("runner.executors.host.without_network", lambda: ())
        assert cli.run(["repro", script, *CELLS, "--executor", "host", *words]) == 0
        assert (
            f"note: on the host nothing keeps the script from {reach} outside its folder\n" in capsys.readouterr().err
        )
        assert len(fake_executor.launched) == 2

    def test_in_a_container_there_is_no_such_note(
        self, script: str, fake_executor: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.run(["repro", script, "--cells", JAX]) == 0
        assert "note:" not in capsys.readouterr().err
        assert len(fake_executor.launched) == 1

    def test_notes_about_cells_and_environments_are_printed_once(
        self, script: str, fake_executor: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        prepare = fake_executor.prepare
        monkeypatch.setattr(
            fake_executor, "prepare", lambda *more: replace(prepare(*more), notes=("installed against its metadata",))
        )
        pinned = ["--pin", "jax==0.10.2", "--pin", "torch==2.2.2", "--pin", "keras==3.11.3"]
        assert cli.run(["repro", script, *pinned]) == 0
        error = capsys.readouterr().err
        assert error.count("note: torch and jax: each gets its own environment") == 1
        assert error.count("note: installed against its metadata\n") == 1

    def test_the_variables_of_a_variant_reach_the_script(
        self, script: str, fake_executor: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[dict[str, str]] = []
        execute = fake_executor.execute

        def watched(launch: Launch) -> Any:
            seen.append(dict(launch.environment))
            return execute(launch)

        monkeypatch.setattr(fake_executor, "execute", watched)
        cell = "tensorflow-2.18.0_keras-3.11.3_py3.11_cpu"
        assert cli.run(["repro", script, "--cells", cell, "--cells", f"{cell}+no-onednn"]) == 0
        assert [variables.get("TF_ENABLE_ONEDNN_OPTS") for variables in seen] == [None, "0"]

    def test_a_report_gives_the_versions_and_the_command_line_outranks_it(
        self,
        script: str,
        tmp_path: Path,
        fake_executor: Any,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        (tmp_path / "report.md").write_text("jax 0.4.35, keras 3.8.0, numpy 1.26.4, Python 3.10. Opened on 2025-01-23")
        known = {"jax": ("0.4.35",), "keras": ("3.7.0", "3.8.0"), "numpy": ("1.26.4",)}
        made = reconstruct.Index(
            lambda package, _python: known[package], lambda *_: "", lambda name, *_: known[name][-1], lambda *_: ""
        )
        monkeypatch.setattr(reconstruct, "Index", lambda: made)
        asked = ["--from", str(tmp_path / "report.md"), "--pin", "keras==3.7.0"]
        assert cli.run(["repro", script, *asked]) == 0
        (environment,) = fake_executor.prepared
        assert (environment.version, environment.keras, environment.python) == ("0.4.35", "3.7.0", "3.10")
        assert environment.custom == Custom(("numpy==1.26.4",), "2025-01-24T00:00:00Z")
        assert "read: jax 0.4.35 (jax 0.4.35, keras 3.8.0" in capsys.readouterr().err
        assert cli.run(["repro", script, *asked, "--python", "3.11", "--as-of", "2025-02-01"]) == 0
        assert fake_executor.prepared[1].python == "3.11"
        assert fake_executor.prepared[1].custom == Custom(("numpy==1.26.4",), "2025-02-02T00:00:00Z")
        assert cli.run(["repro", script, *asked[:2], "--cells", TORCH]) == 0
        assert fake_executor.prepared[2].custom == Custom(("numpy==1.26.4",))
        assert "guessed: --cells chooses the cells" in capsys.readouterr().err

    def test_a_report_that_is_not_there_is_refused(self, script: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.run(["repro", script, "--from", "nowhere.md"]) == 2
        assert "nowhere.md: cannot be read" in capsys.readouterr().err

    def test_a_script_that_is_not_there_is_refused_in_one_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.run(["repro", "nowhere.py", "--pin", "torch==2.2.2"]) == 2
        assert capsys.readouterr().err == "runner: nowhere.py: no such script\n"


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ([], 4),
        (["unavailable", "build-failed"], 4),
        (["ok", "ok"], 0),
        (["ok", "build-failed"], 3),
        (["ok", "crashed", "build-failed"], 1),
        (["timeout"], 1),
    ],
)
def test_the_exit_code_is_that_of_the_worst_cell(statuses: list[str], code: int) -> None:
    assert exit_code([Ran("c", Status(status), None, "", "") for status in statuses]) == code


class TestCommandOptions:
    def test_each_limit_that_is_not_the_default_is_repeated(self) -> None:
        asked = replace(TestCommand.ASKED, memory=4.0, disk=1.0, metrics=("a (b)",), arguments=(), extra=(), mounts=())
        text = command("jax-0.5.0_native_py3.11_cpu", asked, pins.Wanted({"scipy": None}))
        assert text.endswith("_cpu --pin scipy --metric 'a (b)' --memory 4.0 --disk 1.0")
