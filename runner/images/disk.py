"""Whether a build fits on the engine's disk, before it is started."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from runner.environments.lockfile import Lock
from runner.images.recipe import recipe
from runner.matrix import compat as facts
from runner.model import Environment

RESERVE = 2 * 10**9
"""Bytes that stay free whatever is built: results, logs, the engine's own."""


def layer_bytes(lock: Lock, environment: Environment) -> int:
    """About how much the framework's layer takes, from what was measured for its like (``sizes`` in compat.toml)."""
    sizes = facts.load().sizes
    kind = f"{environment.framework}-cuda" if lock.carries_cuda else environment.framework
    return int(1e9 * sizes.get(kind, sizes["unknown"]))


def rest_bytes() -> int:
    """About how much Keras and what only Keras needs takes."""
    return int(1e9 * facts.load().sizes["keras"])


def needed(environments: Iterable[tuple[Environment, Lock]]) -> int:
    """Bytes that building all of them takes, where none is there yet: shared layers count once."""
    pairs = list(environments)
    layers = {recipe(environment, lock).framework_key: layer_bytes(lock, environment) for environment, lock in pairs}
    return sum(layers.values()) + len(pairs) * rest_bytes()


def free(root: str) -> int | None:
    """Bytes free where the engine keeps its images; None where that is not on this machine."""
    try:
        return shutil.disk_usage(root).free if root and Path(root).is_dir() else None
    except OSError:
        return None


_LAYER_BYTES = {
    "jax": 660 << 20,
    "tensorflow": 1400 << 20,
    "torch": 1000 << 20,
    "numpy": 660 << 20,  # Keras's numpy backend needs jax
    "openvino": 700 << 20,
    "mxnet": 400 << 20,
}
"""What a framework's CPU closure takes on disk with bytecode, about, on Linux x86-64."""


_CUDA_BYTES = 9 << 30
"""CUDA and cuDNN come with the wheels; 8.8 GB were measured for torch."""


_KERAS_BYTES = 80 << 20


def estimate(environments: Iterable[Environment], *, cpu_wheels: bool = True) -> int:
    """Bytes that environments take on disk, roughly: framework layers that they share counted once.

    Without ``cpu_wheels`` torch's CPU cells get the default index's build, which carries CUDA. An environment that
    exists already is counted too, so this is an upper bound.
    """
    wanted = set(environments)
    layers = {(each.framework, each.version, each.python, each.build) for each in wanted}

    def layer_bytes(framework: str, build: str) -> int:
        carries_cuda = build == "cuda" or (framework == "torch" and build == "cpu" and not cpu_wheels)
        return _CUDA_BYTES if carries_cuda else _LAYER_BYTES.get(framework, 1 << 30)

    return sum(layer_bytes(name, build) for name, _, _, build in layers) + _KERAS_BYTES * len(wanted)
