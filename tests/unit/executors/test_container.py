"""The container recipe, as the dictionary that docker-py is given, and what an end or a refusal comes to."""

from __future__ import annotations

import shlex
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.engine import Engine
from runner.errors import CellError, UnavailableError
from runner.executors import Launch, Mount, Prepared
from runner.executors import container as recipe
from runner.executors.owner import Owner
from runner.model import Cell, Environment, Limits, Status
from runner.util import scratch

CELL = Cell("torch", "2.2.2", "3.8.0", "3.11", "cpu")
ENVIRONMENT = Environment("torch", "2.2.2", "3.8.0", "3.11", "cpu", "linux-x86_64")
LAUNCH = Launch(
    cell=CELL,
    prepared=Prepared(ENVIRONMENT, "sha256:abc"),
    io=Path("/tmp/io"),
    data=Path("/home/me/mnist.npz"),
    environment={"TF_ENABLE_ONEDNN_OPTS": "0"},
    limits=Limits(timeout_s=60, memory_bytes=2 << 30, pids=100, shm_bytes=1 << 20, log_bytes=1 << 17),
)
OWNER = Owner("box pid:[1]", "boot-1", 4711, "12345")


def arguments(launch: Launch = LAUNCH, engine: Engine | None = None) -> dict[str, Any]:
    return recipe.create_arguments(
        launch, engine=engine or Engine(), run="r1", name="runner-r1-1", owner=OWNER, uid=1000, gid=100
    )


def test_the_whole_recipe() -> None:
    assert arguments() == {
        "image": "sha256:abc",
        "name": "runner-r1-1",
        "entrypoint": ["python"],
        "command": ["-m", "probe"],
        "environment": {
            "HOME": "/tmp",
            "TMPDIR": "/tmp",
            "XDG_CACHE_HOME": "/tmp/.cache",
            "USER": "cell",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTHONFAULTHANDLER": "1",
            "TF_ENABLE_ONEDNN_OPTS": "0",
        },
        "hostname": "cell",
        "user": "1000:100",
        "working_dir": "/io",
        "stdin_open": False,
        "tty": False,
        "labels": {
            "org.keras-version-matrix.project": "keras-version-matrix",
            "org.keras-version-matrix.run": "r1",
            "org.keras-version-matrix.cell": "torch-2.2.2_keras-3.8.0_py3.11_cpu",
            "org.keras-version-matrix.environment": "torch-2.2.2_keras-3.8.0_py3.11_cpu_linux-x86_64",
            "org.keras-version-matrix.host": "box pid:[1]",
            "org.keras-version-matrix.boot": "boot-1",
            "org.keras-version-matrix.pid": "4711",
            "org.keras-version-matrix.started": "12345",
        },
        "host_config": {
            "init": True,
            "network_mode": "none",
            "read_only": True,
            "tmpfs": {"/tmp": "rw,exec,nosuid,nodev,mode=1777,size=1073741824"},
            "mounts": [
                {"Type": "bind", "Source": "/tmp/io", "Target": "/io", "ReadOnly": False},
                {"Type": "bind", "Source": "/home/me/mnist.npz", "Target": "/data/mnist.npz", "ReadOnly": True},
            ],
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges"],
            "pids_limit": 100,
            "shm_size": 1 << 20,
            "ulimits": [{"name": "core", "soft": 0, "hard": 0}],
            "log_config": {"type": "json-file", "config": {"max-size": "2097152", "max-file": "2"}},
            "mem_limit": 2 << 30,
            "memswap_limit": 2 << 30,
        },
    }


def test_the_sdk_takes_the_recipe() -> None:
    """docker-py checks and translates what it is given; a key it does not know is an error."""
    from docker.types import ContainerConfig, HostConfig

    created = arguments(replace(LAUNCH, cell=replace(CELL, device="cuda")), Engine(selinux=True, remapped=True))
    host = HostConfig(version="1.41", **created.pop("host_config"))
    created.pop("name")
    whole = ContainerConfig("1.41", host_config=host, **created)
    assert host["NetworkMode"] == "none"
    assert host["CapDrop"] == ["ALL"]
    assert host["Init"] is True
    assert host["Memory"] == host["MemorySwap"] == 2 << 30
    assert host["UsernsMode"] == "host"
    assert host["DeviceRequests"][0]["Capabilities"] == [["gpu", "compute", "utility"]]
    assert whole["User"] == "1000:100"
    assert whole["OpenStdin"] is False


def test_without_data_or_memory_limit_there_is_no_mount_and_no_limit() -> None:
    host = arguments(replace(LAUNCH, data=None, limits=Limits()))["host_config"]
    assert [mount["Target"] for mount in host["mounts"]] == ["/io"]
    assert "mem_limit" not in host
    assert "memswap_limit" not in host


def test_only_cuda_cells_ask_for_a_device() -> None:
    assert "device_requests" not in arguments()["host_config"]
    cuda = arguments(replace(LAUNCH, cell=replace(CELL, device="cuda")))["host_config"]
    assert cuda["device_requests"] == [{"count": -1, "capabilities": [["gpu", "compute", "utility"]]}]


def test_root_of_a_rootless_engine_is_the_caller() -> None:
    assert arguments(engine=Engine(rootless=True))["user"] == "0:0"


def test_selinux_may_not_hide_the_staged_folder() -> None:
    host = arguments(engine=Engine(selinux=True))["host_config"]
    assert host["security_opt"] == ["no-new-privileges", "label=disable"]


def test_the_log_is_never_cut_shorter_than_what_is_kept() -> None:
    small = arguments(replace(LAUNCH, limits=Limits(log_bytes=10)))["host_config"]["log_config"]["config"]
    assert small == {"max-size": str(1 << 20), "max-file": "2"}


# -- what an end means ---------------------------------------------------------------------------------------


def test_a_good_end() -> None:
    outcome = recipe.outcome({"ExitCode": 0, "OOMKilled": False}, timed_out=False, wall_s=1.5, log="hi")
    assert (outcome.exit_code, outcome.signal, outcome.oom, outcome.timed_out) == (0, None, False, False)
    assert (outcome.wall_s, outcome.log) == (1.5, "hi")


@pytest.mark.parametrize(
    ("code", "signal"), [(1, None), (128, None), (139, 11), (137, 9), (192, 64), (193, None), (255, None)]
)
def test_a_signal_is_an_exit_code_above_128(code: int, signal: int | None) -> None:
    outcome = recipe.outcome({"ExitCode": code}, timed_out=False, wall_s=0, log="")
    assert (outcome.exit_code, outcome.signal, outcome.oom) == (code, signal, False)


@pytest.mark.parametrize(
    ("began", "ended", "seconds"),
    [
        ("2026-11-21T06:41:50.250000001Z", "2026-11-21T06:41:52.75Z", 2.5),
        ("2026-11-21T08:41:50.25+02:00", "2026-11-21T06:41:52.75Z", 2.5),
        ("2026-11-21T06:41:50Z", "2026-11-21T07:41:50Z", 3.0),  # longer than anybody saw it run: a clock was set
        ("2026-11-21T06:41:50Z", "0001-01-01T00:00:00Z", 3.0),
        ("2026-11-21T06:41:50Z", None, 3.0),
    ],
)
def test_time_is_the_engines_where_that_can_be(began: str, ended: str | None, seconds: float) -> None:
    state = {"StartedAt": began, "FinishedAt": ended}
    assert recipe.duration(state, 3.0) == pytest.approx(seconds, abs=1e-5)


def test_out_of_memory_is_what_the_engine_says() -> None:
    assert recipe.outcome({"ExitCode": 137, "OOMKilled": True}, timed_out=False, wall_s=0, log="").oom
    assert recipe.outcome({"ExitCode": 1, "OOMKilled": True}, timed_out=False, wall_s=0, log="").oom


def test_a_process_that_survives_the_loss_of_a_child_is_fine() -> None:
    assert not recipe.outcome({"ExitCode": 0, "OOMKilled": True}, timed_out=False, wall_s=0, log="").oom


def test_a_kill_after_the_deadline_is_a_timeout() -> None:
    outcome = recipe.outcome({"ExitCode": 137, "OOMKilled": True}, timed_out=True, wall_s=0, log="")
    assert (outcome.timed_out, outcome.oom) == (True, False)


@pytest.mark.parametrize(
    ("code", "asked"), [(137, True), (143, True), (130, True), (139, False), (134, False), (0, False), (15, False)]
)
def test_only_signals_that_others_send_are_looked_into(code: int, asked: bool) -> None:
    assert recipe.may_come_from_outside({"ExitCode": code}) is asked
    assert recipe.killed({"ExitCode": code}) is (code == 137)


def test_what_somebody_did_is_named() -> None:
    events: list[dict[str, Any]] = [
        {"Action": "start", "Actor": {"Attributes": {}}},
        {"Action": "kill", "Actor": {"Attributes": {"signal": "9"}}},
        {"status": "pause"},
    ]
    said = "somebody used the engine to kill the container while it ran (signal 9)"
    assert recipe.interference(events, "kill", "pause") == said
    assert recipe.interference(events, "pause") == "somebody used the engine to pause the container while it ran"
    assert recipe.interference(events, "oom") == ""
    assert recipe.interference([], "kill") == ""


def test_the_window_is_by_the_engines_clock() -> None:
    state = {"StartedAt": "2001-09-09T01:46:40.5Z", "FinishedAt": "2001-09-09T01:46:41.123456789Z"}
    assert recipe.window(state, 2.0) == ("1000000000.500000", "1000000003.123456")
    assert recipe.window({**state, "StartedAt": "0001-01-01T00:00:00Z"}, 0.0) is None
    assert recipe.window({}, 0.0) is None


def test_that_of_a_container_that_runs_ends_now() -> None:
    state = {"StartedAt": "2001-09-09T01:46:40Z", "FinishedAt": "0001-01-01T00:00:00Z"}
    before = time.time()
    found = recipe.window(state, 0.0)
    assert found is not None
    assert before - 1e-3 <= float(found[1]) <= time.time() + 1e-3


# -- refusals ------------------------------------------------------------------------------------------------

CUDA = replace(LAUNCH, cell=replace(CELL, device="cuda"))


@pytest.mark.parametrize(
    ("text", "launch", "status", "says"),
    [
        (
            'could not select device driver "" with capabilities: [[gpu compute utility]]',
            CUDA,
            Status.UNAVAILABLE,
            "cannot offer a GPU",
        ),
        (
            "failed to create shim: OCI runtime create failed: nvidia-container-cli: initialization error",
            CUDA,
            Status.UNAVAILABLE,
            "cannot offer a GPU",
        ),
        (
            "invalid mount config: bind source path does not exist: /tmp/io",
            LAUNCH,
            Status.UNAVAILABLE,
            "not see /tmp/io",
        ),
        ("statfs /tmp/io: no such file or directory", LAUNCH, Status.UNAVAILABLE, "does not see /tmp/io"),
        ("No such image: sha256:abc", LAUNCH, Status.UNAVAILABLE, "image sha256:abc is gone"),
        ("write /x: no space left on device", LAUNCH, Status.UNAVAILABLE, "no space is left"),
        ('exec: "docker-init": executable file not found in $PATH', LAUNCH, Status.UNAVAILABLE, "install tini"),
        ("No such container: runner-1", LAUNCH, Status.UNAVAILABLE, "somebody removed the container"),
        ("container is marked for removal and cannot be started", LAUNCH, Status.UNAVAILABLE, "somebody removed"),
        ("OCI runtime create failed: exec: python: not found\nmore\n", LAUNCH, Status.UNAVAILABLE, "python: not found"),
        ("", LAUNCH, Status.UNAVAILABLE, "no reason given"),
    ],
)
def test_a_refusal_is_one_line_with_its_status(text: str, launch: Launch, status: Status, says: str) -> None:
    error = recipe.engine_error(text, launch)
    assert isinstance(error, CellError)
    assert error.status == status
    assert says in str(error)
    assert "\n" not in str(error)


def test_a_word_about_a_gpu_means_nothing_for_a_cpu_cell() -> None:
    assert "cannot offer a GPU" not in str(recipe.engine_error("nvidia-container-cli failed", LAUNCH))


# -- whose containers are swept ------------------------------------------------------------------------------


def labels_of(owner: Owner) -> dict[str, str]:
    return recipe.labels(LAUNCH, run="r", owner=owner)


def test_a_live_run_keeps_its_containers() -> None:
    assert not recipe.orphaned(labels_of(Owner.this()))


def test_another_hosts_containers_are_left_alone() -> None:
    assert not recipe.orphaned(labels_of(replace(Owner.this(), host="elsewhere", pid=1 << 30)))


def test_a_dead_process_leaves_orphans() -> None:
    assert recipe.orphaned(labels_of(replace(Owner.this(), pid=(1 << 22) + 1)))  # beyond Linux's largest pid


def test_a_process_of_an_earlier_boot_is_dead() -> None:
    assert recipe.orphaned(labels_of(replace(Owner.this(), boot="the boot before")))


def test_a_reused_process_id_is_not_the_same_process() -> None:
    assert recipe.orphaned(labels_of(replace(Owner.this(), started="1")))


@pytest.mark.parametrize(
    "labels",
    [
        {},
        {recipe.LABEL: recipe.PROJECT},
        {
            recipe.LABEL: "another",
            **{k: v for k, v in labels_of(replace(Owner.this(), boot="old")).items() if k != recipe.LABEL},
        },
        {**labels_of(replace(Owner.this(), boot="old")), "org.keras-version-matrix.pid": "4711; rm"},
    ],
)
def test_what_is_not_certainly_ours_is_left_alone(labels: dict[str, str]) -> None:
    assert not recipe.orphaned(labels)


# -- containers that are kept --------------------------------------------------------------------------------


def test_a_kept_container_has_another_name() -> None:
    assert recipe.kept_name("runner-ab12-3") == "runner-kept-ab12-3"


@pytest.mark.parametrize(
    ("entry", "kept"),
    [
        ({"Names": ["/runner-kept-ab12-3"]}, True),
        ({"Names": ["runner-kept-ab12-3"]}, True),
        ({"Names": ["/other", "/runner-kept-x"]}, True),
        ({"Names": ["/runner-ab12-3"]}, False),
        ({"Names": ["/my-runner-kept-x"]}, False),
        ({"Names": None}, False),
        ({}, False),
    ],
)
def test_it_is_known_by_its_name(entry: dict[str, Any], kept: bool) -> None:
    assert recipe.is_kept(entry) is kept


def test_the_cell_of_a_container_is_in_its_labels() -> None:
    assert recipe.cell_of({"Labels": recipe.labels(LAUNCH, run="r", owner=OWNER)}) == CELL.id
    assert recipe.cell_of({"Labels": None}) == recipe.cell_of({}) == ""


def test_only_a_folder_that_this_program_kept_goes_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    kept, gone = scratch.make("io"), scratch.make("io")
    scratch.keep(kept)
    try:
        for mounts, folder in (
            ([{"Source": str(kept), "Destination": "/io"}], str(kept)),
            ([{"Source": str(kept), "Destination": "/data"}], ""),
            ([{"Source": str(gone), "Destination": "/io"}], ""),
            ([{"Source": "/home/me", "Destination": "/io"}], ""),
            ([{"Destination": "/io"}], ""),
            (None, ""),
        ):
            assert recipe.kept_folder({"Mounts": mounts}) == folder
    finally:
        scratch.remove(gone)


def test_the_way_in_has_the_folders_and_variables_of_the_process() -> None:
    own = replace(LAUNCH, environment={"A": "b c"})
    words = shlex.split(recipe.way_in(own, "runner-kept-1", uid=1000, gid=100))
    assert words == [
        *("docker", "run", "--rm", "-it", "--network", "none", "--volumes-from", "runner-kept-1", "--workdir", "/io"),
        *("--user", "1000:100", "--tmpfs", "/tmp:exec", "--env", "HOME=/tmp", "--env", "USER=cell", "--env", "A=b c"),
        *("--entrypoint", "bash", "sha256:abc"),
    ]
    assert "--gpus all --entrypoint" in recipe.way_in(CUDA, "x", uid=1, gid=1)


def test_a_script_may_have_the_network_its_files_and_a_bounded_folder() -> None:
    mount = Mount(Path("/home/me/script.py"), "/script/script.py")
    limits = replace(LAUNCH.limits, disk_bytes=5 << 20, memory_bytes=None)
    config = arguments(replace(LAUNCH, mounts=(mount,), network=True, limits=limits, foreign=True))["host_config"]
    assert config["network_mode"] == "bridge"
    assert config["tmpfs"]["/io"] == f"rw,exec,nosuid,nodev,mode=1777,size={5 << 20}"
    assert config["mounts"] == [
        {"Type": "bind", "Source": "/home/me/mnist.npz", "Target": "/data/mnist.npz", "ReadOnly": True},
        {"Type": "bind", "Source": "/home/me/script.py", "Target": "/script/script.py", "ReadOnly": True},
    ]
    assert "mem_limit" not in config
    assert [limit["name"] for limit in config["ulimits"]] == ["core"]


def test_a_probe_writes_to_its_folder_of_this_machine_up_to_a_limit() -> None:
    """Its result is read from there; a folder in memory would be gone with the container."""
    config = arguments(replace(LAUNCH, limits=replace(LAUNCH.limits, disk_bytes=5 << 20)))["host_config"]
    assert "/io" not in config["tmpfs"]
    assert {"name": "fsize", "soft": 5 << 20, "hard": 5 << 20} in config["ulimits"]


def test_the_log_is_as_large_as_json_may_make_it() -> None:
    log = arguments(replace(LAUNCH, limits=Limits(log_bytes=1 << 20)))["host_config"]["log_config"]["config"]
    assert log["max-size"] == str(16 << 20)


@pytest.mark.parametrize("word", ["gpu", "nvidia", "cdi device", "device driver", "cuda"])
def test_each_word_about_a_gpu_is_understood(word: str) -> None:
    assert "cannot offer a GPU" in str(recipe.engine_error(f"something about a {word} failed", CUDA))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Mounts denied: the path /tmp/io is not shared", "does not see /tmp/io"),
        ('exec: "catatonit": executable file not found in $PATH', "install tini"),
    ],
)
def test_other_engines_refuse_in_other_words(text: str, says: str) -> None:
    error = recipe.engine_error(text, LAUNCH)
    assert isinstance(error, UnavailableError)
    assert says in str(error)


@pytest.mark.parametrize("missing", ["host", "boot", "started"])
def test_a_label_that_is_missing_is_empty(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older release of this program may have made the container."""
    asked: list[Owner] = []

    def gone(owner: Owner) -> bool:
        asked.append(owner)
        return True

    monkeypatch.setattr(Owner, "gone", gone)
    labels = labels_of(OWNER)
    del labels[f"org.keras-version-matrix.{missing}"]
    assert recipe.orphaned(labels)
    assert asked == [replace(OWNER, **{missing: ""})]  # type: ignore[arg-type] # always a text field


def test_the_filter_of_a_run_names_project_and_run() -> None:
    assert recipe.run_filter("ab12") == {
        "label": ["org.keras-version-matrix.project=keras-version-matrix", "org.keras-version-matrix.run=ab12"]
    }


@pytest.mark.parametrize(
    ("text", "launch", "whole"),
    [
        (
            "statfs /tmp/io: no such file or directory",
            LAUNCH,
            (
                "the Docker engine does not see /tmp/io of this machine (it is remote or in a virtual machine); "
                "use an engine on this machine, share that folder with it, or set TMPDIR to a folder that it sees"
            ),
        ),
        (
            " \n  NVIDIA failed \nmore",
            CUDA,
            "the Docker engine cannot offer a GPU (is the NVIDIA Container Toolkit set up?): NVIDIA failed",
        ),
        (
            'exec: "docker-init": executable file not found in $PATH',
            LAUNCH,
            (
                "the Docker engine lacks its init program (install tini, or catatonit for Podman): "
                'exec: "docker-init": executable file not found in $PATH'
            ),
        ),
        ("Marked for removal", LAUNCH, "somebody removed the container while it ran"),
        ("No such image: x", LAUNCH, "image sha256:abc is gone from the Docker engine; run again to rebuild it"),
        ("No space left on device", LAUNCH, "no space is left on the Docker engine's disk"),
        ("odd", LAUNCH, "the Docker engine could not run the container: odd"),
        ("odd", CUDA, "the Docker engine could not run the container: odd"),
        (" \n", LAUNCH, "the Docker engine could not run the container: no reason given"),
    ],
)
def test_the_whole_text_of_each_refusal(text: str, launch: Launch, whole: str) -> None:
    assert str(recipe.engine_error(text, launch)) == whole


@pytest.mark.parametrize(
    ("began", "ended", "seen", "seconds"),
    [
        ("2026-11-21T06:41:50Z", "2026-11-21T06:41:50Z", 3.0, 3.0),
        ("2026-11-21T06:41:50Z", "2026-11-21T06:41:53.9Z", 3.0, 3.9),
        ("2026-11-21T06:41:50Z", "2026-11-21T06:41:54Z", 3.0, 3.0),
        ("2026-11-21T06:41:50", "2026-11-21T06:41:52Z", 3.0, 3.0),  # one has a zone, the other none
    ],
)
def test_the_engines_time_counts_where_it_is_possible(began: str, ended: str, seen: float, seconds: float) -> None:
    assert recipe.duration({"StartedAt": began, "FinishedAt": ended}, seen) == pytest.approx(seconds, abs=1e-5)


def test_a_state_without_a_code_is_a_good_end() -> None:
    found = recipe.outcome({}, timed_out=False, wall_s=2.0, log="x")
    assert (found.exit_code, found.signal, found.oom, found.timed_out) == (0, None, False, False)
    assert not recipe.may_come_from_outside({})
