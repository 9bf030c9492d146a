"""The checks of `runner doctor`, as pure functions over facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from runner.engine import Engine
from runner.errors import UnavailableError
from runner.machine.facts import Gpu, Machine

GIB = 1 << 30


SMALL_MEMORY = 6 * GIB
"""The full case of keras-team/keras#20804 takes up to 3.7 GB, and an eighth of the machine stays free."""


class State(StrEnum):
    """The result of a check."""

    OK = "ok"
    NONE = "none"
    """It is not there, and nothing has to be done: what needs it cannot be measured here."""
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


def exit_code(checks: Iterable[Check]) -> int:
    """Return 3 where something is missing, else 0."""
    return 3 if any(check.state == State.FAIL for check in checks) else 0


def machine_check(here: Machine) -> Check:
    """Platform, processor and memory."""
    says = f"{here.platform}, {here.cpu}, {here.cores} cores, {_gib(here.memory_bytes)} memory"
    if here.memory_bytes and here.memory_bytes < SMALL_MEMORY:
        return Check("machine", State.WARN, says, "large probes (conv2d's full case takes 3.7 GB) may end as oom")
    return Check("machine", State.OK, says)


def engine_check(engine: Engine | UnavailableError, address: str = "") -> Check:
    """Check the Docker engine; ``address`` is the value of DOCKER_HOST."""
    if isinstance(engine, UnavailableError):
        says = f"{engine}: cells run in virtual environments on the host"
        return Check("engine", State.WARN, says, _engine_fix(str(engine), address))
    extras = [f"API {engine.api}", f"cgroup v{engine.cgroup}", *(["rootless"] if engine.rootless else [])]
    says = f"{engine.version} on {engine.system} ({', '.join(extras)})"
    if not engine.limits_memory:
        fix = "delegate the memory controller to your user (cgroup v2, systemd Delegate=yes)"
        return Check("engine", State.WARN, f"{says}; it cannot limit memory", fix)
    return Check("engine", State.OK, says)


def _engine_fix(problem: str, address: str) -> str:
    if "permission" in problem.lower():
        return "add your user to the group of the engine's socket (usermod -aG docker $USER) and log in again"
    if address:
        return f"DOCKER_HOST is {address}: start that engine or unset it; or use --executor host"
    return "start Docker (or install Docker Engine, Docker Desktop or Podman), or use --executor host"


def buildkit_check(engine: Engine | UnavailableError, client: str) -> Check:
    """Check BuildKit; ``client`` names the command line that has it, or is empty."""
    if isinstance(engine, UnavailableError):
        return Check("buildkit", State.OK, "nothing to build without an engine")
    if not client:
        fix = "install Docker's buildx plug-in for cache mounts and parallel layers"
        return Check("buildkit", State.WARN, "not there: images are built by the classic builder, slower", fix)
    return Check("buildkit", State.OK, client)


def gpu_check(gpus: Sequence[Gpu], engine: Engine | UnavailableError) -> Check:
    """NVIDIA GPUs, and whether containers can have them."""
    if not gpus:
        return Check("gpu", State.NONE, "no NVIDIA GPU: cuda cells cannot be measured here")
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
    return Check("mps", State.NONE, f"not on {here.platform}: mps cells cannot be measured here")


def disk_check(folder: Path, free: int, needed: int) -> Check:
    """Free space where images (or environments) go, against what is needed there."""
    says = f"{_gib(free)} free in {folder}"
    if needed > free:
        fix = "what is built already counts in; else free some space (runner images prune) or narrow the set (--only)"
        return Check("disk", State.WARN, f"{says}, the cells asked for take about {_gib(needed)} in all", fix)
    if needed:
        return Check("disk", State.OK, f"{says}, the cells asked for take about {_gib(needed)} in all")
    return Check("disk", State.WARN if free < 10 * GIB else State.OK, says, _SMALL_DISK if free < 10 * GIB else "")


_SMALL_DISK = "an environment takes 0.7 to 9 GB: free some space before a larger set"


def uv_check(version: str) -> Check:
    """uv, which resolves and installs everything."""
    if not version:
        return Check("uv", State.FAIL, "not found: nothing can be locked or installed", "pip install uv")
    return Check("uv", State.OK, version)


def python_check(versions: Iterable[str]) -> Check:
    """Check the Pythons for host cells; uv downloads others where it may."""
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
    """Check the base images; ``missing`` are unavailable ones: name -> why."""
    if not missing:
        return Check("base images", State.OK, "present, or their registry answers")
    name, why = next(iter(missing.items()))
    says = f"{', '.join(missing)} neither here nor in their registry: {why}"
    return Check("base images", State.FAIL, says, f"docker pull {name}, or load it from a machine that can")


def power_check(power: str) -> Check:
    """Whether the processor is held back by a battery."""
    if power == "battery":
        return Check("power", State.WARN, "on battery: timings will wander", "plug in before timing anything")
    return Check("power", State.OK, "mains" if power == "mains" else "no battery in use")


def _gib(count: int) -> str:
    return f"{count / GIB:.1f} GiB"
