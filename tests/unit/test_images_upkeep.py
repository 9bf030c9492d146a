"""Reasons for failed builds, which images go first, disk estimates, bills of materials; no engine."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from runner import images, lock
from runner.errors import BuildError, UnavailableError
from runner.images import disk, engine, failure, manage, sbom, usage
from runner.images.manage import Listed
from runner.model import Environment

L = "linux-x86_64"
JAX = Environment("jax", "0.10.2", "3.11.3", "3.11", "cpu", L)
OTHER = Environment("jax", "0.10.2", "3.8.0", "3.11", "cpu", L)
TORCH = Environment("torch", "2.2.2", "3.11.3", "3.11", "cpu", L)


def listed(name: str, used: float, unique: int = 10) -> Listed:
    return Listed(name, (f"x:{name}",), name, name, f"layer-{name}", 100, unique, created=0.0, last_used=used)


IMAGES = [listed("new", 3.0), listed("old", 1.0), listed("mid", 2.0)]


def test_the_least_recently_used_go_first() -> None:
    assert [i.id for i in manage.evictable(IMAGES, keep=1)] == ["old", "mid"]


def test_protected_images_stay_whatever_is_asked_for() -> None:
    assert [i.id for i in manage.evictable(IMAGES, keep=0, protected={"old", "new"})] == ["mid"]
    assert [i.id for i in manage.evictable(IMAGES, keep=0, protected={"layer-old"})] == ["mid", "new"]


def test_only_as_many_go_as_must() -> None:
    assert [i.id for i in manage.evictable(IMAGES, keep_free=115, free=100)] == ["old", "mid"]
    assert manage.evictable(IMAGES, keep_free=100, free=100) == []
    assert manage.evictable(IMAGES) == []
    assert manage.evictable(IMAGES, keep=5) == []


def test_both_limits_hold() -> None:
    assert [i.id for i in manage.evictable(IMAGES, keep=2, keep_free=120, free=100)] == ["old", "mid"]


def test_an_image_that_was_never_used_counts_from_when_it_was_built() -> None:
    fresh = Listed("fresh", (), "fresh", "f", "l", 1, 1, created=9.0, last_used=None)
    assert [i.id for i in manage.evictable([fresh, *IMAGES], keep=3)] == ["old"]


@pytest.mark.parametrize(
    ("description", "kind", "flags", "normal", "everything"),
    [
        ("mount / from exec /bin/sh -c sh /build/install.sh packages /tools", "regular", {}, True, True),
        ("mount / from exec /bin/sh -c sh /build/install.sh packages", "regular", {"Shared": True}, False, False),
        ("mount / from exec /bin/sh -c sh /build/install.sh packages", "regular", {"InUse": True}, False, False),
        ("mount / from exec /bin/sh -c sh /build/install.sh tools /tools", "regular", {}, False, True),
        ("cached mount /var/cache/uv from exec sh /build/install.sh", "exec.cachemount", {}, False, True),
        ("mount / from exec /bin/sh -c make somebody's", "regular", {}, False, False),
    ],
)
def test_only_what_this_project_made_leaves_the_build_cache(
    description: str, kind: str, flags: dict[str, bool], normal: bool, everything: bool
) -> None:
    entry = {"ID": "x", "Description": description, "Type": kind, "InUse": False, "Shared": False} | flags
    assert manage._prunable(entry, everything=False) is normal
    assert manage._prunable(entry, everything=True) is everything


def test_last_use_is_remembered() -> None:
    assert usage.last_used("abc") is None
    began = time.time()
    usage.mark("abc")
    # a file's time may be kept in whole seconds, or on a server with a clock of its own
    assert began - 5 <= (usage.last_used("abc") or 0.0) <= time.time() + 5
    usage.forget("abc")
    assert usage.last_used("abc") is None


@pytest.mark.parametrize(
    ("said", "kind", "reason"),
    [
        (
            [
                "#7 0.355 Using Python 3.11.7 environment at: /usr/local",
                "#7 1.2 error: Failed to download `namex==0.1.0`",
                "#7 1.2   cause: Hash mismatch for `namex==0.1.0`",
                "#7 ERROR: executor failed running [/bin/sh -c x]: exit code: 2",
            ],
            BuildError,
            "Failed to download `namex==0.1.0` Hash mismatch for `namex==0.1.0`",
        ),
        (
            ["\x1b[91merror: Hash mismatch\x1b[0m", "error: The command 'sh' returned a non-zero code: 1"],
            BuildError,
            "Hash mismatch The command",
        ),
        (["error: write /x: no space left on device"], UnavailableError, "no space left on the Docker engine's disk"),
        (["ERROR: Cannot connect to the Docker daemon at unix:///x."], UnavailableError, "stopped answering"),
        ([], BuildError, "said nothing"),
    ],
)
def test_a_failed_build_says_why(said: list[str], kind: type[Exception], reason: str) -> None:
    found = failure.error("torch-2.2.2", said)
    assert type(found) is kind
    assert reason in str(found)
    assert "\n" not in str(found)


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("error sending request for url (https://x)", True),
        ("failed to lookup address information: Name or service not known", True),
        ("HTTP status 503 Service Unavailable", True),
        ("Hash mismatch for `namex==0.1.0`", False),
        ("no version of keras==3.99", False),
        ("Cannot connect to the Docker daemon: connection refused", False),
    ],
)
def test_only_a_failing_network_is_worth_another_attempt(text: str, again: bool) -> None:
    assert failure.is_network(text) is again


def test_layers_that_are_shared_are_counted_once() -> None:
    one, two, torch = ((e, lock.committed(e)) for e in (JAX, OTHER, TORCH))
    assert disk.needed([one, two]) == disk.needed([one]) + disk.rest_bytes()
    assert disk.needed([one, torch]) > 5 * 10**9


def test_an_engine_elsewhere_has_an_unknown_disk() -> None:
    assert disk.free("/no/such/folder") is None
    assert disk.free("") is None
    assert disk.free("/") is not None


@pytest.mark.parametrize(
    ("version", "major"),
    [("Docker version 20.10.24+dfsg1, build 297e128", 20), ("Docker version 28.2.2, build e6534b4", 28)],
)
def test_the_clients_version_is_read(version: str, major: int) -> None:
    assert engine._major(version) == major


def test_something_else_called_docker_has_no_buildkit() -> None:
    assert engine._major("podman version 4.3.1") > 1000


def test_the_bill_of_materials_names_every_package_with_its_hashes() -> None:
    pinned = lock.committed(JAX)
    found = json.loads(sbom.cyclonedx(JAX, pinned))
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    assert found["metadata"]["component"]["name"] == JAX.id
    by_name = {component["name"]: component for component in found["components"]}
    assert {name: c["version"] for name, c in by_name.items()} == dict(pinned.packages)
    assert by_name["jax"]["purl"] == "pkg:pypi/jax@0.10.2"
    assert all(c["hashes"] for c in by_name.values())
    assert all(len(h["content"]) == 64 for c in by_name.values() for h in c["hashes"])


class FullDisk(images.Builder):
    """An engine without anything, whose disk is full on the first build."""

    attempts = 0

    def _inspect(self, *_args: object, **_kwargs: object) -> None:
        return None

    def _check_possible(self, *_args: object) -> None:
        if self._full:
            raise UnavailableError(f"not built: {self._full}")

    def _build(self, *_args: object) -> str:
        self.attempts += 1
        raise failure.error("x", ["no space left on device"])


def test_a_full_disk_stops_building() -> None:
    builder = FullDisk()
    for environment in (JAX, TORCH, OTHER):
        with pytest.raises(UnavailableError, match="no space left"):
            builder.build(environment, lock.committed(environment))
    assert builder.attempts == 1


class Flaky(FullDisk):
    """The network fails once, or always."""

    fails = 1

    def _answers(self) -> bool:
        return True

    def _inspect(self, *_args: object, **_kwargs: object) -> images.Image | None:  # type: ignore[override]
        return images.Image("id", "tag", 1, 0.0, cached=False) if self.attempts > self.fails else None

    def _build(self, *_args: object) -> str:
        self.attempts += 1
        if self.attempts <= self.fails:
            raise BuildError("x", "error sending request for url")
        return "id"


def test_a_failed_download_is_tried_once_more() -> None:
    builder = Flaky()
    assert builder.build(JAX, lock.committed(JAX)).id == "id"
    assert builder.attempts == 2


def test_and_not_for_ever() -> None:
    builder = Flaky()
    builder.fails = 99
    with pytest.raises(BuildError):
        builder.build(JAX, lock.committed(JAX))
    assert builder.attempts == 2


def test_a_wheel_without_the_committed_hash_is_another_image(tmp_path: Path) -> None:
    pinned = lock.committed(JAX)
    other = replace(pinned, sha256="0" * 64)
    assert images.render(JAX, pinned) != images.render(JAX, other)
