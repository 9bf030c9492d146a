"""What this machine can run, and how to fix what is missing. Gathered here, shown by others.

A check is asked in a thread of its own and given up after ``DEADLINE_S``; one that breaks says so as its result. So
``examine`` returns within seconds on the worst of machines, and never raises.
"""

from __future__ import annotations

import os
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from runner.errors import UnavailableError
from runner.executors import host
from runner.executors.container import Engine
from runner.machine import facts
from runner.machine.facts import Gpu, Machine
from runner.model import Environment
from runner.util import folders

T = TypeVar("T")

DEADLINE_S = 3.6
_PROBE_S = 3
"""For one request to an engine, an index or a program; below the deadline, so that its own words are heard."""
GIB = 1 << 30
SMALL_MEMORY = 6 * GIB
"""The full case of keras-team/keras#20804 takes up to 3.7 GB, and an eighth of the machine stays free."""


class State(StrEnum):
    """What a check came to."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    name: str
    state: State
    says: str
    """What was found, in one line."""
    fix: str = ""
    """What to do about it; empty where there is nothing to do."""


@dataclass(frozen=True, slots=True)
class Question:
    """A check that has not been asked yet."""

    name: str
    ask: Callable[[], Check]


def examine(
    cache: Path, *, environments: Iterable[Environment] = (), base_images: Sequence[str] = ()
) -> tuple[Check, ...]:
    """All checks, in the order they are to be read.

    ``cache`` is the folder of the host's environments, ``environments`` what the set needs, ``base_images`` the names
    that those build on.
    """
    wanted = tuple(environments)
    here = facts.here()
    engine = _Once(_ask_engine)
    torch_index = _Once(lambda: _resolve("torch", "--torch-backend", "cpu"))

    def disk() -> Check:
        needed = estimate(wanted, cpu_wheels=not torch_index() if wanted else True)
        return disk_check(_image_folder(engine(), cache), needed)

    questions = [
        Question("machine", partial(machine_check, here)),
        Question("engine", lambda: engine_check(engine())),
        Question("buildkit", lambda: buildkit_check(engine(), _buildkit())),
        Question("gpu", lambda: gpu_check(here.gpus, engine())),
        Question("mps", partial(mps_check, here)),
        Question("disk", disk),
        Question("uv", lambda: uv_check(_uv_version())),
        Question("python", lambda: python_check(host.pythons())),
        Question("index", lambda: index_check(_resolve("pip"), "the package index")),
        Question("torch index", lambda: torch_index_check(torch_index())),
        *([Question("base images", lambda: _base_images(engine(), base_images))] if base_images else []),
        Question("power", lambda: power_check(here.power)),
    ]
    return ask_all(questions)


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


def ask_all(questions: Sequence[Question], deadline_s: float = DEADLINE_S) -> tuple[Check, ...]:
    """Ask side by side. What breaks or does not answer in time becomes a warning that says so."""
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
    silent = "did not answer in time; run `runner doctor` again, or look why it hangs"
    return tuple(found.get(n, Check(q.name, State.WARN, silent)) for n, q in enumerate(questions))


# -- what the findings mean: pure ----------------------------------------------------------------------------


def machine_check(here: Machine) -> Check:
    """Platform, processor and memory."""
    says = f"{here.platform}, {here.cpu}, {here.cores} cores, {_gib(here.memory_bytes)} memory"
    if here.memory_bytes and here.memory_bytes < SMALL_MEMORY:
        return Check("machine", State.WARN, says, "large probes (conv2d's full case takes 3.7 GB) may end as oom")
    return Check("machine", State.OK, says)


def engine_check(engine: Engine | UnavailableError) -> Check:
    """The Docker engine: version, API, what its limits can hold."""
    if isinstance(engine, UnavailableError):
        says = f"{engine}: cells run on the host, in pinned virtual environments"
        return Check("engine", State.WARN, says, _engine_fix(str(engine)))
    extras = [f"API {engine.api}", f"cgroup v{engine.cgroup}", *(["rootless"] if engine.rootless else [])]
    says = f"{engine.version} on {engine.system} ({', '.join(extras)})"
    if not engine.limits_memory:
        fix = "delegate the memory controller to your user (cgroup v2, systemd Delegate=yes)"
        return Check("engine", State.WARN, f"{says}; it cannot limit memory", fix)
    return Check("engine", State.OK, says)


def _engine_fix(problem: str) -> str:
    if "permission" in problem.lower():
        return "add your user to the group of the engine's socket (usermod -aG docker $USER) and log in again"
    if os.environ.get("DOCKER_HOST"):
        return f"DOCKER_HOST is {os.environ['DOCKER_HOST']}: start that engine or unset it; or use --executor host"
    return "start Docker (or install Docker Engine, Docker Desktop or Podman), or use --executor host"


def buildkit_check(engine: Engine | UnavailableError, client: str) -> Check:
    """Whether images can be built by BuildKit; ``client`` names what would do it, or is empty."""
    if isinstance(engine, UnavailableError):
        return Check("buildkit", State.OK, "nothing to build without an engine")
    if not client:
        fix = "install Docker's buildx plug-in for cache mounts and parallel layers"
        return Check("buildkit", State.WARN, "not there: images are built by the classic builder, slower", fix)
    return Check("buildkit", State.OK, client)


def gpu_check(gpus: Sequence[Gpu], engine: Engine | UnavailableError) -> Check:
    """NVIDIA GPUs, and whether containers can have them."""
    if not gpus:
        return Check("gpu", State.OK, "no NVIDIA GPU: cuda cells will be unavailable")
    says = ", ".join(f"{gpu.name} (compute capability {gpu.compute_capability or 'unknown'})" for gpu in gpus)
    says += f"; driver {gpus[0].driver}"
    if isinstance(engine, Engine) and not engine.nvidia:
        fix = "install the NVIDIA Container Toolkit and run: nvidia-ctk runtime configure --runtime=docker"
        return Check("gpu", State.WARN, f"{says}; the Docker engine has no NVIDIA runtime", fix)
    return Check("gpu", State.OK, says)


def mps_check(here: Machine) -> Check:
    """Apple's Metal Performance Shaders."""
    if here.mps:
        return Check("mps", State.OK, "Apple silicon: mps cells run on the host")
    return Check("mps", State.OK, f"not on {here.platform}: mps cells will be unavailable")


def disk_check(folder: Path, needed: int) -> Check:
    """Free space where images (or environments) go, against what is needed there."""
    free = facts.free_bytes(folder)
    says = f"{_gib(free)} free in {folder}"
    if needed > free:
        fix = "what is built already counts in; else free some space (runner images prune) or narrow the set (--only)"
        return Check("disk", State.WARN, f"{says}, the whole set takes about {_gib(needed)}", fix)
    if needed:
        return Check("disk", State.OK, f"{says}, the whole set takes about {_gib(needed)}")
    return Check("disk", State.WARN if free < 10 * GIB else State.OK, says, _SMALL_DISK if free < 10 * GIB else "")


_SMALL_DISK = "an environment takes 0.7 to 9 GB: free some space before a larger set"


def uv_check(version: str) -> Check:
    """uv, which resolves and installs everything."""
    if not version:
        return Check("uv", State.FAIL, "not found: nothing can be locked or installed", "pip install uv")
    return Check("uv", State.OK, version)


def python_check(versions: Iterable[str]) -> Check:
    """Pythons that host cells can use, by minor version; uv downloads others where it may."""
    listed = ", ".join(sorted(versions, key=lambda version: int(version.partition(".")[2])))
    if not listed:
        return Check("python", State.WARN, "none found for host cells", "uv python install 3.11")
    return Check("python", State.OK, f"{listed} for host cells; uv fetches others where it can")


def index_check(problem: str, name: str) -> Check:
    """The package index in use; ``problem`` is empty where it answers."""
    if not problem:
        return Check("index", State.OK, f"{name} answers")
    fix = (
        "behind a proxy or mirror set HTTPS_PROXY, SSL_CERT_FILE, UV_DEFAULT_INDEX; what is built or cached still runs"
    )
    return Check("index", State.WARN, f"{name} cannot be reached: {problem}", fix)


def torch_index_check(problem: str) -> Check:
    """PyTorch's own index, where its CPU-only wheels are."""
    if not problem:
        return Check("torch index", State.OK, "PyTorch's own index answers: CPU cells get its CPU-only wheels")
    says = "PyTorch's own index cannot be reached: CPU cells of torch use the default index's build, which carries CUDA"
    return Check("torch index", State.WARN, says, "allow it through the proxy, or live with larger images")


def base_images_check(missing: Mapping[str, str]) -> Check:
    """Base images that are neither there nor to be had: name -> why."""
    if not missing:
        return Check("base images", State.OK, "present, or their registry answers")
    name, why = next(iter(missing.items()))
    says = f"{', '.join(missing)} neither here nor to be pulled: {why}"
    return Check("base images", State.FAIL, says, f"docker pull {name}, or load it from a machine that can")


def power_check(power: str) -> Check:
    """Whether the processor is held back by a battery."""
    if power == "battery":
        return Check("power", State.WARN, "on battery: timings will wander", "plug in before timing anything")
    return Check("power", State.OK, "mains" if power == "mains" else "no battery in use")


def _gib(count: int) -> str:
    return f"{count / GIB:.1f} GiB"


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
    from runner.executors.docker import connect

    try:
        api, engine = connect(_PROBE_S)
    except UnavailableError as error:
        return error
    api.close()
    return engine


def _base_images(engine: Engine | UnavailableError, names: Sequence[str]) -> Check:
    from runner.executors.docker import missing_images

    if isinstance(engine, UnavailableError):
        return Check("base images", State.OK, "not needed without an engine")
    return base_images_check(missing_images(names, _PROBE_S))


def _buildkit() -> str:
    """What builds with BuildKit here, or empty."""
    from runner import engine

    command = engine.buildkit()
    if command is None:
        return ""
    return f"{command.path} {'with buildx' if command.buildx else 'has BuildKit built in'}"


def _image_folder(engine: Engine | UnavailableError, cache: Path) -> Path:
    """Where disk space matters: the engine's folder where it lies on this machine, else the cache."""
    if isinstance(engine, Engine) and engine.root and Path(engine.root).exists():
        return Path(engine.root)
    return cache


def _uv_version() -> str:
    return _output([_uv(), "--version"])


def _resolve(package: str, *arguments: str) -> str:
    """Ask an index for a package through uv, whose settings (mirrors, proxies, certificates) count.

    Why it cannot be had, or an empty string.
    """
    command = [_uv(), "pip", "compile", "-", "--no-deps", "--quiet", "--refresh-package", package, *arguments]
    environment = {**os.environ, "UV_HTTP_TIMEOUT": str(_PROBE_S - 1), "UV_HTTP_RETRIES": "0", "NO_COLOR": "1"}
    try:
        done = subprocess.run(
            command,
            input=f"{package}\n",
            env=environment,
            capture_output=True,
            text=True,
            timeout=_PROBE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {_PROBE_S} s"
    if done.returncode == 0:
        return ""
    causes = [line.strip().lstrip("×├╰─▶ ") for line in done.stderr.splitlines() if line.strip()]
    return causes[-1] if causes else "uv gave no reason"


def _uv() -> str:
    try:
        return folders.uv_program()
    except UnavailableError:
        return "uv"


def _output(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_PROBE_S, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
