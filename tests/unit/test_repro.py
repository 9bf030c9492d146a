"""A script in chosen cells: pins become cells, outputs become figures, failures say what would help."""

from __future__ import annotations

import datetime as dt
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner import cli
from runner.cli.repro import Request
from runner.cli.repro import command as repro_command
from runner.engine import Engine
from runner.environments import index
from runner.errors import UsageError
from runner.executors import Launch, Mount, Prepared
from runner.executors.container import create_arguments
from runner.executors.owner import Owner
from runner.matrix import compat
from runner.model import Cell, Custom, Environment, Limits, Outcome, Status
from runner.repro import compare, pins, script
from runner.util import versions

TORCH = Cell("torch", "2.2.2", "3.8.0", "3.11", "cpu")


def _newest(package: str, _python: str, as_of: str) -> str:
    return {"jax": "0.5.0" if as_of else "0.10.2", "tensorflow": "2.18.0", "keras": "3.8.0"}[package]


def _ended(code: int, log: str, **more: object) -> script.Ran:
    outcome = Outcome(code, None, bool(more.get("oom")), bool(more.get("timed_out")), 1.5, log)
    environment = Environment("torch", "2.2.2", None, "3.11", "cpu", "linux-x86_64")
    return script.ended("c", outcome, script.Script(Path("/x/s.py")), Prepared(environment, "image"))


class TestPins:
    def test_a_framework_and_keras_become_the_cell_and_the_rest_its_environment(self) -> None:
        wanted = pins.Wanted(pins.parse(["torch==2.2.2+cu121", "keras==3.8.0", "numpy==1.26.4"]), ("scipy",))
        (target,) = pins.targets(wanted, _newest)
        assert target.cell == TORCH
        assert target.custom == Custom(("numpy==1.26.4", "scipy"))

    def test_a_plain_cell_has_the_environment_of_the_matrix(self) -> None:
        (target,) = pins.targets(pins.Wanted(pins.parse(["torch==2.2.2", "keras==3.8.0"])), _newest)
        assert target.custom is None

    def test_a_date_decides_what_is_newest_and_still_counts_itself(self) -> None:
        wanted = pins.Wanted(pins.parse(["jax", "keras==3.8.0"]), as_of=dt.date(2025, 1, 23))
        (target,) = pins.targets(wanted, _newest)
        assert target.cell.version == "0.5.0"
        assert target.custom == Custom((), "2025-01-24T00:00:00Z")

    def test_several_frameworks_are_taken_apart_and_that_is_said(self) -> None:
        found = pins.targets(pins.Wanted(pins.parse(["jax==0.5.0", "tensorflow==2.18.0", "keras==3.8.0"])), _newest)
        assert {target.cell.framework for target in found} == {"jax", "tensorflow"}
        assert all("environment of its own" in " ".join(target.notes) for target in found)

    def test_keras_alone_runs_on_its_default_backend_and_says_so(self) -> None:
        (target,) = pins.targets(pins.Wanted(pins.parse(["keras==3.8.0"])), _newest)
        assert target.cell.framework == "tensorflow"
        assert "assumed" in target.notes[0]

    def test_the_python_is_one_both_releases_have_wheels_for(self) -> None:
        (target,) = pins.targets(pins.Wanted(pins.parse(["jax==0.4.20", "keras==3.15.1"])), _newest)
        assert versions.release(target.cell.python) >= (3, 11)

    def test_a_framework_is_known_by_its_name_on_the_index(self) -> None:
        (target,) = pins.targets(pins.Wanted(pins.parse(["paddlepaddle==3.3.1"])), _newest)
        assert target.cell.id == "paddle-3.3.1_native_py3.11_cpu"

    def test_an_unknown_framework_is_refused_with_the_nearest(self) -> None:
        with pytest.raises(UsageError, match="did you mean 'tensorflow'"):
            pins.targets(pins.Wanted(pins.parse(["tensorflwo==2.18.0"])), _newest)

    @pytest.mark.parametrize("text", ["torch>=2", "torch==2.2.2 --index-url=x", "--pre", "", "a b==1", "torch== "])
    def test_what_is_no_pin_is_refused(self, text: str) -> None:
        with pytest.raises(UsageError, match="looks like torch"):
            pins.parse([text])

    @pytest.mark.parametrize("text", ["--index-url", "git+ssh://x", "./folder", "scipy @ file:///x", "a\nb"])
    def test_what_is_no_package_never_reaches_uv(self, text: str) -> None:
        with pytest.raises(UsageError, match="looks like scipy"):
            pins.packages([text])

    def test_a_pin_of_another_framework_does_not_go_with_a_cell(self) -> None:
        with pytest.raises(UsageError, match="runs torch"):
            pins.on_cell(TORCH, pins.Wanted({"jax": "0.5.0"}))

    def test_a_pin_moves_the_axis_of_a_cell(self) -> None:
        assert pins.on_cell(TORCH, pins.Wanted({"keras": "3.9.0"})).cell.keras == "3.9.0"


class TestEnvironment:
    def test_a_pin_takes_the_place_of_what_the_axes_ask_for(self) -> None:
        custom = Custom(("numpy==1.25.0", "scipy"))
        environment = Environment("torch", "2.2.2", "3.8.0", "3.11", "cpu", "linux-x86_64", custom)
        lines = compat.load().requirements(environment).requirements
        assert lines == ("keras==3.8.0", "numpy==1.25.0", "scipy", "torch==2.2.2")

    def test_its_name_tells_it_from_the_plain_one(self) -> None:
        plain = Environment("torch", "2.2.2", "3.8.0", "3.11", "cpu", "linux-x86_64")
        ids = {
            Environment("torch", "2.2.2", "3.8.0", "3.11", "cpu", "linux-x86_64", custom).id
            for custom in (None, Custom(("a",)), Custom((), "a"), Custom((), "", ("a",)), Custom(("a", "b")))
        }
        assert len(ids) == 5
        assert plain.id in ids


class TestFigures:
    def test_pairs_json_lines_and_patterns_are_read(self) -> None:
        output = 'epoch 1 acc=0.91, loss=1e-3 path=/x\n{"sum": 3, "deep": {"a": true}}\nfinal accuracy: 93.5 %\n'
        found = compare.values(output, [compare.metric_pattern(r"accuracy: ([\d.]+)")])
        assert found == {
            "acc": 0.91, "loss": 0.001, "sum": 3.0, "deep.a": "True", r"accuracy: ([\d.]+)": 93.5
        }  # fmt: skip

    def test_the_last_value_of_a_name_counts(self) -> None:
        assert compare.values("acc=0.1\nacc=0.2") == {"acc": 0.2}

    def test_a_progress_bar_leaves_its_end(self) -> None:
        assert compare.clean("1/3\r2/3\r3/3 done\x1b[0m\n") == "3/3 done\n"

    def test_differences_are_named(self) -> None:
        found = compare.rows([{"a": 1.0, "b": 2.0, "c": "x"}, {"a": 1.0, "b": 1.0}])
        assert [(row.name, row.note) for row in found] == [
            ("a", "equal"),
            ("b", "differ by 50 %"),
            ("c", "not everywhere"),
        ]

    def test_no_number_equals_itself(self) -> None:
        assert compare.rows([{"a": float("nan")}, {"a": float("nan")}])[0].note == "equal"

    @pytest.mark.parametrize(("text", "why"), [("acc=(", "no regular expression"), ("acc", "captures nothing")])
    def test_a_bad_pattern_is_refused(self, text: str, why: str) -> None:
        with pytest.raises(UsageError, match=why):
            compare.metric_pattern(text)

    @given(st.lists(st.text(), min_size=1, max_size=3))
    def test_any_output_can_be_shown(self, outputs: list[str]) -> None:
        ran = [script.Ran(f"cell{n}", Status.OK, 0, "", text) for n, text in enumerate(outputs)]
        lines = compare.render(ran, [], 120)
        assert all(one.cell in "\n".join(lines) for one in ran)


class TestEndings:
    @pytest.mark.parametrize(
        ("log", "help_"),
        [
            ("ModuleNotFoundError: No module named 'sklearn.utils'", "--with scikit-learn"),
            ("ModuleNotFoundError: No module named 'scipy'", "--with scipy"),
            ("socket.gaierror: [Errno -3] Temporary failure in name resolution", "--network"),
            ("EOFError: EOF when reading a line", "stdin"),
            ("OSError: [Errno 28] No space left on device", "--disk"),
            ("FileNotFoundError: [Errno 2] No such file or directory: 'data.csv'", "--mount data.csv"),
        ],
    )
    def test_a_failure_says_what_would_help(self, log: str, help_: str) -> None:
        ran = _ended(1, f"Traceback\n{log}")
        assert ran.status == Status.CRASHED
        assert help_ in ran.reason

    def test_time_and_memory_are_told_apart_from_a_crash(self) -> None:
        assert _ended(137, "", timed_out=True).status == Status.TIMEOUT
        assert _ended(137, "", oom=True).status == Status.OOM

    def test_a_full_disk_is_told_with_what_gives_more(self) -> None:
        outcome = Outcome(137, 9, oom=False, timed_out=False, wall_s=1.0, log="", out_of_disk=True)
        environment = Environment("torch", "2.2.2", None, "3.11", "cpu", "linux-x86_64")
        ran = script.ended("c", outcome, script.Script(Path("/x/s.py")), Prepared(environment, "image"))
        assert ran.reason == "it wrote more than it may: --disk gives it more"

    def test_a_good_end_has_no_hints(self) -> None:
        assert _ended(0, "No module named 'x'").reason == ""


class TestContainer:
    def test_the_script_is_read_only_the_folder_bounded_the_network_off(self) -> None:
        arguments = _arguments()
        config = arguments["host_config"]
        assert config["network_mode"] == "none"
        assert config["mounts"] == [{"Type": "bind", "Source": "/x/s.py", "Target": "/script/s.py", "ReadOnly": True}]
        assert "size=1000" in config["tmpfs"]["/io"]

    def test_the_network_is_there_when_asked_for(self) -> None:
        assert _arguments(network=True)["host_config"]["network_mode"] == "bridge"


def _arguments(*, network: bool = False) -> dict[str, Any]:
    environment = Environment("torch", "2.2.2", "3.8.0", "3.11", "cpu", "linux-x86_64")
    launch = Launch(
        TORCH, Prepared(environment, "image"), Path("/tmp/io"), None, {}, Limits(disk_bytes=1000),
        mounts=(Mount(Path("/x/s.py"), "/script/s.py"),), network=network,
    )  # fmt: skip
    found: dict[str, Any] = create_arguments(
        launch, engine=Engine(), run="r", name="n", owner=Owner("h", "b", 1, "s"), uid=1, gid=1
    )
    return found


class TestCommand:
    """The command that is shown below a cell makes the same environment again, however that was chosen."""

    ASKED = Request(
        Path("my script.py"), ("--epochs", "2"), (), (), None, None, None, "cpu", "auto", (), False, ("scipy==1.10.1",),
        ("data.csv",), False, 900.0, None, 2.0,
    )  # fmt: skip

    def test_pins_date_packages_and_arguments_are_in_it(self) -> None:
        wanted = pins.Wanted(
            pins.parse(("torch==2.2.2", "keras==3.8.0", "numpy==1.26.4")),
            pins.packages(self.ASKED.extra),
            dt.date(2025, 1, 4),
        )
        (target,) = pins.targets(wanted, lambda *_: "")
        text = repro_command(target.cell.id, self.ASKED, wanted)
        assert text == (
            "python -m runner repro 'my script.py' --cells torch-2.2.2_keras-3.8.0_py3.11_cpu --pin numpy==1.26.4"
            " --as-of 2025-01-04 --with scipy==1.10.1 --mount data.csv -- --epochs 2"
        )
        again = pins.on_cell(target.cell, replace(wanted, pins={"numpy": "1.26.4"}))
        assert again.custom == target.custom

    def test_of_the_options_those_that_are_no_defaults(self) -> None:
        asked = replace(self.ASKED, executor="host", timeout_s=30.0, network=True, extra=(), mounts=(), arguments=())
        assert repro_command("jax-0.5.0_native_py3.11_cpu", asked, pins.Wanted({})).endswith(
            "_cpu --executor host --timeout 30.0 --network"
        )


class TestFiles:
    def test_a_script_that_is_not_there_is_refused_with_the_nearest(self, tmp_path: Path) -> None:
        (tmp_path / "train.py").touch()
        with pytest.raises(UsageError, match=r"did you mean 'train\.py'"):
            script.check(tmp_path / "trian.py", ())

    @pytest.mark.parametrize("name", ["/etc/x", "../x", "a b"])
    def test_a_mount_stays_in_the_scripts_folder(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "s.py").touch()
        with pytest.raises(UsageError, match="own folder"):
            script.check(tmp_path / "s.py", (f"{tmp_path}/s.py:{name}",))

    def test_the_command_line_refuses_it_in_one_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.run(["repro", "nowhere.py", "--pin", "torch==2.2.2"]) == 2
        assert "no such script" in capsys.readouterr().err


class TestReleases:
    def test_upload_dates_are_the_earliest_files(self) -> None:
        lock = (
            '[[package]]\nname = "keras"\nversion = "3.8.0"\nwheels = [\n'
            '{ url = "x", upload-time = "2025-01-08T01:02Z" }, { url = "y", upload-time = "2025-01-07T01:02Z" }]\n'
        )
        assert index.upload_date(lock, "keras") == "2025-01-07"
        assert index.upload_date(lock, "torch") == ""

    def test_prereleases_are_known(self) -> None:
        assert [v for v in ("2.0", "2.0rc1", "2.0.dev3", "2.0.post1", "2.0a1") if versions.is_prerelease(v)] == [
            "2.0rc1", "2.0.dev3", "2.0a1"
        ]  # fmt: skip

    @pytest.mark.parametrize(("version", "found"), [("2.2.9", "2.2.2"), ("1.0", "2.1.0"), ("9", "2.3.0")])
    def test_the_nearest_release_is_offered(self, version: str, found: str) -> None:
        assert index.nearest(version, ["2.1.0", "2.2.2", "2.3.0"]) == found

    def test_what_the_index_does_not_have_is_told_with_the_nearest_that_it_has(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def published(package: str, _python: str, *, prereleases: bool = False) -> tuple[str, ...]:
            assert prereleases
            if package != "torch":
                raise UsageError(f"the package index has no {package!r}")
            return ("2.1.0", "2.2.2", "2.3.0rc1", "2.3.0")

        monkeypatch.setattr(index, "published", published)
        assert index.unknown(("torch==2.2.2+cpu", "torch==2.3", "torch"), "3.11") == []
        assert index.unknown(("torch==2.2.9", "scipyy"), "3.11") == [
            "torch 2.2.9: no such release with a wheel for Python 3.11; the nearest is 2.2.2",
            "the package index has no 'scipyy'",
        ]

    def test_the_index_is_asked_for_a_framework_by_its_name_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []

        def run(command: list[str], *_: object) -> subprocess.CompletedProcess[str]:
            asked.extend(command)
            return subprocess.CompletedProcess(
                command, 0, "paddlepaddle (3.3.1)\nAvailable versions: 3.3.1, 3.3.0\n", ""
            )

        monkeypatch.setattr(index, "_run", run)
        assert index.published("paddle", "3.11", prereleases=True) == ("3.3.0", "3.3.1")
        assert "paddlepaddle" in asked
        assert "paddle" not in asked

    def test_a_name_that_is_none_asks_nobody(self) -> None:
        with pytest.raises(UsageError, match="no name of a package"):
            index.published("--index-url", "3.11")
