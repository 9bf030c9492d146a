"""Control groups, in folders that look like the kernel's."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.util import cgroups


@pytest.fixture
def mount(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cgroups, "_MOUNT", tmp_path / "cgroup")
    monkeypatch.setattr(cgroups, "_OWN", tmp_path / "own")
    monkeypatch.setattr(cgroups, "_ENOUGH_S", 0.1)
    (tmp_path / "cgroup").mkdir()
    return tmp_path / "cgroup"


def own(mount: Path, text: str) -> None:
    (mount.parent / "own").write_text(text)


def with_files(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """The kernel fills a new group with files."""
    mkdir = Path.mkdir

    def make(path: Path, *arguments: object) -> None:
        mkdir(path)
        for name in names:
            (path / name).touch()

    monkeypatch.setattr(Path, "mkdir", make)


class TestMake:
    def test_version_2_is_one_folder_below_the_processs_own(self, mount: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (mount / "user.slice").mkdir()
        (mount / "cgroup.controllers").touch()
        own(mount, "0::/user.slice\n")
        with_files(monkeypatch, "memory.max", "memory.swap.max", "pids.max", "cgroup.procs")
        made = cgroups.make("name", memory_bytes=1 << 30, pids=7)
        assert made.folders == (mount / "user.slice" / "name",)
        assert made.procs == (f"{mount}/user.slice/name/cgroup.procs",)
        found = {path.name: path.read_text() for path in made.folders[0].iterdir()}
        assert found == {"memory.max": str(1 << 30), "memory.swap.max": "0", "pids.max": "7", "cgroup.procs": ""}

    def test_version_1_is_one_per_controller(self, mount: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("pids/docker/1a", "memory", "cpu"):
            (mount / name).mkdir(parents=True)
        own(mount, "9:cpu:/\n7:pids:/docker/1a\n5:memory:/docker/1a\n0::/\n")
        with_files(monkeypatch, "memory.limit_in_bytes", "pids.max")
        made = cgroups.make("name", memory_bytes=None, pids=7)
        # the memory controller's mount shows this container's own group as its root
        assert made.folders == (mount / "pids" / "docker" / "1a" / "name", mount / "memory" / "name")
        assert (made.folders[0] / "pids.max").read_text() == "7"
        assert (made.folders[1] / "memory.limit_in_bytes").read_text() == "-1"

    @pytest.mark.parametrize("text", [None, "", "0::/elsewhere\n", "7:pids:/\n"])
    def test_where_none_can_be_made_there_is_none(self, mount: Path, text: str | None) -> None:
        (mount / "cgroup.controllers").touch()
        if text is not None:
            own(mount, text)
        made = cgroups.make("name", memory_bytes=1, pids=1)
        assert made == cgroups.Cgroup()
        assert made.oom_kills() is None
        made.remove()


@pytest.mark.parametrize(
    ("name", "text", "kills"),
    [
        ("memory.events", "low 0\noom 2\noom_kill 1\n", 1),
        ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", 3),
        ("memory.oom_control", "oom_kill_disable 0\n", None),
        ("other", "oom_kill 5\n", None),
    ],
)
def test_the_kernels_kills_are_read(tmp_path: Path, name: str, text: str, kills: int | None) -> None:
    (tmp_path / name).write_text(text)
    assert cgroups.Cgroup((tmp_path / "pids", tmp_path)).oom_kills() == kills


@pytest.mark.parametrize(
    ("text", "container", "found"),
    [
        ("0::/system.slice/docker-1a2b.scope\n", "1a2b", ["system.slice/docker-1a2b.scope"]),
        ("0::/user.slice\n", "1a2b", []),  # an engine elsewhere: its process ids are others' here
        ("0::/user.slice\n", "", []),
        ("5:memory:/docker/1a2b\n", "1a2b", []),  # not seen from in here; the root is that of this program's container
    ],
)
def test_that_of_a_container_is_never_somebody_elses(
    mount: Path, monkeypatch: pytest.MonkeyPatch, text: str, container: str, found: list[str]
) -> None:
    for name in ("system.slice/docker-1a2b.scope", "user.slice", "memory"):
        (mount / name).mkdir(parents=True)
    (mount / "cgroup.controllers").touch()
    monkeypatch.setattr(cgroups, "_text", {Path("/proc/7/cgroup"): text}.__getitem__)
    assert cgroups.of(7, container).folders == tuple(mount / name for name in found)


def test_one_that_is_busy_is_tried_again_but_not_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "_ENOUGH_S", 60.0)
    folder, rmdir, tries = tmp_path / "group", Path.rmdir, [1, 1]
    folder.mkdir()

    def busy(path: Path) -> None:
        if tries:
            tries.pop()
            raise OSError(16, "Device or resource busy")
        rmdir(path)

    monkeypatch.setattr(Path, "rmdir", busy)
    cgroups.Cgroup((folder,)).remove()
    assert not folder.exists()
    monkeypatch.setattr(cgroups, "_ENOUGH_S", 0.05)
    folder.mkdir()
    tries[:] = [1] * 1000
    cgroups.Cgroup((folder,)).remove()
    assert folder.exists()


def test_those_of_a_killed_run_are_swept(mount: Path) -> None:
    (mount / "cgroup.controllers").touch()
    own(mount, "0::/\n")
    for name in ("run-1.a", "run-1.b", "run-12.a", "other"):
        (mount / name).mkdir()
    cgroups.sweep("run-1")
    assert sorted(path.name for path in mount.iterdir() if path.is_dir()) == ["other", "run-12.a"]
