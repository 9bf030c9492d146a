"""What the doctor asks the engine, uv and the index, and how the answers become checks."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner import engine
from runner.engine import CommandLine, Engine
from runner.errors import UnavailableError
from runner.executors import interpreters
from runner.images.disk import estimate
from runner.images.recipe import base_image
from runner.machine import checks, doctor, facts
from runner.machine.checks import Check, State
from runner.machine.facts import Machine
from runner.model import Environment
from runner.util import commands, folders

ENGINE = Engine(version="24.0.7", api="1.43", cgroup="2", system="Debian", root="/", limits_memory=True)
DOWN = UnavailableError("no Docker engine answers (Connection refused)")
TORCH = Environment("torch", "2.2.2", "3.8.0", "3.11", "cpu", "linux-x86_64")


class Asked:
    """What uv was asked, and what it answers."""

    def __init__(self) -> None:
        self.calls: list[tuple[list[str], dict[str, Any]]] = []
        self.answer: Callable[[list[str]], commands.Ended] = lambda _command: commands.Ended(0)

    def __call__(self, command: list[str], **more: Any) -> commands.Ended:
        self.calls.append((command, more))
        return self.answer(command)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    made = Asked()
    monkeypatch.setattr(commands, "run", made)
    monkeypatch.setattr(folders, "uv_program", lambda: "/bin/uv")
    return made


class TestIndex:
    def test_uv_is_asked_with_its_own_settings(self, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("UV_DEFAULT_INDEX", "https://mirror.example")
        assert doctor._resolve("torch", "--torch-backend", "cpu") == ""
        ((command, more),) = asked.calls
        assert command == [
            *("/bin/uv", "pip", "compile", "-", "--no-deps", "--quiet", "--refresh-package", "torch"),
            *("--torch-backend", "cpu"),
        ]
        own = {"UV_HTTP_TIMEOUT": "2", "UV_HTTP_RETRIES": "0", "NO_COLOR": "1"}
        assert more == {"timeout_s": 3, "typed": "torch\n", "variables": {**os.environ, **own}}

    @pytest.mark.parametrize(
        ("ended", "problem"),
        [
            (commands.Ended(None, late=True), "no answer within 3 s"),
            (commands.Ended(1, "", "  × it\n  ├─▶ because\n  ╰─▶ dns error\n\n"), "dns error"),
            (commands.Ended(1, "", " \n"), "uv gave no reason"),
            (commands.Ended(None, "", "uv is not installed"), "uv is not installed"),
        ],
    )
    def test_the_innermost_cause_is_the_problem(self, asked: Asked, ended: commands.Ended, problem: str) -> None:
        asked.answer = lambda _command: ended
        assert doctor._resolve("pip") == problem

    def test_without_uv_its_name_is_tried(self, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
        def missing() -> str:
            raise UnavailableError("no uv")

        monkeypatch.setattr(folders, "uv_program", missing)
        asked.answer = lambda _command: commands.Ended(0, "uv 0.9\n")
        monkeypatch.setattr(commands, "output", lambda *command, timeout_s: f"{command} {timeout_s}")
        assert doctor._uv_version() == "('uv', '--version') 3"


class TestEngine:
    class Client:
        closed = False

        def close(self) -> None:
            self.closed = True

    def test_it_is_asked_for_a_short_time_and_let_go(self, monkeypatch: pytest.MonkeyPatch) -> None:
        client = self.Client()
        monkeypatch.setattr(engine, "connect", lambda timeout_s: client if timeout_s == 3 else None)
        monkeypatch.setattr(engine, "describe", lambda found: ENGINE if found is client else None)
        assert doctor._ask_engine() is ENGINE
        assert client.closed

    def test_one_that_does_not_answer_is_an_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(_timeout_s: int) -> None:
            raise DOWN

        monkeypatch.setattr(engine, "connect", refuse)
        assert doctor._ask_engine() is DOWN

    def test_base_images_are_asked_for_where_there_is_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(engine, "missing_images", lambda names, timeout_s: {f"{names} {timeout_s}": "gone"})
        assert doctor._base_images(ENGINE, ["a"]) == checks.base_images_check({"['a'] 3": "gone"})
        assert doctor._base_images(DOWN, ["a"]) == Check("base images", State.OK, "not needed without an engine")

    @pytest.mark.parametrize(
        ("command", "text"),
        [
            (None, ""),
            (CommandLine("/bin/docker", buildx=True), "/bin/docker with buildx"),
            (CommandLine("/bin/docker", buildx=False), "/bin/docker has BuildKit built in"),
        ],
    )
    def test_what_builds_is_named(
        self, monkeypatch: pytest.MonkeyPatch, command: CommandLine | None, text: str
    ) -> None:
        monkeypatch.setattr(engine, "buildkit", lambda: command)
        assert doctor._buildkit() == text


HERE = Machine("linux-x86_64", "box", "AMD EPYC", (), 8, 16 << 30)


class TestExamine:
    @pytest.fixture(autouse=True)
    def machine(self, monkeypatch: pytest.MonkeyPatch, asked: Asked, tmp_path: Path) -> Asked:
        here = replace(HERE)
        here.__dict__.update(gpus=(), power="battery")
        monkeypatch.setattr(facts, "here", lambda: here)
        monkeypatch.setattr(facts, "free_bytes", lambda folder: 10**15 if folder == Path("/") else 0)
        monkeypatch.setattr(doctor, "DEADLINE_S", 60.0)
        monkeypatch.setattr(doctor, "_ask_engine", lambda: replace(ENGINE, nvidia=True))
        monkeypatch.setattr(engine, "buildkit", lambda: CommandLine("/bin/docker", buildx=True))
        monkeypatch.setattr(engine, "missing_images", lambda names, _timeout_s: dict.fromkeys(names, "gone"))
        monkeypatch.setattr(interpreters, "pythons", lambda: {"3.11": Path("/x")})
        monkeypatch.setattr(commands, "output", lambda *_, timeout_s: f"uv 0.9 ({timeout_s})")
        monkeypatch.setattr(folders, "cache_dir", lambda: tmp_path)
        monkeypatch.delenv("DOCKER_HOST", raising=False)
        return asked

    def test_all_checks_in_reading_order(self) -> None:
        found = doctor.examine([TORCH, replace(TORCH, python="3.10")])
        wanted = [TORCH, replace(TORCH, python="3.10")]
        engine_here = replace(ENGINE, nvidia=True)
        bases = {base_image("3.10"): "gone", base_image("3.11"): "gone"}
        here = facts.here()
        assert list(found) == [
            checks.machine_check(here),
            checks.engine_check(engine_here),
            checks.buildkit_check(engine_here, "/bin/docker with buildx"),
            checks.gpu_check((), engine_here),
            checks.mps_check(here),
            checks.disk_check(Path("/"), 10**15, estimate(wanted)),
            checks.uv_check("uv 0.9 (3)"),
            checks.python_check({"3.11": Path("/x")}),
            checks.index_check("", "the package index"),
            checks.torch_index_check(""),
            checks.base_images_check(bases),
            checks.power_check("battery"),
        ]

    def test_without_a_set_no_images_are_needed(self, machine: Asked) -> None:
        found = doctor.examine([])
        assert "base images" not in [check.name for check in found]
        disk = next(check for check in found if check.name == "disk")
        assert disk == checks.disk_check(Path("/"), 10**15, 0)
        assert len(machine.calls) == 2

    def test_without_pytorchs_index_images_are_larger(self, machine: Asked) -> None:
        machine.answer = lambda command: commands.Ended(1 if "torch" in command else 0, "", "dns error")
        found = {check.name: check for check in doctor.examine([TORCH])}
        assert found["disk"] == checks.disk_check(Path("/"), 10**15, estimate([TORCH], cpu_wheels=False))
        assert found["torch index"] == checks.torch_index_check("dns error")
        assert found["index"].state == State.OK
        asked = [command[command.index("--refresh-package") + 1 :] for command, _ in machine.calls]
        assert sorted(asked) == [["pip"], ["torch", "--torch-backend", "cpu"]]

    def test_an_engine_chosen_by_the_user_is_named(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("DOCKER_HOST", "tcp://x")
        monkeypatch.setattr(doctor, "_ask_engine", lambda: DOWN)
        found = {check.name: check for check in doctor.examine([])}
        assert found["engine"] == checks.engine_check(DOWN, "tcp://x")
        assert found["buildkit"] == checks.buildkit_check(DOWN, "")
        assert found["disk"] == checks.disk_check(tmp_path, 0, 0)


def test_a_late_answer_says_what_to_do() -> None:
    import threading

    never = threading.Event()
    question = doctor.Question("slow", lambda: Check("slow", State.OK, str(never.wait(60))))
    (check,) = doctor.ask_all([question], 0.05)
    never.set()
    text = "did not answer in time; run `runner doctor` again, or look why it hangs"
    assert check == Check("slow", State.WARN, text)


GIB = 1 << 30


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (
            checks.machine_check(HERE),
            Check("machine", State.OK, "linux-x86_64, AMD EPYC, 8 cores, 16.0 GiB memory"),
        ),
        (checks.machine_check(replace(HERE, memory_bytes=6 * GIB)).state, State.OK),
        (checks.machine_check(replace(HERE, memory_bytes=0)).state, State.OK),
        (
            checks.machine_check(replace(HERE, memory_bytes=6 * GIB - 1)),
            Check(
                "machine",
                State.WARN,
                "linux-x86_64, AMD EPYC, 8 cores, 6.0 GiB memory",
                "large probes (conv2d's full case takes 3.7 GB) may end as oom",
            ),
        ),
        (
            checks.engine_check(replace(ENGINE, rootless=True)),
            Check("engine", State.OK, "24.0.7 on Debian (API 1.43, cgroup v2, rootless)"),
        ),
        (
            checks.engine_check(replace(ENGINE, limits_memory=False)),
            Check(
                "engine",
                State.WARN,
                "24.0.7 on Debian (API 1.43, cgroup v2); it cannot limit memory",
                "delegate the memory controller to your user (cgroup v2, systemd Delegate=yes)",
            ),
        ),
        (
            checks.engine_check(DOWN),
            Check(
                "engine",
                State.WARN,
                "no Docker engine answers (Connection refused): cells run in virtual environments on the host",
                "start Docker (or install Docker Engine, Docker Desktop or Podman), or use --executor host",
            ),
        ),
        (
            checks.engine_check(DOWN, "tcp://x").fix,
            "DOCKER_HOST is tcp://x: start that engine or unset it; or use --executor host",
        ),
        (
            checks.engine_check(UnavailableError("Permission denied"), "unix:///x").fix,
            "add your user to the group of the engine's socket (usermod -aG docker $USER) and log in again",
        ),
        (checks.buildkit_check(DOWN, ""), Check("buildkit", State.OK, "nothing to build without an engine")),
        (checks.buildkit_check(ENGINE, "docker"), Check("buildkit", State.OK, "docker")),
        (
            checks.buildkit_check(ENGINE, ""),
            Check(
                "buildkit",
                State.WARN,
                "not there: images are built by the classic builder, slower",
                "install Docker's buildx plug-in for cache mounts and parallel layers",
            ),
        ),
        (checks.gpu_check((), ENGINE), Check("gpu", State.NONE, "no NVIDIA GPU: cuda cells cannot be measured here")),
        (
            checks.gpu_check((facts.Gpu("L4", "550.1", "8.9"), facts.Gpu("K80", "x", None)), ENGINE),
            Check(
                "gpu",
                State.WARN,
                "L4 (compute capability 8.9), K80 (compute capability unknown); driver 550.1;"
                " the Docker engine has no NVIDIA runtime",
                "install the NVIDIA Container Toolkit and run: nvidia-ctk runtime configure --runtime=docker",
            ),
        ),
        (
            checks.gpu_check((facts.Gpu("L4", "550.1", "8.9"),), DOWN),
            Check("gpu", State.OK, "L4 (compute capability 8.9); driver 550.1"),
        ),
        (
            checks.mps_check(replace(HERE, platform="macos-arm64")),
            Check("mps", State.OK, "Apple silicon: mps cells run on the host"),
        ),
        (
            checks.mps_check(HERE),
            Check("mps", State.NONE, "not on linux-x86_64: mps cells cannot be measured here"),
        ),
        (
            checks.disk_check(Path("/x"), GIB, GIB),
            Check("disk", State.OK, "1.0 GiB free in /x, the cells asked for take about 1.0 GiB in all"),
        ),
        (
            checks.disk_check(Path("/x"), GIB, 2 * GIB),
            Check(
                "disk",
                State.WARN,
                "1.0 GiB free in /x, the cells asked for take about 2.0 GiB in all",
                "what is built already counts in; else free some space (runner images prune)"
                " or narrow the set (--only)",
            ),
        ),
        (checks.disk_check(Path("/x"), 10 * GIB, 0), Check("disk", State.OK, "10.0 GiB free in /x")),
        (
            checks.disk_check(Path("/x"), 10 * GIB - 1, 0),
            Check(
                "disk",
                State.WARN,
                "10.0 GiB free in /x",
                "an environment takes 0.7 to 9 GB: free some space before a larger set",
            ),
        ),
        (
            checks.uv_check(""),
            Check("uv", State.FAIL, "not found: nothing can be locked or installed", "pip install uv"),
        ),
        (checks.uv_check("uv 1"), Check("uv", State.OK, "uv 1")),
        (
            checks.python_check([]),
            Check("python", State.WARN, "none found for host cells", "uv python install 3.11"),
        ),
        (
            checks.python_check(["3.10", "3.9"]),
            Check("python", State.OK, "3.9, 3.10 for host cells; uv fetches others where it can"),
        ),
        (checks.index_check("", "it"), Check("index", State.OK, "it answers")),
        (
            checks.index_check("dns", "it"),
            Check(
                "index",
                State.WARN,
                "it cannot be reached: dns",
                "behind a proxy or mirror set HTTPS_PROXY, SSL_CERT_FILE, UV_DEFAULT_INDEX;"
                " what is built or cached still runs",
            ),
        ),
        (
            checks.torch_index_check(""),
            Check("torch index", State.OK, "PyTorch's own index answers: CPU cells get its CPU-only wheels"),
        ),
        (
            checks.torch_index_check("dns"),
            Check(
                "torch index",
                State.WARN,
                "PyTorch's own index cannot be reached: CPU cells of torch use the default index's build,"
                " which carries CUDA",
                "allow it through the proxy, or live with larger images",
            ),
        ),
        (
            checks.base_images_check({}),
            Check("base images", State.OK, "present, or their registry answers"),
        ),
        (
            checks.base_images_check({"a": "x", "b": "y"}),
            Check(
                "base images",
                State.FAIL,
                "a, b neither here nor in their registry: x",
                "docker pull a, or load it from a machine that can",
            ),
        ),
        (checks.power_check("mains"), Check("power", State.OK, "mains")),
        (checks.power_check(""), Check("power", State.OK, "no battery in use")),
        (
            checks.power_check("battery"),
            Check("power", State.WARN, "on battery: timings will wander", "plug in before timing anything"),
        ),
    ],
)
def test_each_finding_in_its_own_words(check: object, expected: object) -> None:
    assert check == expected


@pytest.mark.parametrize(
    ("states", "code"),
    [([], 0), ([State.OK, State.NONE, State.WARN], 0), ([State.OK, State.FAIL, State.WARN], 3)],
)
def test_only_what_is_missing_is_an_exit_code(states: list[State], code: int) -> None:
    assert checks.exit_code([Check("x", state, "") for state in states]) == code
    assert [str(state) for state in State] == ["ok", "none", "warn", "fail"]
