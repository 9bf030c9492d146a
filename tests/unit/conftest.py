"""What unit tests share: an executor that runs whole commands without processes, and a realistic report.

Import mode is ``importlib``, so test files cannot import a helper module: what they share is a fixture.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runner import judge
from runner.errors import OutageError
from runner.executors import Launch, Prepared, Room, Say, Shell
from runner.judge.expectations import Expectation
from runner.model import (
    Better,
    Cell,
    Environment,
    Kind,
    Metric,
    Outcome,
    Sample,
    Skip,
    Status,
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
    outage: OutageError | None = None
    """What stops an environment from being made; those that match ``there`` are found ready."""
    there: tuple[str, ...] = ()
    label: str = "containers"
    isolated: bool = True
    problem: str = ""
    """Why it is not available."""
    prepared: list[Environment] = field(default_factory=list)
    discarded: list[Environment] = field(default_factory=list)
    launched: list[tuple[str, str, int]] = field(default_factory=list)
    """Cell id, probe and round of every process, in order; scripts have the probe ``script``."""

    def data_path(self, data: Path) -> str:
        return str(data)

    def identity(self, environment: Environment) -> str:
        return f"lock of {environment.id}"

    def prepare(self, environment: Environment, say: Say) -> Prepared:
        self.prepared.append(environment)
        if self.outage and not self.find(environment):
            raise self.outage
        say("installing")
        return Prepared(environment, "image", self.identity(environment), {"numpy": "2.0.0"})

    def find(self, environment: Environment) -> Prepared | None:
        if not any(fnmatch.fnmatchcase(environment.id, pattern) for pattern in self.there):
            return None
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

    def available(self) -> str:
        return self.problem

    def cells(self, device: str) -> tuple[Cell, ...]:  # noqa: ARG002 - the protocol's
        return ()

    def shell(self, wanted: Shell) -> int:  # noqa: ARG002 - the protocol's
        return 0

    def discard(self, prepared: Prepared) -> None:
        self.discarded.append(prepared.environment)

    def make_room(self, room: Room, protected: Collection[str]) -> None:
        """Nothing here takes room."""

    def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def fake_executor(monkeypatch: pytest.MonkeyPatch) -> FakeExecutor:
    """The executor of every command in this test: set its ``answers``, then call ``cli.run([...])``."""
    fake = FakeExecutor()
    monkeypatch.setattr("runner.executors.make", lambda _name: fake)
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
CRASH = "exit code 139 (SIGSEGV)"
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
        Metric("small.time_s", 0.0104, Kind.TIMING, Better.LOWER, "s"),
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


ROUNDS = 12
HERE = {"host": "h", "cpu_model": "a"}


def noisy(value: float, number: int, pattern: int, size: float = 0.004) -> float:
    """The value with a disturbance that differs from round to round, up to ``size`` times 2 either way."""
    return value * (1 + size * ((number * pattern) % 5 - 2))


def mnist_round(n: int) -> list[Sample]:
    """One round of the mnist probe: TensorFlow, JAX and the newer torch differ; the first steps are noisy."""
    luck = 0.001 * ((3 * n) % 4)
    own: dict[str, Any] = {"fingerprint": HERE, "started": f"2026-08-14T10:{n:02d}:00+00:00"}
    old, new = {"packages": {"numpy": "1.26.4"}}, {"packages": {"numpy": "2.4.6"}}

    def mnist(turn: int, accuracy: float, step: float, rss: float, start: float, first: float) -> tuple[Metric, ...]:
        steady = (noisy(value, n + turn, pattern) for value, pattern in ((step, 2), (rss, 3), (start, 1)))
        taken, held, begun = steady
        return mnist_metrics(accuracy + luck, taken, first, held, begun)

    made = [
        sample(TF, "mnist", n, mnist(0, 0.9841, 0.0151, 812e6, 4.21, noisy(1.31, n, 3)), **own, **old),
        sample(TORCH_OLD, "mnist", n, mnist(0, 0.9838, 0.0123, 512e6, 2.9, noisy(0.042, n, 7, 0.12)), **own, **old),
        sample(TORCH_NEW, "mnist", n, mnist(1, 0.8838, 0.0161, 701e6, 2.95, noisy(0.044, n, 4, 0.12)), **own, **new),
        sample(JAX, "mnist", n, mnist(2, 0.9841, 0.0099, 455e6, 1.7, noisy(0.912, n, 2)), **own, **old),
    ]
    reason = "fit is not implemented on the numpy backend"
    if n == 0:
        made += [
            sample(TORCH_BROKEN, "mnist", n, status=Status.IMPORT_FAILED, reason=f"TypeError: {PYTREE}", **own),
            sample(NUMPY, "mnist", n, status=Status.UNSUPPORTED, reason=reason, **own),
            sample(JAX_BROKEN, "mnist", n, status=Status.CRASHED, reason=CRASH, exit_code=139, **own),
        ]
    return made


@pytest.fixture(scope="session")
def quick() -> Report:
    """Seven cells, as the judge judges them: slower, broken as expected and by surprise, undecided, tf32."""
    samples = [made for n in range(ROUNDS) for made in mnist_round(n)]
    note = ("keras 3.11.3 installed against the metadata of jax",)
    samples += [
        sample(TF, "conv2d", 0, conv_metrics(1.07), fingerprint=HERE),
        sample(TORCH_OLD, "conv2d", 0, conv_metrics(1.05), fingerprint=HERE),
        sample(TORCH_NEW, "conv2d", 0, conv_metrics(744.0), fingerprint=HERE),
        sample(JAX, "conv2d", 0, conv_metrics(0.24), notes=note, fingerprint=HERE),
        sample(NUMPY, "conv2d", 0, conv_metrics(0.31), fingerprint=HERE),
        sample(TORCH_BROKEN, "conv2d", 0, status=Status.IMPORT_FAILED, reason=f"TypeError: {PYTREE}", fingerprint=HERE),
        sample(JAX_BROKEN, "conv2d", 0, conv_metrics(0.24), fingerprint={**HERE, "cpu_model": "b"}),
    ]
    pairs = [
        judge.Pair(TORCH_OLD, TORCH_NEW, "version"),
        judge.Pair(TF, JAX, "framework"),
        judge.Pair(TORCH_OLD, TORCH_BROKEN, "keras"),
        judge.Pair(JAX, JAX_BROKEN, "keras"),
    ]
    known = Expectation(TORCH_BROKEN.id, status=Status.IMPORT_FAILED, issue=ISSUE, reason="register_pytree_node")
    comparisons = judge.judge(samples, pairs, [known], judge.JudgeSettings(max_rounds=ROUNDS))
    skips = (Skip(replace(TORCH_NEW, device="cuda"), Status.UNAVAILABLE, "no NVIDIA GPU on this machine"),)
    return Report(
        samples=tuple(samples),
        comparisons=tuple(comparisons),
        skips=skips,
        notes=("the data are synthetic digits",),
        title="quick, 2026-08-14",
        exit_code=judge.exit_code(samples, comparisons, skips),
        invocation=f"--rounds {ROUNDS}",
        alpha=0.05,
    )
