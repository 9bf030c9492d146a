"""Estimates what environments take on disk. The only place that knows sizes."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from runner.matrix import compat, frameworks
from runner.model import Environment
from runner.util import versions

RESERVE = 2 * 10**9
"""Bytes that stay free whatever is built: results, logs, the engine's own."""


def carries_cuda(environment: Environment, *, cpu_wheels: bool = True) -> bool:
    """Whether an environment installs CUDA.

    Without ``cpu_wheels``, which only PyTorch's own index has, a CPU environment of PyTorch does too.
    """
    return environment.build == "cuda" or (
        frameworks.of(environment.framework).own_index and environment.build == "cpu" and not cpu_wheels
    )


def layer_bytes(environment: Environment, *, cuda: bool) -> int:
    """Return about how many bytes the framework's layer takes, as measured."""
    sizes = compat.load().sizes
    kind = f"{environment.framework}-cuda" if cuda else environment.framework
    added = sum(_added_gb(line) for line in environment.custom.pins) if environment.custom else 0.0
    return int(1e9 * (sizes.get(kind, sizes["unknown"]) + added))


def _added_gb(line: str) -> float:
    """The size of one package that the axes do not name: a framework, or any other."""
    project = versions.project(line)
    one = next((one for one in frameworks.table().values() if project in one.distributions), None)
    return one.size_gb if one else compat.load().sizes["package"]


def rest_bytes() -> int:
    """Return about how many bytes Keras and what only Keras needs take."""
    return int(1e9 * compat.load().sizes["keras"])


def estimate(environments: Iterable[Environment], *, cpu_wheels: bool = True) -> int:
    """Return about how many bytes environments take.

    Framework layers that they share count once. An environment that exists already is counted too, so this is an upper
    bound.
    """
    wanted = set(environments)
    layers = {(each.framework, each.version, each.python, each.build, each.custom): each for each in wanted}
    return len(wanted) * rest_bytes() + sum(
        layer_bytes(each, cuda=carries_cuda(each, cpu_wheels=cpu_wheels)) for each in layers.values()
    )


def free(root: str) -> int | None:
    """Return the bytes free where the engine keeps its images.

    None where that is not on this machine.
    """
    try:
        return shutil.disk_usage(root).free if root and Path(root).is_dir() else None
    except OSError:
        return None
