"""One run of a script: how it is started, how its end is read, what would help it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner.errors import UsageError
from runner.executors import Launch, Mount, Prepared
from runner.executors.container import Engine, create_arguments
from runner.executors.owner import Owner
from runner.model import Cell, Environment, Limits, Outcome, Status
from runner.repro import script

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
        mounts=(Mount(Path("/x/s.py"), "/script/s.py"),), network=network,
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
