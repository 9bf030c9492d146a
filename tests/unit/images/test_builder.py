"""Builds: what is tried again, what stops them. No engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runner import images
from runner.environments import lock
from runner.errors import BuildError, UnavailableError
from runner.images import failure
from runner.model import Environment

L = "linux-x86_64"
JAX = Environment("jax", "0.10.2", "3.11.3", "3.11", "cpu", L)
OTHER = Environment("jax", "0.10.2", "3.8.0", "3.11", "cpu", L)
TORCH = Environment("torch", "2.2.2", "3.11.3", "3.11", "cpu", L)


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
