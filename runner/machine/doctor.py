"""Asks what this machine can run, and how to fix what is missing.

Every check has a thread and is given up after ``DEADLINE_S``; one that breaks becomes a warning. So
``examine`` returns within seconds on the worst of machines, and never raises.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from runner import engine
from runner.engine import Engine
from runner.errors import UnavailableError
from runner.executors import interpreters
from runner.images.disk import estimate
from runner.images.recipe import base_image
from runner.machine import facts
from runner.machine.checks import (
    Check,
    State,
    base_images_check,
    buildkit_check,
    disk_check,
    engine_check,
    gpu_check,
    index_check,
    machine_check,
    mps_check,
    power_check,
    python_check,
    torch_index_check,
    uv_check,
)
from runner.model import Environment
from runner.util import commands, folders, program

T = TypeVar("T")

DEADLINE_S = 3.6
_PROBE_S = 3
"""For one request to an engine, an index or a program; below the deadline, so that its own reason is shown."""


@dataclass(frozen=True, slots=True)
class Question:
    """A check that has not been asked yet."""

    name: str
    ask: Callable[[], Check]


def examine(environments: Iterable[Environment]) -> tuple[Check, ...]:
    """Ask all checks, in reading order; ``environments`` are what a set needs."""
    wanted = tuple(environments)
    bases = sorted({base_image(environment.python) for environment in wanted})
    here = facts.here()
    found = _Once(_ask_engine)
    torch_index = _Once(lambda: _resolve("torch", "--torch-backend", "cpu"))

    def disk() -> Check:
        needed = estimate(wanted, cpu_wheels=not torch_index() if wanted else True)
        folder = _image_folder(found(), folders.cache_dir())
        return disk_check(folder, facts.free_bytes(folder), needed)

    questions = [
        Question("machine", partial(machine_check, here)),
        Question("engine", lambda: engine_check(found(), os.environ.get("DOCKER_HOST", ""))),
        Question("buildkit", lambda: buildkit_check(found(), _buildkit())),
        Question("gpu", lambda: gpu_check(here.gpus, found())),
        Question("mps", partial(mps_check, here)),
        Question("disk", disk),
        Question("uv", lambda: uv_check(_uv_version())),
        Question("python", lambda: python_check(interpreters.pythons())),
        Question("index", lambda: index_check(_resolve("pip"), "the package index")),
        Question("torch index", lambda: torch_index_check(torch_index())),
        *([Question("base images", lambda: _base_images(found(), bases))] if bases else []),
        Question("power", lambda: power_check(here.power)),
    ]
    return ask_all(questions)


def ask_all(questions: Sequence[Question], deadline_s: float = DEADLINE_S) -> tuple[Check, ...]:
    """Ask in parallel. What breaks or is late becomes a warning."""
    answers: queue.SimpleQueue[tuple[int, Check]] = queue.SimpleQueue()

    def ask(number: int, question: Question) -> None:
        try:
            answer = question.ask()
        except Exception as error:  # noqa: BLE001 - a doctor who faints helps nobody
            answer = Check(question.name, State.WARN, f"could not be checked: {type(error).__name__}: {error}")
        answers.put((number, answer))

    for number, question in enumerate(questions):
        # daemons: one that hangs must not keep the program from ending
        threading.Thread(target=ask, args=(number, question), name=f"doctor-{question.name}", daemon=True).start()
    found: dict[int, Check] = {}
    deadline = time.monotonic() + deadline_s
    while len(found) < len(questions) and (left := deadline - time.monotonic()) > 0:
        try:
            number, answer = answers.get(timeout=left)
        except queue.Empty:
            break
        found[number] = answer
    silent = f"did not answer in time; run `{program.name()} doctor` again, or look why it hangs"
    return tuple(found.get(n, Check(q.name, State.WARN, silent)) for n, q in enumerate(questions))


# -- asking: the engine, uv, the network ---------------------------------------------------------------------


class _Once(Generic[T]):
    """An answer that several checks wait for and that is asked for once."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._answers: list[T] = []

    def __call__(self) -> T:
        with self._lock:
            if not self._answers:
                self._answers.append(self._ask())
            return self._answers[0]


def _ask_engine() -> Engine | UnavailableError:
    try:
        with closing(engine.connect(_PROBE_S)) as client:
            return engine.describe(client)
    except UnavailableError as error:
        return error


def _base_images(found: Engine | UnavailableError, names: Sequence[str]) -> Check:
    if isinstance(found, UnavailableError):
        return Check("base images", State.OK, "not needed without an engine")
    return base_images_check(engine.missing_images(names, _PROBE_S))


def _buildkit() -> str:
    """What builds with BuildKit here, or empty."""
    command = engine.buildkit()
    if command is None:
        return ""
    return f"{command.path} {'with buildx' if command.buildx else 'has BuildKit built in'}"


def _image_folder(found: Engine | UnavailableError, cache: Path) -> Path:
    """Return where disk space matters: the engine's folder here, or the cache."""
    if isinstance(found, Engine) and found.root and Path(found.root).exists():
        return Path(found.root)
    return cache


def _uv_version() -> str:
    return commands.output(_uv(), "--version", timeout_s=_PROBE_S)


def _resolve(package: str, *arguments: str) -> str:
    """Ask an index for a package through uv, with uv's settings.

    Returns why it is not available, or an empty string.
    """
    command = [_uv(), "pip", "compile", "-", "--no-deps", "--quiet", "--refresh-package", package, *arguments]
    environment = {**os.environ, "UV_HTTP_TIMEOUT": str(_PROBE_S - 1), "UV_HTTP_RETRIES": "0", "NO_COLOR": "1"}
    ended = commands.run(command, timeout_s=_PROBE_S, typed=f"{package}\n", variables=environment)
    if ended.late:
        return f"no answer within {_PROBE_S} s"
    if ended.code == 0:
        return ""
    causes = [line.strip().lstrip("×├╰─▶ ") for line in ended.errors.splitlines() if line.strip()]
    return causes[-1] if causes else "uv gave no reason"


def _uv() -> str:
    try:
        return folders.uv_program()
    except UnavailableError:
        return "uv"
