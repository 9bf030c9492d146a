"""How a virtual environment is made, found and used, with a uv made of a few lines."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runner.environments import lock
from runner.errors import BuildError, OutageError, UnavailableError
from runner.executors import Launch, Prepared, Shell, host, shell
from runner.executors.host import HostExecutor, Pinned
from runner.model import Cell, Environment, Limits, Outcome
from runner.util import commands, folders, locks

CELL = Cell("torch", "2.2.2", None, "3.11", "cpu")
ENVIRONMENT = Environment("torch", "2.2.2", None, "3.11", "cpu", "linux-x86_64")
PINNED = Pinned("numpy==2.0.0\n", "the hash", ("--no-deps",), {"numpy": "2.0.0"}, ("a note",))
WELL = Outcome(0, None, oom=False, timed_out=False, wall_s=1.0, log="")
PYTHON_3_11 = Path("/pythons/3.11/bin/python3")


@dataclass
class FakeGroup:
    """Stands in for a group of processes: remembers what it is asked to run."""

    calls: list[dict[str, Any]] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    on_run: Callable[[list[str], Path], None] = lambda _argv, _cwd: None
    closed: bool = False

    def run(self, argv: list[str], *, cwd: Path, environment: Mapping[str, str], limits: Limits) -> Outcome:
        self.calls.append({"argv": argv, "cwd": cwd, "environment": dict(environment), "limits": limits})
        self.on_run(argv, cwd)
        return self.outcomes.pop(0) if self.outcomes else WELL

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def uv(monkeypatch: pytest.MonkeyPatch) -> FakeGroup:
    monkeypatch.setattr(folders, "uv_program", lambda: "/bin/uv")
    monkeypatch.setattr(host, "pythons", lambda: {"3.11": PYTHON_3_11})
    return FakeGroup()


@pytest.fixture
def cells() -> FakeGroup:
    return FakeGroup()


@pytest.fixture
def executor(tmp_path: Path, uv: FakeGroup, cells: FakeGroup) -> HostExecutor:
    made = HostExecutor(tmp_path / "environments", lambda _environment: PINNED)
    made._installers, made._cells = uv, cells  # type: ignore[assignment] # the same methods
    return made


def silent(_text: str) -> None:
    pass


class TestMaking:
    def test_uv_makes_it_from_the_lock_alone(self, executor: HostExecutor, uv: FakeGroup, tmp_path: Path) -> None:
        said: list[str] = []
        prepared = executor.prepare(ENVIRONMENT, said.append)
        place = Path(prepared.reference).parent.parent
        part = str(uv.calls[0]["cwd"])
        assert part.startswith(f"{place}.")
        assert part.endswith(".part")
        assert [call["argv"] for call in uv.calls] == [
            [
                *("/bin/uv", "venv", "--quiet", "--relocatable", "--allow-existing"),
                *("--python", str(PYTHON_3_11), part),
            ],
            [
                *("/bin/uv", "pip", "install", "--quiet", "--no-deps", "--compile-bytecode"),
                *("--python", f"{part}/bin/python", "-r", f"{part}/requirements.txt"),
            ],
        ]
        assert [call["cwd"] for call in uv.calls] == [Path(part)] * 2
        assert [call["limits"] for call in uv.calls] == [Limits(timeout_s=3600.0, log_bytes=256 * 1024)] * 2
        assert said == ["making a virtual environment of Python 3.11", "installing 1 packages"]
        assert place.parent == tmp_path / "environments"
        assert (place / "requirements.txt").read_text() == "numpy==2.0.0\n"
        assert not Path(part).exists()

    def test_what_is_ready_says_what_is_in_it(self, executor: HostExecutor, uv: FakeGroup) -> None:
        def install(_argv: list[str], cwd: Path) -> None:
            (cwd / "lib").mkdir(exist_ok=True)
            (cwd / "lib" / "package.py").write_bytes(b"x" * 20_000)

        uv.on_run = install
        prepared = executor.prepare(ENVIRONMENT, silent)
        place = Path(prepared.reference).parent.parent
        size = 512 * sum(
            os.lstat(file).st_blocks for file in (place / "lib" / "package.py", place / "requirements.txt")
        )
        assert 0 <= prepared.seconds < 60
        assert replace(prepared, seconds=0.0) == Prepared(
            ENVIRONMENT, str(place / "bin" / "python"), "the hash", {"numpy": "2.0.0"}, ("a note",), size, 0.0
        )
        ready = json.loads((place / "ready.json").read_text())
        assert ready == {"environment": ENVIRONMENT.id, "lock_hash": "the hash", "size_bytes": size}

    def test_it_is_made_once(self, executor: HostExecutor, uv: FakeGroup) -> None:
        first = executor.prepare(ENVIRONMENT, silent)
        assert executor.prepare(ENVIRONMENT, silent).reference == first.reference
        assert len(uv.calls) == 2

    def test_its_folder_is_of_all_that_it_is_made_from(self, executor: HostExecutor) -> None:
        digest = hashlib.sha256(b"numpy==2.0.0\n").hexdigest()
        parts = "\n".join(["1", ENVIRONMENT.id, "the hash", digest, sys.platform])
        key = hashlib.sha256(parts.encode()).hexdigest()[:12]
        found = Path(executor.prepare(ENVIRONMENT, silent).reference)
        assert found.parent.parent.name == f"{ENVIRONMENT.id}-{key}"
        assert found.parts[-2:] == ("bin", "python")

    def test_what_a_dead_run_left_is_made_again(self, executor: HostExecutor, uv: FakeGroup) -> None:
        place = Path(executor.prepare(ENVIRONMENT, silent).reference).parent.parent
        (place / "ready.json").unlink()
        (place / "old").write_text("x")
        part = place.with_name(place.name + ".1a2b.part")
        part.mkdir()
        (part / "old").write_text("x")
        executor.prepare(ENVIRONMENT, silent)
        assert not part.exists()
        assert (place / "ready.json").is_file()
        assert not (place / "old").exists()
        assert len(uv.calls) == 4

    def test_one_that_another_run_has_just_made_is_taken(
        self, executor: HostExecutor, uv: FakeGroup, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place = Path(executor.prepare(ENVIRONMENT, silent).reference).parent.parent
        ready = (place / "ready.json").read_text()
        (place / "ready.json").unlink()
        said: list[str] = []

        @contextmanager
        def held(path: Path, waiting: Callable[[str], None], unlocked: Callable[[str], None]) -> Iterator[bool]:
            assert path.name == f"{place.name}.lock"
            waiting("process 17")
            unlocked("No locks available")
            (place / "ready.json").write_text(ready)
            yield True

        monkeypatch.setattr(locks, "held", held)
        executor.prepare(ENVIRONMENT, said.append)
        assert said == [
            "process 17 is making this environment: waiting for it",
            f"{place.parent} cannot be locked (No locks available); let no other run make environments",
        ]
        assert len(uv.calls) == 2

    @pytest.mark.parametrize("ready", ["", '{"size_by', "[]", '{"size_bytes": "much"}'])
    def test_one_that_power_loss_cut_short_is_made_again(
        self, executor: HostExecutor, uv: FakeGroup, ready: str
    ) -> None:
        place = Path(executor.prepare(ENVIRONMENT, silent).reference).parent.parent
        (place / "ready.json").write_text(ready)
        assert executor.find(ENVIRONMENT) is None
        executor.prepare(ENVIRONMENT, silent)
        assert len(uv.calls) == 4
        assert json.loads((place / "ready.json").read_text())["environment"] == ENVIRONMENT.id

    def test_the_lock_is_held_while_it_is_made_and_released_then(self, executor: HostExecutor, uv: FakeGroup) -> None:
        states: list[bool] = []

        def held(cwd: Path) -> bool:
            descriptor = os.open(str(cwd).removesuffix(".part").rpartition(".")[0] + ".lock", os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            finally:
                os.close(descriptor)
            return False

        uv.on_run = lambda _argv, cwd: states.append(held(cwd))
        place = Path(executor.prepare(ENVIRONMENT, silent).reference).parent.parent
        assert states == [True, True]
        assert not held(place.with_name(f"{place.name}.1a2b.part"))

    def test_the_users_settings_do_not_choose_other_packages(
        self, executor: HostExecutor, uv: FakeGroup, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        misleading = (
            *("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME", "UV_PYTHON", "UV_PROJECT_ENVIRONMENT"),
            *("UV_EXCLUDE_NEWER", "UV_TORCH_BACKEND", "UV_CONSTRAINT", "UV_OVERRIDE", "UV_EXCLUDE", "UV_NO_BINARY"),
        )
        for name in (*misleading, "UV_INDEX_URL", "HTTPS_PROXY"):
            monkeypatch.setenv(name, "set")
        executor.prepare(ENVIRONMENT, silent)
        assert uv.calls
        for call in uv.calls:
            assert not set(misleading) & set(call["environment"])
            assert (call["environment"]["UV_INDEX_URL"], call["environment"]["HTTPS_PROXY"]) == ("set", "set")
            assert call["environment"]["NO_COLOR"] == "1"


class TestFailing:
    failed = replace(WELL, exit_code=2, log="error: it\n  cause: broke\n")

    def test_uv_searches_where_the_known_python_does_not_do(self, executor: HostExecutor, uv: FakeGroup) -> None:
        uv.outcomes = [self.failed]
        executor.prepare(ENVIRONMENT, silent)
        assert [call["argv"][6] for call in uv.calls[:2]] == [str(PYTHON_3_11), "3.11"]
        assert len(uv.calls) == 3

    @pytest.mark.parametrize(("known", "attempts"), [({"3.11": PYTHON_3_11}, 2), ({}, 1)])
    def test_a_machine_without_the_python_is_not_available(
        self, executor: HostExecutor, uv: FakeGroup, monkeypatch: pytest.MonkeyPatch, known: dict[str, Path],
        attempts: int, tmp_path: Path,
    ) -> None:  # fmt: skip
        monkeypatch.setattr(host, "pythons", lambda: known)
        uv.outcomes = [self.failed] * 5
        with pytest.raises(UnavailableError) as caught:
            executor.prepare(ENVIRONMENT, silent)
        assert str(caught.value) == "no Python 3.11 on this machine: it broke"
        assert caught.value.log == self.failed.log
        assert len(uv.calls) == attempts
        assert [path.suffix for path in (tmp_path / "environments").iterdir()] == [".lock"]

    def test_packages_that_cannot_be_installed_are_a_failed_build(
        self, executor: HostExecutor, uv: FakeGroup, tmp_path: Path
    ) -> None:
        uv.outcomes = [WELL, self.failed]
        with pytest.raises(BuildError) as caught:
            executor.prepare(ENVIRONMENT, silent)
        assert str(caught.value) == "uv could not install the environment: it broke"
        assert caught.value.log == self.failed.log
        assert [path.suffix for path in (tmp_path / "environments").iterdir()] == [".lock"]

    @pytest.mark.parametrize("step", [0, 1])
    @pytest.mark.parametrize(
        ("log", "reason"),
        [
            ("error: dns error", "the package index cannot be reached"),
            ("error: No space left on device (os error 28)", "no space is left on the disk of {folder}"),
        ],
    )
    def test_what_stops_every_installation_is_an_outage(
        self, executor: HostExecutor, uv: FakeGroup, tmp_path: Path, log: str, reason: str, step: int
    ) -> None:
        uv.outcomes = [*[WELL] * step, *[replace(self.failed, log=log)] * 5]
        with pytest.raises(OutageError) as caught:
            executor.prepare(ENVIRONMENT, silent)
        assert str(caught.value) == reason.format(folder=tmp_path / "environments")
        assert caught.value.log == log

    def test_only_an_environment_that_is_ready_is_found(self, executor: HostExecutor, uv: FakeGroup) -> None:
        assert executor.find(ENVIRONMENT) is None
        assert uv.calls == []
        made = executor.prepare(ENVIRONMENT, silent)
        calls = len(uv.calls)
        found = executor.find(ENVIRONMENT)
        assert found is not None
        assert replace(found, seconds=made.seconds) == made
        assert len(uv.calls) == calls

    def test_a_full_disk_is_not_available(self, executor: HostExecutor, uv: FakeGroup, tmp_path: Path) -> None:
        def full(_argv: list[str], _cwd: Path) -> None:
            raise OSError(28, "No space left on device")

        uv.on_run = full
        with pytest.raises(UnavailableError) as caught:
            executor.prepare(ENVIRONMENT, silent)
        folder = tmp_path / "environments"
        assert str(caught.value) == f"no space is left on the disk of {folder}"
        assert [path.suffix for path in folder.iterdir()] == [".lock"]

    def test_a_folder_that_cannot_be_written_is_not_available(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        made = HostExecutor(tmp_path / "file", lambda _environment: PINNED)
        with pytest.raises(UnavailableError, match=rf"^{tmp_path}/file cannot be written [(]"):
            made.prepare(ENVIRONMENT, silent)

    def test_a_lock_without_a_list_of_packages_is_installed(self, tmp_path: Path, uv: FakeGroup) -> None:
        made = HostExecutor(tmp_path / "environments", lambda _environment: Pinned("", "hash"))
        made._installers = uv  # type: ignore[assignment] # the same methods
        said: list[str] = []
        made.prepare(ENVIRONMENT, said.append)
        assert said[-1] == "installing its packages"
        assert uv.calls[1]["argv"][4:6] == ["--require-hashes", "--no-deps"]


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    prepared = Prepared(ENVIRONMENT, "/envs/torch/bin/python")
    return Launch(CELL, prepared, tmp_path, None, {"A": "b"}, Limits(timeout_s=7.0), ("-m", "probe"))


class TestRunning:
    def test_a_process_sees_its_environment_alone(
        self, executor: HostExecutor, cells: FakeGroup, launch: Launch
    ) -> None:
        assert executor.execute(launch) == WELL
        (call,) = cells.calls
        assert call["argv"] == ["/envs/torch/bin/python", "-m", "probe"]
        assert (call["cwd"], call["limits"]) == (launch.io, launch.limits)
        variables = call["environment"]
        assert variables["PATH"].startswith("/envs/torch/bin:/usr/local/bin:")
        assert (variables["PYTHONNOUSERSITE"], variables["VIRTUAL_ENV"], variables["A"]) == ("1", "/envs/torch", "b")

    @pytest.mark.parametrize(
        ("foreign", "network", "cut_off"), [(True, False, True), (True, True, False), (False, False, False)]
    )
    def test_only_a_users_script_without_the_network_is_cut_off(
        self, executor: HostExecutor, cells: FakeGroup, launch: Launch, monkeypatch: pytest.MonkeyPatch, foreign: bool,
        network: bool, cut_off: bool,
    ) -> None:  # fmt: skip
        monkeypatch.setattr(host, "without_network", lambda: ("unshare", "--net"))
        before = ["unshare", "--net"] if cut_off else []
        for asked in (replace(launch, foreign=foreign), replace(launch, cut_off=foreign)):
            executor.execute(replace(asked, network=network))
            assert cells.calls[-1]["argv"] == [*before, "/envs/torch/bin/python", "-m", "probe"]

    def test_what_is_kept_can_be_run_again(self, executor: HostExecutor, launch: Launch) -> None:
        kept = executor.execute(replace(launch, keep=lambda _: True)).kept
        assert kept == f"cd {launch.io} && env PYTHONNOUSERSITE=1 A=b /envs/torch/bin/python -m probe"

    def test_closing_ends_cells_and_installations(
        self, executor: HostExecutor, uv: FakeGroup, cells: FakeGroup
    ) -> None:
        assert executor.available() == ""
        executor.close()
        assert (uv.closed, cells.closed) == (True, True)

    def test_a_shell_is_the_hosts(self, executor: HostExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
        wanted = Shell(CELL, Prepared(ENVIRONMENT, "x"), (), {})
        monkeypatch.setattr(shell, "on_host", lambda asked: 7 if asked is wanted else 0)
        assert executor.shell(wanted) == 7


class TestWithoutNetwork:
    @pytest.fixture(autouse=True)
    def _fresh(self) -> Iterator[None]:
        host.without_network.cache_clear()
        yield
        host.without_network.cache_clear()

    @pytest.mark.parametrize(
        ("program", "code", "words"),
        [
            ("/bin/unshare", 0, ("/bin/unshare", "--user", "--map-current-user", "--net", "--")),
            ("/bin/unshare", 1, ()),
            (None, 0, ()),
        ],
    )
    def test_a_system_that_can_cut_off_is_asked_once(
        self, monkeypatch: pytest.MonkeyPatch, program: str | None, code: int, words: tuple[str, ...]
    ) -> None:
        asked: list[Any] = []

        def run(command: list[str], *, timeout_s: float) -> commands.Ended:
            asked.append((command, timeout_s))
            return commands.Ended(code)

        monkeypatch.setattr(shutil, "which", lambda name: program if name == "unshare" else None)
        monkeypatch.setattr(commands, "run", run)
        assert host.without_network() == host.without_network() == words
        command = ["/bin/unshare", "--user", "--map-current-user", "--net", "--", "true"]
        assert asked == ([(command, 10.0)] if program else [])


def test_an_environment_is_installed_from_its_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    found = SimpleNamespace(
        framework_lines=("torch==2.2.2",), rest_lines=("numpy==1",), sha256="digest", packages={"a": "1"}, notes=("n",)
    )
    monkeypatch.setattr(lock, "locked", lambda environment: found if environment is ENVIRONMENT else None)
    monkeypatch.setattr(lock, "install_arguments", lambda asked: ["--x"] if asked is found else [])
    assert host.locked(ENVIRONMENT) == Pinned("torch==2.2.2\nnumpy==1\n", "digest", ("--x",), {"a": "1"}, ("n",))


def test_environments_are_in_the_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(folders, "cache_dir", lambda: tmp_path)
    assert HostExecutor()._folder == tmp_path / "environments"
