"""One run of a script: how it is started, how its end is read, what would help it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from runner.engine import Engine
from runner.errors import CellError, UsageError
from runner.executors import Launch, Mount, Prepared
from runner.executors.container import create_arguments
from runner.executors.owner import Owner
from runner.model import Cell, Environment, Limits, Outcome, Status
from runner.repro import script

ENVIRONMENT = Environment("torch", "2.2.2", "3.8.0", "3.11", "cpu", "linux-x86_64")
TORCH = Cell("torch", "2.2.2", "3.8.0", "3.11", "cpu")


def _ended(code: int, log: str, **more: object) -> script.Ran:
    outcome = Outcome(code, None, bool(more.get("oom")), bool(more.get("timed_out")), 1.5, log)
    environment = Environment("torch", "2.2.2", None, "3.11", "cpu", "linux-x86_64")
    return script.ended("c", outcome, script.Script(Path("/x/s.py")), Prepared(environment, "image"))


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
        mounts=(Mount(Path("/x/s.py"), "/script/s.py"),), network=network, foreign=True,
    )  # fmt: skip
    found: dict[str, Any] = create_arguments(
        launch, engine=Engine(), run="r", name="n", owner=Owner("h", "b", 1, "s"), uid=1, gid=1
    )
    return found


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

    def test_a_folder_is_no_script_and_a_name_far_from_all_gets_no_suggestion(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=f"^{tmp_path}: is a folder$"):
            script.check(tmp_path, ())
        with pytest.raises(UsageError, match=r"nowhere/x\.py: no such script$"):
            script.check(tmp_path / "nowhere" / "x.py", ())

    def test_mounts_are_absolute_and_have_their_own_name_or_the_given_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        for name in ("s.py", "a.csv"):
            Path(name).touch()
        assert script.check(Path("s.py"), ("a.csv", "a.csv:data/b.csv", ".:all")) == (
            tmp_path / "s.py",
            ((tmp_path / "a.csv", "a.csv"), (tmp_path / "a.csv", "data/b.csv"), (tmp_path, "all")),
        )
        with pytest.raises(UsageError, match=r"--mount gone\.csv: no such file or folder"):
            script.check(Path("s.py"), ("gone.csv:x",))


class TestHints:
    @pytest.mark.parametrize(
        ("module", "distribution"),
        [("cv2", "opencv-python-headless"), ("sklearn", "scikit-learn"), ("PIL", "pillow"), ("yaml", "pyyaml"),
         ("skimage", "scikit-image"), ("bs4", "beautifulsoup4"), ("dateutil", "python-dateutil"),
         ("Crypto", "pycryptodome"), ("tensorflow_datasets", "tensorflow-datasets"), ("keras_cv", "keras-cv"),
         ("keras_hub", "keras-hub"), ("my_module", "my-module")],
    )  # fmt: skip
    def test_a_module_that_is_missing(self, module: str, distribution: str) -> None:
        output = f"ModuleNotFoundError: No module named '{module}.sub'"
        assert script.hint(output, network=False) == (f"it needs {module}: --with {distribution}",)

    @pytest.mark.parametrize(
        "text",
        ["gaierror", "Name or service not known", "Temporary failure in name resolution", "Network is unreachable",
         "URL fetch failure", "getaddrinfo failed", "NameResolutionError"],
    )  # fmt: skip
    def test_a_network_that_is_missing(self, text: str) -> None:
        assert script.hint(text, network=False) == ("it needs the network: --network, or the file by --mount",)
        assert script.hint(text, network=True) == ()

    @pytest.mark.parametrize("text", ["No space left on device", "File too large"])
    def test_a_full_disk(self, text: str) -> None:
        assert script.hint(text, network=True) == ("it filled its folder: --disk gives it more",)

    def test_stdin_and_files(self) -> None:
        found = script.hint("EOFError: EOF when reading a line", network=True)
        assert found == ("it reads stdin, and there is none: pass what it asks for as arguments after --",)
        missing = "FileNotFoundError: [Errno 2] No such file or directory: '{}'"
        assert script.hint(missing.format("a.csv"), network=True) == ("it wants the file a.csv: --mount a.csv",)
        assert script.hint(missing.format("/etc/a.csv"), network=True) == ()


class TestOutcomes:
    @pytest.mark.parametrize(
        ("outcome", "status", "reason"),
        [
            ({"timed_out": True, "signal": 9}, Status.TIMEOUT, "it did not end within 900 s (--timeout)"),
            ({"oom": True, "signal": 9}, Status.OOM, "it ran out of memory (--memory)"),
            ({"signal": 11}, Status.CRASHED, "killed by signal 11"),
            ({"exit_code": 2, "log": "a\n  b \n\n"}, Status.CRASHED, "exit code 2: b"),
            ({"exit_code": 2, "log": "x" * 400}, Status.CRASHED, f"exit code 2: {'x' * 300}"),
            ({"exit_code": 2, "log": " \n"}, Status.CRASHED, "exit code 2: it printed nothing"),
            ({"exit_code": 0, "log": "fine"}, Status.OK, ""),
        ],
    )
    def test_each_has_its_status_and_reason(self, outcome: dict[str, Any], status: Status, reason: str) -> None:
        given = {"exit_code": 137, "signal": None, "oom": False, "timed_out": False, "wall_s": 1.5, "log": ""} | outcome
        prepared = Prepared(ENVIRONMENT, "image", packages={"a": "1"}, notes=("note",))
        ran = script.ended("c", Outcome(**given), script.Script(Path("/x/s.py"), limits=Limits(900.0)), prepared)
        assert ran == script.Ran("c", status, given["exit_code"], reason, given["log"], 1.5, {"a": "1"}, ("note",))


class TestLaunch:
    """What an executor is asked to start."""

    class Executor:
        """Keeps the launch and what its folder holds."""

        def __init__(self, name: str) -> None:
            self.isolated = name == "docker"
            self.fails = False
            self.depth = 0

        def execute(self, launch: Launch) -> Outcome:
            self.launch = launch
            self.links = {str(p.relative_to(launch.io)): p.resolve() for p in launch.io.rglob("*") if p.is_symlink()}
            assert launch.io.is_dir()
            place = os.open(launch.io, os.O_RDONLY)
            for _ in range(self.depth):
                os.mkdir("d", dir_fd=place)
                below = os.open("d", os.O_RDONLY, dir_fd=place)
                os.close(place)
                place = below
            os.close(place)
            if self.fails:
                raise CellError("gone")
            return Outcome(0, None, oom=False, timed_out=False, wall_s=1.0, log="")

    def _run(self, tmp_path: Path, name: str, cell: Cell = TORCH, **more: Any) -> TestLaunch.Executor:
        executor = self.Executor(name)
        (tmp_path / "a.csv").touch()
        work = script.Script(tmp_path / "s.py", ("-x",), ((tmp_path / "a.csv", "d/a.csv"),), **more)
        script.run(work, cell, Prepared(ENVIRONMENT, "image"), executor)  # type: ignore[arg-type]
        return executor

    def test_in_a_container_all_is_mounted(self, tmp_path: Path) -> None:
        launch = self._run(tmp_path, "docker", network=True).launch
        assert launch.argv == ("/script/s.py", "-x")
        assert launch.mounts == (
            Mount(tmp_path / "s.py", "/script/s.py"), Mount(tmp_path / "a.csv", "/io/d/a.csv")
        )  # fmt: skip
        assert launch.environment == {"PYTHONPATH": "/io", "KERAS_BACKEND": "torch"}
        assert (launch.network, launch.foreign, launch.data) == (True, True, None)

    def test_on_the_host_files_are_linked_into_its_folder(self, tmp_path: Path) -> None:
        executor = self._run(tmp_path, "host")
        assert executor.launch.argv == (str(tmp_path / "s.py"), "-x")
        assert executor.launch.mounts == ()
        assert executor.links == {"d/a.csv": tmp_path / "a.csv"}
        assert executor.launch.environment["PYTHONPATH"] == str(executor.launch.io)
        assert executor.launch.network is False

    def test_a_backend_of_the_variant_counts_and_without_keras_there_is_none(self, tmp_path: Path) -> None:
        launch = self._run(tmp_path, "docker", variables={"KERAS_BACKEND": "numpy", "A": "b"}).launch
        assert launch.environment == {"PYTHONPATH": "/io", "KERAS_BACKEND": "numpy", "A": "b"}
        native = self._run(tmp_path, "docker", Cell("torch", "2.2.2", None, "3.11", "cpu")).launch
        assert "KERAS_BACKEND" not in native.environment

    def test_its_folder_is_removed_also_where_it_could_not_be_started(self, tmp_path: Path) -> None:
        assert not self._run(tmp_path, "host").launch.io.exists()
        executor = self.Executor("host")
        executor.fails = True
        with pytest.raises(CellError, match="gone"):
            script.run(script.Script(tmp_path / "s.py"), TORCH, Prepared(ENVIRONMENT, "i"), executor)  # type: ignore[arg-type]
        assert not executor.launch.io.exists()

    def test_a_folder_of_any_depth_is_removed(self, tmp_path: Path) -> None:
        executor = self.Executor("host")
        executor.depth = 3000
        script.run(script.Script(tmp_path / "s.py"), TORCH, Prepared(ENVIRONMENT, "i"), executor)  # type: ignore[arg-type]
        assert not executor.launch.io.exists()
