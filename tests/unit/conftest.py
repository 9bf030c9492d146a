"""A realistic report for the tests of ``runner.report``: the quick set, with most that can happen to a cell.

Import mode is ``importlib``, so test files cannot import a helper module: what they share is a fixture.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runner.model import (
    Better,
    Cell,
    Comparison,
    Evidence,
    Kind,
    Metric,
    Sample,
    Skip,
    Status,
    Verdict,
)
from runner.report import Report

TF = Cell("tensorflow", "2.21.0", "3.11.3", "3.11", "cpu")
TORCH_OLD = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")
TORCH_NEW = Cell("torch", "2.15.0", "3.11.3", "3.11", "cpu")
TORCH_BROKEN = Cell("torch", "2.2.2", "3.15.1", "3.11", "cpu")
JAX = Cell("jax", "0.10.2", "3.11.3", "3.11", "cpu")
JAX_BROKEN = Cell("jax", "0.10.2", "3.8.0", "3.11", "cpu")
NUMPY = Cell("numpy", "2.4.6", "3.11.3", "3.11", "cpu")
PYTREE = "register_pytree_node() got an unexpected keyword argument 'flatten_with_keys_fn'"
ISSUE = "https://github.com/keras-team/keras/issues/20713"


def mnist_metrics(accuracy: float, step: float, first: float, rss: float, start: float) -> tuple[Metric, ...]:
    return (
        Metric("free.test_accuracy", accuracy, Kind.SEEDED, Better.HIGHER),
        Metric("free.test_loss", 1 - accuracy, Kind.SEEDED, Better.LOWER),
        Metric("free.step_s", step, Kind.TIMING, Better.LOWER, "s"),
        Metric("free.first_step_s", first, Kind.TIMING, Better.LOWER, "s"),
        Metric("free.images_per_s", 128 / step, Kind.TIMING, Better.HIGHER, "images/s"),
        Metric("peak_rss_bytes", int(rss), Kind.TIMING, Better.LOWER, "B"),
        Metric("import_s", start, Kind.TIMING, Better.LOWER, "s"),
        Metric("controlled.loss_per_step", [2.3, 1.1, 0.4], Kind.TRAJECTORY),
    )


def conv_metrics(error: float) -> tuple[Metric, ...]:
    return (
        Metric("small.error_max", error, Kind.ERROR, Better.LOWER, "u", terms=1792),
        Metric("small.error_rms", error / 4, Kind.ERROR, Better.LOWER, "u", terms=1792),
        Metric("small.sum", 58094.56, Kind.EXACT),
        Metric("small.digest", f"{int(error * 1000):064x}", Kind.EXACT),
        Metric("small.time_s", error / 100, Kind.TIMING, Better.LOWER, "s"),
    )


def sample(cell: Cell, probe: str, round_: int, metrics: tuple[Metric, ...] = (), **more: Any) -> Sample:
    return Sample(
        cell=cell,
        environment_id=f"{cell.id}_linux-x86_64",
        probe=probe,
        settings={"epochs": 3},
        round=round_,
        seed=round_,
        executor="docker",
        status=more.pop("status", Status.OK),
        reason=more.pop("reason", ""),
        metrics=metrics,
        **more,
    )


def timing(
    candidate: Cell, baseline: Cell, axis: str, metric: str, verdict: Verdict, effect: float, **more: Any
) -> Comparison:
    return Comparison(
        baseline=baseline.id,
        candidate=candidate.id,
        axis=axis,
        probe=more.pop("probe", "mnist"),
        metric=metric,
        verdict=verdict,
        reason=more.pop("reason", ""),
        evidence=Evidence(n=5, effect=effect, low=effect - 0.1, high=effect + 0.1, **more.pop("evidence", {})),
        **more,
    )


def status(candidate: Cell, baseline: Cell, axis: str, verdict: Verdict, probe: str, **more: Any) -> Comparison:
    return Comparison(baseline.id, candidate.id, axis, probe, "status", verdict, more.pop("reason", ""), **more)


@pytest.fixture(scope="session")
def quick() -> Report:
    """Seven cells: slower, broken as expected, broken by surprise, unsupported, undecided, tf32."""
    samples = []
    for n in range(5):
        jitter = 1 + 0.01 * n
        samples += [
            sample(TF, "mnist", n, mnist_metrics(0.9841, 0.0151 * jitter, 1.31, 812e6, 4.21)),
            sample(TORCH_OLD, "mnist", n, mnist_metrics(0.9838, 0.0123 * jitter, 0.042, 512e6, 2.9)),
            sample(TORCH_NEW, "mnist", n, mnist_metrics(0.8838, 0.0161 * jitter, 0.044, 701e6, 3.3)),
            sample(JAX, "mnist", n, mnist_metrics(0.9855, 0.0099 * jitter, 0.912, 455e6, 1.7)),
            sample(TORCH_BROKEN, "mnist", n, status=Status.IMPORT_FAILED, reason=f"TypeError: {PYTREE}"),
            sample(NUMPY, "mnist", n, status=Status.UNSUPPORTED, reason="fit is not implemented on the numpy backend"),
            sample(JAX_BROKEN, "mnist", n, status=Status.CRASHED, reason="exit code 139 (SIGSEGV)", exit_code=139),
        ]
    samples += [
        sample(TF, "conv2d", 0, conv_metrics(1.07)),
        sample(TORCH_OLD, "conv2d", 0, conv_metrics(1.05)),
        sample(TORCH_NEW, "conv2d", 0, conv_metrics(744.0)),
        sample(JAX, "conv2d", 0, conv_metrics(0.24), notes=("keras 3.11.3 installed against the metadata of jax",)),
        sample(NUMPY, "conv2d", 0, conv_metrics(0.31)),
        sample(TORCH_BROKEN, "conv2d", 0, status=Status.IMPORT_FAILED, reason=f"TypeError: {PYTREE}"),
        sample(JAX_BROKEN, "conv2d", 0, conv_metrics(0.24)),
    ]
    version = (TORCH_NEW, TORCH_OLD, "version")
    comparisons = (
        status(*version, Verdict.SAME, "mnist"),
        timing(*version, "free.step_s", Verdict.REGRESSED, 0.31, packages=("numpy 1.26.4 -> 2.4.6",)),
        timing(*version, "free.images_per_s", Verdict.REGRESSED, -0.236),
        timing(*version, "free.first_step_s", Verdict.INCONCLUSIVE, 0.05, evidence={"rounds_needed": 4}),
        timing(*version, "peak_rss_bytes", Verdict.REGRESSED, 0.37),
        timing(*version, "import_s", Verdict.SAME, 0.02),
        timing(
            *version, "free.test_accuracy", Verdict.REGRESSED, -0.101, baseline_value=0.9838, candidate_value=0.8838
        ),
        timing(JAX, TF, "framework", "free.step_s", Verdict.IMPROVED, -0.34, gates=False),
        timing(JAX, TF, "framework", "free.test_accuracy", Verdict.SAME, 0.001),
        status(TORCH_BROKEN, TORCH_OLD, "keras", Verdict.EXPECTED, "mnist", issue=ISSUE),
        status(TORCH_BROKEN, TORCH_OLD, "keras", Verdict.EXPECTED, "conv2d", issue=ISSUE),
        status(JAX_BROKEN, JAX, "keras", Verdict.BROKEN, "mnist"),
        status(JAX_BROKEN, JAX, "keras", Verdict.SAME, "conv2d"),
        Comparison(
            TORCH_OLD.id,
            TORCH_NEW.id,
            "version",
            "conv2d",
            "small.error_max",
            Verdict.REGRESSED,
            "744 u against 1.05 u, fits TF32",
            Evidence(n=1, effect=744.0, classification="tf32-like"),
        ),
        timing(JAX_BROKEN, JAX, "keras", "small.error_max", Verdict.SAME, 0.24, probe="conv2d"),
        timing(
            JAX_BROKEN, JAX, "keras", "small.time_s", Verdict.NOT_COMPARABLE, 0.0, probe="conv2d", reason="cpu differs"
        ),
    )
    cuda = replace(TORCH_NEW, device="cuda")
    return Report(
        samples=tuple(samples),
        comparisons=comparisons,
        skips=(Skip(cuda, Status.UNAVAILABLE, "no NVIDIA GPU on this machine"),),
        notes=("the data are synthetic digits",),
        title="quick, 2026-08-14",
        exit_code=1,
        invocation="--rounds 5",
    )
