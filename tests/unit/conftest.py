"""What unit tests share: an executor that runs whole commands without processes, and a realistic report.

Import mode is ``importlib``, so test files cannot import a helper module: what they share is a fixture.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runner.executors import Launch, Prepared, Say
from runner.measure import host, workspace
from runner.model import (
    Better,
    Cell,
    Comparison,
    Environment,
    Evidence,
    Kind,
    Metric,
    Outcome,
    Sample,
    Skip,
    Status,
    Verdict,
)
from runner.report import Report

Answer = Mapping[str, Any]
"""What a cell answers: ``metrics`` (dicts as in result.json, or Metric), ``status``, ``reason``, ``facts``,
``details``; ``exit_code``, ``oom``, ``timed_out``, ``log``, ``wall_s`` of its process; ``raises`` an exception."""


@dataclass
class FakeExecutor:
    """Runs whole commands in this process: a table of cells takes the place of the processes.

    The key of ``answers`` is a pattern over cell ids, or ``pattern:probe``; the first that matches counts. The value
    is an answer, a list with one answer per round (the last one repeats), or a function from the request to an
    answer. A cell without a match is ok and has no metrics.
    """

    answers: Mapping[str, Answer | Sequence[Answer] | Callable[[dict[str, Any]], Answer]] = field(default_factory=dict)
    name: str = "docker"
    prepared: list[Environment] = field(default_factory=list)
    launched: list[tuple[str, str, int]] = field(default_factory=list)
    """Cell id, probe and round of every process, in order; scripts have the probe ``script``."""

    def data_path(self, data: Path) -> str:
        return str(data)

    def identity(self, environment: Environment) -> str:
        return f"lock of {environment.id}"

    def prepare(self, environment: Environment, say: Say) -> Prepared:
        self.prepared.append(environment)
        say("installing")
        return Prepared(environment, "image", self.identity(environment), {"numpy": "2.0.0"})

    def execute(self, launch: Launch) -> Outcome:
        path = launch.io / "request.json"
        request: dict[str, Any] = {"probe": "script", "round": 0}
        if path.is_file():
            request = json.loads(path.read_text())
        self.launched.append((launch.cell.id, request["probe"], request["round"]))
        answer = dict(self._answer(launch.cell.id, request))
        if "raises" in answer:
            raise answer["raises"]
        result = {"schema": 1, "status": answer.get("status", "ok"), "reason": answer.get("reason", "")}
        result |= {"facts": answer.get("facts", {}), "details": answer.get("details", {})}
        result["metrics"] = msgspec.to_builtins(list(answer.get("metrics", ())))
        (launch.io / "result.json").write_text(json.dumps(result))
        return Outcome(
            answer.get("exit_code", 0),
            None,
            oom=answer.get("oom", False),
            timed_out=answer.get("timed_out", False),
            wall_s=answer.get("wall_s", 0.5),
            log=answer.get("log", ""),
        )

    def _answer(self, cell_id: str, request: dict[str, Any]) -> Answer:
        for key, answer in self.answers.items():
            pattern, _, probe = key.partition(":")
            if fnmatch.fnmatchcase(cell_id, pattern) and probe in ("", request["probe"]):
                if callable(answer):
                    called: Answer = answer(request)
                    return called
                rounds = [answer] if isinstance(answer, Mapping) else list(answer)
                return dict(rounds[min(request["round"], len(rounds) - 1)])
        return {}

    def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def fake_executor(monkeypatch: pytest.MonkeyPatch) -> FakeExecutor:
    """The executor of every command in this test: set its ``answers``, then call ``cli.run([...])``."""
    fake = FakeExecutor()

    @contextmanager
    def executors() -> Iterator[dict[str, FakeExecutor]]:
        yield dict.fromkeys(("docker", "host", "current"), fake)

    monkeypatch.setattr(workspace, "executors", executors)
    monkeypatch.setattr(host, "engine_problem", lambda: "")
    for module in ("runner.data", "runner.data.digits"):
        monkeypatch.setattr(f"{module}.fetch", lambda *_: False)  # synthetic data in place of downloads
    return fake


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
